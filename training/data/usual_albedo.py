# SPDX-License-Identifier: Apache-2.0
"""The albedo that faces have in common: how dark brows, eyes and lips usually are, by landmark.

``python -m training.data.usual_albedo --photos DIR --template FILE`` looks at the frontal faces of
folders of portraits and writes ``log_albedo`` into relight/face/face_template.json. A face's albedo
is taken to be the photo over the shading that the shading network finds there, the same on both
halves; of all faces the median counts.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from relight import Relighter, load_photo
from relight.error import PhotoError, RelightError, plain_errors
from relight.face.mesh import POINTS
from relight.face.mirror import partners
from relight.stage.fine_shading import log_brightness
from relight.stage.quotient import between, shading_inputs
from relight.stage.stages import NetworkStages
from relight.stage.tflite import TfliteStages
from relight.stage.view import SIDE
from relight.storage import whole_file
from training.data.skin_table import is_frontal, portrait_paths

Float = NDArray[np.float32]

FEWEST = 20
"""Faces of which a median is no one person's albedo."""


def log_albedo(linear: Float, log_shading: Float, landmarks: Float) -> Float:
    """Natural logarithm ``(468,)`` of a face's albedo at its landmarks, against the face's median.

    Args:
        linear: ``(R, R, 3)`` its crop in linear light.
        log_shading: ``(R, R, 3)`` natural logarithm of the shading of the light already there.
        landmarks: ``(468+, 2+)`` in pixels of the crop.
    """
    import cv2

    seen = log_brightness(linear) - log_shading.mean(-1)
    x, y = landmarks[:POINTS, :2].T.astype(np.float32) - np.float32(0.5)
    found = cv2.remap(seen, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
    found = (found + found[partners()]) / 2
    return np.asarray(found - np.median(found), np.float32)


def faces_albedo(path: Path, relighter: Relighter, stages: NetworkStages) -> Float | None:
    """:func:`log_albedo` of a photo's largest face; ``None`` if it shows no frontal one.

    Raises:
        PhotoError: if it cannot be read.
    """
    rgb = load_photo(path).rgb8
    faces = relighter.find_faces(rgb)
    if not faces or not is_frontal(faces[0]):
        return None
    analysis = relighter.analyze(rgb, faces[0])
    view, surface = analysis.view, between(analysis.view, analysis.crop_normals)
    inputs = shading_inputs(view, surface, analysis.crop_environment)
    found = stages.ask("shading", inputs, view.mirrored)["log_shading"]
    return log_albedo(view.linear, found, faces[0].crop_landmarks(SIDE))


def main(
    photos: Annotated[list[Path], typer.Option(help="Folders of portraits.")],
    template: Annotated[Path, typer.Option(help="The face template to write it into.")],
) -> None:
    """Take the usual albedo of faces from portraits."""
    console, found = Console(stderr=True), []
    with plain_errors(), closing(TfliteStages()) as stages, Relighter(models=stages) as relighter:
        data = json.loads(template.read_text("utf-8"))
        paths = portrait_paths(photos)
        for path in track(paths, "Looking", console=console, transient=True):
            try:
                albedo = faces_albedo(path, relighter, stages)
            except RelightError as error:
                console.print(f"{error}")
                continue
            if albedo is not None:
                found.append(albedo)
        if len(found) < FEWEST:
            raise PhotoError(
                f"{', '.join(map(str, photos))}: {len(found)} frontal faces, at least {FEWEST} "
                "are needed"
            )
        usual = np.median(found, 0).astype(float)
        data["log_albedo"] = np.round(usual, 3).tolist()
        with whole_file(template) as out:
            out.write_text(json.dumps(data).replace("], [", "],\n[") + "\n", "utf-8")
    console.print(f"{len(found)} faces")


if __name__ == "__main__":
    typer.run(main)
