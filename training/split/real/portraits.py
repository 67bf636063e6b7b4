# SPDX-License-Identifier: Apache-2.0
"""Samples of the shading and key networks from folders of portraits that nothing is known of.

``python -m training.split.real.portraits --photos DIR --weights DIR --out DIR``
leaves a file for each portrait, ``NAME-SEED.npz``: arrays of
:data:`training.split.real.portrait_sample.ARRAYS`, samples first, none where a photo shows no
usable face. What is there already is not made again, so a run that was ended goes on; another seed
makes more of the same portraits.
"""

from __future__ import annotations

import zlib
from contextlib import closing
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from relight import load_photo
from relight.error import PhotoError, RelightError, plain_errors
from relight.face import search
from relight.face.perception import Perception
from relight.stage.stages import Stages
from relight.stage.tflite import TfliteStages
from relight.storage import whole_file
from training.analytic.formula import FormulaStages
from training.data.skin_table import portrait_paths
from training.networks.weight_file import load_network
from training.split.real.portrait_sample import (
    ARRAYS,
    Arrays,
    PortraitDraw,
    is_usable,
    portrait_samples,
)
from training.split.real.quotient_stages import QuotientStages
from training.split.split_stages import split_stages

LARGEST_CROP = 320
"""Larger crops, in pixels, are brought to this size first: the networks see 256."""


def samples_of(
    path: Path,
    detector: Perception,
    teachers: list[Stages],
    painters: list[Stages],
    count: int,
    seed: int,
) -> list[Arrays]:
    """Samples of a photo's largest face, none if it shows no usable one.

    Raises:
        PhotoError: if it cannot be read.
    """
    rng = np.random.default_rng([seed, zlib.crc32(path.name.encode())])
    photo = load_photo(path).rgb8
    faces = search.find(detector, photo)[:1]
    if not faces:
        return []
    if faces[0].crop.size > LARGEST_CROP:
        photo = _smaller(photo, LARGEST_CROP / faces[0].crop.size)
        faces = search.find(detector, photo)[:1]
    if not faces or not is_usable(faces[0]):
        return []
    args = detector, teachers, painters, photo, faces[0], count, rng, PortraitDraw()
    return portrait_samples(*args)


def _smaller(photo: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    import cv2

    size = [max(1, round(side * factor)) for side in photo.shape[1::-1]]
    found: NDArray[np.uint8] = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    return found


def _write(path: Path, samples: list[Arrays]) -> None:
    arrays = {
        name: np.stack([sample[name] for sample in samples])
        if samples
        else np.zeros((0, *(max(side, 0) for side in shape)), kind)
        for name, (kind, shape) in ARRAYS.items()
    }
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def main(
    photos: Annotated[list[Path], typer.Option(help="Folders of portraits.")],
    weights: Annotated[Path, typer.Option(help="Folder of shading and key weights that teach.")],
    out: Annotated[Path, typer.Option(help="Folder for the samples.")],
    samples: Annotated[int, typer.Option(min=1, help="Of a portrait.")] = 4,
    quotient: Annotated[
        Path | None, typer.Option(help="Folder of quotient weights that teach the key too.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Make samples from portraits."""
    console = Console(stderr=True)
    with plain_errors(), closing(Perception()) as detector, closing(TfliteStages()) as base:
        painters: list[Stages] = [split_stages(base, weights), FormulaStages(base)]
        teachers = list(painters)
        if quotient is not None:
            network = load_network("quotient", quotient)
            teachers.append(QuotientStages(base, {"quotient": network}))
        paths = portrait_paths(photos)
        if not paths:
            raise PhotoError(f"{', '.join(map(str, photos))}: no photos here")
        out.mkdir(parents=True, exist_ok=True)
        made = 0
        for path in track(paths, "Sampling", console=console, transient=True):
            target = out / f"{path.stem}-{seed}.npz"
            if target.exists():
                continue
            try:
                args = detector, teachers, painters, samples, seed
                found = samples_of(path, *args)
            except RelightError as error:
                console.print(f"{error}")
                found = []
            _write(target, found)
            made += len(found)
        console.print(f"{made} samples")


if __name__ == "__main__":
    typer.run(main)
