# SPDX-License-Identifier: Apache-2.0
"""What real faces look like beside their light: brows, beards, lips and creases, laid on renders.

A rendered face's albedo is smoother than a real one's, and a network that has seen no other takes
real skin's pattern for shading. Here that pattern is taken from photos: the logarithm of the light
on the face mesh, the same on both halves (what is not is light), less all that varies smoothly with
the surface (which is light, or can be).

``python -m training.data.skin_table --photos DIR --out FILE`` keeps the most frontal, softly lit
faces of a folder.

Reference: Ramamoorthi & Hanrahan 2001, "An Efficient Representation for Irradiance Environment
Maps" (what light does to a smooth surface: nine numbers).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from relight import load_photo
from relight.color import srgb_to_linear
from relight.error import PhotoError, RelightError, plain_errors
from relight.face import search
from relight.face.face import Face
from relight.face.mesh import POINTS, rasterize, template, vertex_normals
from relight.face.perception import Perception
from relight.storage import whole_file
from training.analytic.spherical_harmonics import harmonics
from training.data.pattern import LARGEST, SIDE, places

Float = NDArray[np.float32]

BLACK = 0.01
"""Linear value below which a pixel's pattern is not told from noise."""
SMALLEST_FACE = 90
"""Faces narrower than this, in pixels, show no skin."""
MOST_TURNED = 0.94
"""Least cosine between the head's axis and the camera's."""
MOST_UNLIKE = 0.45
"""Largest mean difference, in logarithms, between the halves: a softly lit face."""


@functools.cache
def _layout() -> tuple[NDArray[np.bool_], NDArray[np.float64], Float]:
    """Which texels lie on the face, light's nine patterns there, and a soft rim."""
    import cv2

    normals = vertex_normals(template().vertices_cm, template().triangles)
    points = np.concatenate([places(), -template().vertices_cm[:, 2:]], 1)
    drawn, mask = rasterize(points, normals, SIDE)
    inner = cv2.erode(mask.astype(np.float32), np.ones((5, 5), np.uint8))
    return mask, harmonics(drawn), cv2.GaussianBlur(inner, (0, 0), 3.0) * mask


def pattern(rgb: NDArray[np.uint8], landmarks: Float) -> tuple[Float, float]:
    """A face's pattern, and how unlike its halves are.

    Args:
        rgb: the photo, ``(H, W, 3)`` uint8 sRGB.
        landmarks: ``(468+, 3)`` in its pixels.

    Returns:
        ``(96, 96, 3)`` float32 logarithms, 0 off the face, and the mean difference.
    """
    import cv2

    mask, light, rim = _layout()
    points = np.concatenate([places(), -template().vertices_cm[:, 2:]], 1)
    where, _ = rasterize(points, landmarks[:POINTS, :2], SIDE)
    scale = max(1.0, float(np.ptp(landmarks[:, 0])) / SIDE)
    smooth = cv2.GaussianBlur(rgb, (0, 0), 0.5 * scale) if scale > 1.2 else rgb
    x, y = where[..., 0] - 0.5, where[..., 1] - 0.5
    seen = cv2.remap(smooth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    bright = np.log(np.maximum(srgb_to_linear(seen.astype(np.float32) / 255), BLACK))
    odd = (bright - bright[:, ::-1]) / 2
    even = bright - odd
    basis = light[mask]
    weight = rim[mask][:, None]
    for _ in range(3):  # brows, lips and beards are not light
        gram = basis.T @ (basis * weight) + 1e-3 * np.eye(basis.shape[1])
        smooth_part = basis @ np.linalg.solve(gram, basis.T @ (even[mask] * weight))
        stray = np.abs(even[mask] - smooth_part).mean(-1, keepdims=True)
        weight = rim[mask][:, None] / (1 + (stray / 0.15) ** 2)
    result = np.zeros((SIDE, SIDE, 3), np.float32)
    result[mask] = np.clip(even[mask] - smooth_part, -LARGEST, LARGEST)
    return result * rim[..., None], float(np.abs(odd[mask]).mean())


def is_frontal(face: Face) -> bool:
    """Whether a face is large and looks at the camera."""
    return face.box[2] >= SMALLEST_FACE and float(face.head_pose[2, 2]) >= MOST_TURNED


def portrait_paths(folders: Iterable[Path]) -> list[Path]:
    """The files of folders of portraits, in order; tables that tell of them are left out.

    Raises:
        PhotoError: if a folder is missing.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise PhotoError(f"{folder}: no such folder; give one of portraits")
        found += sorted(path for path in folder.iterdir() if path.suffix != ".csv")
    return found


def main(
    photos: Annotated[list[Path], typer.Option(help="Folders of portraits.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    most: Annotated[int, typer.Option(min=1, help="Patterns to keep.")] = 400,
) -> None:
    """Take the pattern of real skin from portraits."""
    with plain_errors():
        paths = portrait_paths(photos)
    perception = Perception()
    kept: list[Float] = []
    for number, path in enumerate(paths):
        try:
            rgb = load_photo(path).rgb8
            faces = [face for face in search.find(perception, rgb)[:1] if is_frontal(face)]
        except RelightError as error:
            print(error)
            continue
        for face in faces:
            found, unlike = pattern(rgb, face.landmarks)
            if unlike < MOST_UNLIKE:
                kept.append(found)
        if number % 25 == 0:
            print(f"{number} photos, {len(kept)} patterns", flush=True)
            _save(out, kept)
        if len(kept) >= most:
            break
    _save(out, kept)
    perception.close()


def _save(out: Path, kept: list[Float]) -> None:
    codes = np.zeros((len(kept), SIDE, SIDE, 3), np.int8)
    if kept:
        codes = np.rint(np.stack(kept) * (127 / LARGEST)).astype(np.int8)
    with whole_file(out) as path, path.open("wb") as file:
        np.savez_compressed(file, codes=codes)


if __name__ == "__main__":
    typer.run(main)
