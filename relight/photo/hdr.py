# SPDX-License-Identifier: Apache-2.0
"""Pixels of high dynamic range files: Radiance .hdr and OpenEXR .exr."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.error import EnvironmentFileError
from relight.models.stderr import muffled

Float = NDArray[np.float32]

_NOISE = re.compile(rb"")
"""Hides what OpenCV and OpenEXR log about a broken file: our error says enough."""


def read(path: Path) -> Float:
    """Pixels ``(H, W, 3)`` float32 RGB of a .hdr or .exr file; alpha is dropped, grey repeated.

    Raises:
        EnvironmentFileError: if it is missing, of another kind, or damaged.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".hdr":
            import cv2

            encoded = np.frombuffer(path.read_bytes(), np.uint8)
            with muffled(_NOISE):
                pixels = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
            if pixels is None or pixels.dtype != np.float32 or pixels.ndim != 3:
                raise EnvironmentFileError(
                    f"{path}: not a complete Radiance .hdr file; save it again"
                )
            return np.ascontiguousarray(pixels[..., ::-1])
        if suffix == ".exr":
            return _read_exr(path)
    except OSError as error:
        raise EnvironmentFileError(f"{path}: {error.strerror or error}") from error
    raise EnvironmentFileError(f"{path}: an environment map is a .hdr or .exr file")


def _read_exr(path: Path) -> Float:
    path.open("rb").close()  # raises a plain OSError for a missing file
    OpenEXR = _openexr(path)
    try:
        # OpenEXR prints what is wrong with a file on stderr and on stdout.
        silent = contextlib.redirect_stdout(io.StringIO())
        with muffled(_NOISE), silent, OpenEXR.File(str(path)) as file:
            # Closing the file empties its channels, so copy what is needed.
            channels = {
                name: np.array(channel.pixels, np.float32)
                for name, channel in file.channels().items()
                if name in ("RGB", "RGBA", "Y")
            }
            names = ", ".join(file.channels())
    except (RuntimeError, ValueError, TypeError) as error:
        raise EnvironmentFileError(f"{path}: not a complete OpenEXR file; save it again") from error
    for name in ("RGB", "RGBA"):
        if name in channels:
            return channels[name][..., :3]
    if "Y" in channels:
        return np.repeat(channels["Y"][..., None], 3, 2)
    raise EnvironmentFileError(f"{path}: has no R, G and B channels, only {names or 'none'}")


def _openexr(path: Path) -> Any:
    """The module that reads and writes .exr files, which not everybody needs."""
    try:
        import OpenEXR
    except ImportError as error:
        raise EnvironmentFileError(
            f"{path}: needs OpenEXR: pip install 'portrait-relight[exr]'"
        ) from error
    return OpenEXR


def write(path: Path, data: Float) -> None:
    """Write pixels ``(H, W, 3)`` float32 RGB as 32-bit float .exr, or else as Radiance .hdr.

    Raises:
        OSError: if the file cannot be written.
        EnvironmentFileError: if what writes .exr files is not installed.
    """
    if path.suffix.lower() == ".exr":
        OpenEXR = _openexr(path)
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        with OpenEXR.File(header, {"RGB": np.ascontiguousarray(data)}) as file:
            try:
                file.write(str(path))
            except RuntimeError as error:
                raise OSError(str(error)) from error
        return
    import cv2

    _, encoded = cv2.imencode(".hdr", np.ascontiguousarray(data[..., ::-1]))
    path.write_bytes(encoded.tobytes())
