# SPDX-License-Identifier: Apache-2.0
"""Photos to verify and calibrate with: the example, a folder's, and rendered people."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_synth.run.dataset import Dataset, render_dataset
from data_synth.run.field import Field
from data_synth.run.plan import Plan
from data_synth.sample.illumination import EnvironmentBank
from data_synth.sample.pair import PairMaker
from data_synth.sample.pair_ranges import PairRanges
from data_synth.stage.render import RenderSettings
from export.error import ExportError
from relight import load_photo

Image = NDArray[np.uint8]

EXAMPLE = Path(__file__).parents[2] / "examples" / "astronaut.png"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"})
MAPS = 40
"""Number of environment maps that light the synthetic photos."""


@dataclass(frozen=True)
class SampleConfig:
    """How many synthetic photos are made.

    Attributes:
        verified: photos to compare on.
        calibrated: photos that int8 ranges are read from, of other people.
        side: of a photo, pixels.
        pairs: photos made of one view.
        subjects: people rendered when there is no dataset.
        cameras: views of each of them.
        lights: of the rig they stand in.
        size: of their views in pixels.
        seed: of all randomness.
    """

    verified: int = 8
    calibrated: int = 48
    side: int = 256
    pairs: int = 8
    subjects: int = 4
    cameras: int = 3
    lights: int = 64
    size: int = 192
    seed: int = 0


def real_photos(folder: Path | None) -> dict[str, Image]:
    """The example, and the photos of a folder: ``(H, W, 3)`` uint8 sRGB by file name.

    Raises:
        ExportError: if the folder holds none.
        PhotoError: if one cannot be read.
    """
    paths = [EXAMPLE]
    if folder is not None:
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        found = [path for path in found if path.suffix.lower() in SUFFIXES]
        if not found:
            raise ExportError(f"{folder}: holds no photos; give a folder of JPEG or PNG portraits")
        paths += found
    return {path.name: load_photo(path).rgb8 for path in paths}


def synthetic_photos(root: Path, config: SampleConfig) -> tuple[dict[str, Image], dict[str, Image]]:
    """Photos of rendered people: to verify with, and to calibrate with.

    Args:
        root: a dataset made by ``python -m data_synth render``.
        config: how many.

    Returns:
        Two sets of ``(256, 256, 3)`` uint8 sRGB by name; nobody is in both.

    Raises:
        FieldError: if the dataset is missing or damaged.
        ExportError: if it holds one person only.
    """
    people = list(Dataset(root).by_subject().values())
    if len(people) < 2:
        raise ExportError(f"{root}: one person is not enough; render at least two")
    bank = EnvironmentBank.make(MAPS, np.random.default_rng(config.seed))
    kept = max(1, len(people) // 4)
    return (
        _photos(people[:kept], bank, config, config.verified),
        _photos(people[kept:], bank, config, config.calibrated),
    )


@contextmanager
def rendered_people(config: SampleConfig) -> Iterator[Path]:
    """A small dataset of built-in people, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(
            out=Path(folder),
            subjects=config.subjects,
            cameras=config.cameras,
            lights=config.lights,
            seed=config.seed,
            settings=RenderSettings(size=config.size, samples=1),
        )
        for _ in render_dataset(plan):
            pass
        yield plan.out


def _photos(
    people: list[list[Path]], bank: EnvironmentBank, config: SampleConfig, count: int
) -> dict[str, Image]:
    rng = np.random.default_rng([config.seed, count])
    # Person by person, so that few photos show many.
    views = [view for turn in range(max(map(len, people))) for p in people for view in p[turn:][:1]]
    ranges = PairRanges(resolution=config.side)
    photos: dict[str, Image] = {}
    pairs, turn = min(config.pairs, -(-count // len(views))), 0
    while len(photos) < count:
        view = views[turn % len(views)]
        made = PairMaker(Field.load(view), bank, ranges).make(pairs, rng)
        for i, photo in enumerate(made.photo[: count - len(photos)]):
            photos[f"{view.parent.name} {view.name} {turn}.{i}"] = photo
        turn += 1
    return photos
