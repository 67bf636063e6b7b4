# SPDX-License-Identifier: Apache-2.0
"""JPEG pixels: decoded into an array's own memory, encoded by two threads.

A restart marker lets the entropy code begin anew, so strips of whole blocks can be encoded side by
side; their codes one after another are the code of the picture, bit for bit.

Reference: ITU-T T.81 (JPEG), B.2.1 and F.1.2.
"""

from __future__ import annotations

import ctypes
import functools
import io
import mmap
import struct
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relight.photo.pixel import to_image
from relight.storage import kept_aside

THREADS = 2
STRIP = 512
"""Rows of a strip: it becomes a picture of its own before it is encoded, and few need memory at a
time. Lower pictures are one strip, and have no markers."""
BAND = 16
"""Rows of decoded pixels that lose their fourth sample at a time."""
AHEAD = 64
"""Bytes of pixels that memory is got for beforehand, for each of the file at most: half a bit a
pixel. Photos have more; a damaged file that claims to be huge takes no memory."""
POPULATE_WRITE = 23
"""Linux's advice, since 5.14, to get memory now that will be written to."""
MOST_BLOCKS = 65535
"""Between two markers: the file counts them in 16 bits."""
_BLOCKS = ((8, 8), (16, 8), (16, 16))
"""Columns and rows of a block of a picture in colour, by its subsampling."""
_FRAME, _SCAN = 0xC0, 0xDA
_RESTART, _END = 0xD0, b"\xff\xd9"


def decode(image: Image.Image, data: bytes) -> NDArray[np.uint8] | None:
    """Pixels ``(H, W, 3)`` of a file in colour, as Pillow decodes them, in half the time.

    Args:
        image: the file, opened and not loaded.
        data: the whole file.

    Returns:
        ``None`` for a file of another kind, or a damaged one: loading the image tells what it is.
    """
    plain = ("jpeg", (0, 0, *image.size), 0, ("RGB", ""))
    if image.mode != "RGB" or [tuple(tile) for tile in getattr(image, "tile", ())] != [plain]:
        return None
    # Into four samples a pixel, as Pillow keeps them, but in memory that costs less to get.
    pixels = np.empty((image.height, image.width, 4), np.uint8)
    try:
        mapped = _mapped(pixels)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_get_memory, pixels.reshape(-1)[: AHEAD * len(data)])
            mapped.frombytes(data, "jpeg", "RGBX", "")
    except (ValueError, OSError):
        return None
    if not mapped.readonly:  # a Pillow that wrote to memory of its own instead
        return None
    del mapped
    _drop_fourth(pixels)
    return pixels


def _get_memory(samples: NDArray[np.uint8]) -> None:
    """Let the system give an array's memory, while another thread writes to it; nothing is lost.

    Else it clears page by page as they are first touched, and the decoder waits for each.
    """
    if sys.platform == "linux":
        start = -(-samples.ctypes.data // mmap.PAGESIZE) * mmap.PAGESIZE
        size = samples.ctypes.data + samples.nbytes - start
        if size > 0:  # a system that does not know the advice does nothing
            madvise = ctypes.CDLL(None).madvise
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), POPULATE_WRITE)


def _drop_fourth(pixels: NDArray[np.uint8]) -> None:
    """Make ``(H, W, 4)`` samples ``(H, W, 3)`` where they lie: a large photo has no room twice.

    Args:
        pixels: an array that owns its memory and shares it with no other.
    """
    import cv2

    height, width = pixels.shape[:2]
    for row in range(0, height, BAND):
        band = pixels[row : row + BAND]
        first = row * width * 3
        into = pixels.reshape(-1)[first : first + band.size // 4 * 3].reshape(-1, width, 3)
        if row >= 3 * BAND:  # it ends before the band begins
            cv2.cvtColor(band, cv2.COLOR_RGBA2RGB, dst=into)
        else:
            into[:] = cv2.cvtColor(band, cv2.COLOR_RGBA2RGB)
    pixels.resize((height, width, 3), refcheck=False)


def encode(
    samples: NDArray[np.uint8],
    *,
    subsampling: int = 0,
    progressive: bool = False,
    told: dict[str, Any],
    **options: Any,
) -> bytes:
    """Encode a picture as a whole file; in colour, with two threads.

    Args:
        samples: ``(H, W, 1)`` grey or ``(H, W, 3)`` RGB.
        subsampling: 0 = 4:4:4, 1 = 4:2:2, 2 = 4:2:0.
        progressive: whether the file is progressive, which takes one thread.
        told: Pillow's options that say something of the picture, once a file.
        options: Pillow's options that say how it is encoded.
    """
    height, width, channels = samples.shape
    columns, rows = _BLOCKS[subsampling] if channels == 3 else _BLOCKS[0]
    across = -(-width // columns)
    strip = min(STRIP, MOST_BLOCKS // across * rows)
    options |= {"subsampling": subsampling, "progressive": progressive}
    if progressive or height <= strip:
        return _encoded(samples, options | told)
    options["restart_marker_blocks"] = across * (strip // rows)
    parts = [samples[row : row + strip] for row in range(strip, height, strip)]
    with ThreadPoolExecutor(THREADS) as pool:
        first = pool.submit(_encoded, samples[:strip], options | told)
        others = pool.map(functools.partial(_encoded, options=options), parts)
        return _joined(first.result(), others, height)


def _joined(head: bytes, others: Iterator[bytes], height: int) -> bytes:
    """The file of a picture, of those of its strips."""
    whole = bytearray(head.removesuffix(_END))
    struct.pack_into(">H", whole, _segment(head, _FRAME) + 5, height)
    for number, part in enumerate(others):
        scan = _segment(part, _SCAN)
        (size,) = struct.unpack_from(">H", part, scan + 2)
        whole += bytes((0xFF, _RESTART + number % 8))
        whole += part[scan + 2 + size :].removesuffix(_END)
    return bytes(whole + _END)


def _segment(jpeg: bytes, marker: int) -> int:
    """Where the first segment with a marker begins, of those at the head of a file."""
    at = 2
    while jpeg[at + 1] != marker:
        at += 2 + struct.unpack_from(">H", jpeg, at + 2)[0]
    return at


def _encoded(samples: NDArray[np.uint8], options: dict[str, Any]) -> bytes:
    image = _to_jpeg_image(samples)
    with _file() as file:
        image.save(file, "JPEG", **options)
        file.seek(0)
        return file.read()


def _file() -> BinaryIO:
    """Where Pillow writes: it lets other threads work meanwhile only if the system knows it."""
    try:
        return kept_aside()
    except OSError:
        return io.BytesIO()


def _to_jpeg_image(samples: NDArray[np.uint8]) -> Image.Image:
    """L or RGB in the layout that Pillow writes as JPEG without a copy, four times as fast."""
    import cv2

    height, width, channels = samples.shape
    if channels == 1:
        return to_image(samples)
    pixels = np.empty((height, width, 4), np.uint8)
    cv2.cvtColor(samples, cv2.COLOR_RGB2RGBA, dst=pixels)
    return _mapped(pixels)


def _mapped(pixels: NDArray[np.uint8]) -> Image.Image:
    """An image whose memory is that of ``(H, W, 4)`` pixels."""
    return Image.frombuffer("RGBX", pixels.shape[1::-1], pixels, "raw", "RGBX", 0, 1)
