# SPDX-License-Identifier: Apache-2.0
"""Pictures as files: OpenEXR and Radiance for linear light, PNG of 16 bits for viewing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import SynthError
from relight.color import linear_to_srgb
from relight.photo import hdr
from relight.storage import whole_file

SUFFIXES = (".exr", ".hdr", ".png")


class PictureError(SynthError):
    """A picture cannot be written."""


def save_picture(linear: NDArray[Any], path: str | os.PathLike[str]) -> Path:
    """Write a picture completely or not at all.

    Args:
        linear: ``(H, W, 3)`` linear sRGB primaries, or ``(H, W)`` grey.
        path: ``.exr`` and ``.hdr`` keep the linear values in 32-bit floats; ``.png`` holds sRGB in
            16 bits, cut at white.

    Raises:
        PictureError: for another suffix, or if the file cannot be written.
        EnvironmentFileError: if OpenEXR is not installed and ``.exr`` is asked for.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise PictureError(f"{path}: pictures are saved as {', '.join(SUFFIXES)}; name such a file")
    pixels = np.asarray(linear, np.float32)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, 2)
    if path.suffix.lower() == ".png":
        return write_png(path, np.clip(linear_to_srgb(pixels), 0, 1), 16)
    return _written(path, lambda temporary: hdr.write(temporary, pixels))


def write_png(path: Path, values: NDArray[Any], bits: int = 8) -> Path:
    """Write values in [0, 1], ``(H, W)`` or ``(H, W, 3)``, as they are.

    Raises:
        PictureError: if the file cannot be written.
    """
    return _written(path, lambda temporary: temporary.write_bytes(png_bytes(values, bits)))


def png_bytes(values: NDArray[Any], bits: int = 8) -> bytes:
    """A PNG of values in [0, 1], or of bytes; ``(H, W)`` or ``(H, W, 3)``."""
    import cv2

    if values.dtype != np.uint8:
        depth: type[np.unsignedinteger[Any]] = np.uint16 if bits == 16 else np.uint8
        values = np.rint(values * np.float32(np.iinfo(depth).max)).astype(depth)
    _, data = cv2.imencode(
        ".png", np.ascontiguousarray(values[..., ::-1] if values.ndim == 3 else values)
    )
    return data.tobytes()


def _written(path: Path, write: Any) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            write(temporary)
    except OSError as error:
        raise PictureError(
            f"{path}: cannot be written ({error.strerror or error}); free space or choose another"
            " folder"
        ) from error
    return path
