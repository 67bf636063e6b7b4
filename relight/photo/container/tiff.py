# SPDX-License-Identifier: Apache-2.0
"""TIFF files where Pillow is not enough: 16-bit samples, and directories for our own pixels.

Reference: TIFF 6.0.
"""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

_KEPT = (270, 271, 272, 305, 306, 315, 33432, 18246, *range(40091, 40096))
_DIRECTORIES = {0x8769: "camera settings", 0x8825: "GPS position"}
_INTEROPERABILITY = 0xA005
IPTC_TAG = 33723
_PIXEL_TAGS = {
    *range(254, 269), 273, 274, *range(277, 285), *range(288, 294), 296, 301, 317, 318, 319, 320,
    321, *range(322, 337), *range(338, 348), *range(512, 533), 559, 34377, 34675, 37724, 700,
    *_DIRECTORIES, _INTEROPERABILITY, *range(0xC612, 0xC800),
}  # fmt: skip
"""Tags that describe how pixels are stored, what they mean in another profile, where further
pictures and layers are, or what is kept elsewhere (XMP, ICC, EXIF)."""
_POINTER, _BYTES = 13, 7


def further_tags(image: TiffImagePlugin.TiffImageFile) -> tuple[tuple[int, int, Any], ...]:
    """Number, type and value of each tag that EXIF does not carry and that is still true."""
    directory = image.tag_v2
    kept = []
    for tag in directory:
        kind = directory.tagtype.get(tag, 0)
        if tag in _PIXEL_TAGS or tag in _KEPT or kind in (0, _POINTER):
            continue
        if tag == IPTC_TAG:  # some writers call its bytes 32-bit numbers
            kept.append((tag, _BYTES, bytes(directory._tagdata.get(tag, b""))))
            continue
        with contextlib.suppress(Exception):  # Pillow raises many kinds of error for odd tags
            kept.append((tag, kind, directory[tag]))
    return tuple(kept)


def unpack(
    rgb: NDArray[Any], alpha: NDArray[Any] | None, tags: dict[int, Any]
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Samples as they are stored -> colours and alpha, not premultiplied, by the file's tags."""
    if tags.get(262) == 0:  # white is zero
        rgb = np.invert(rgb)
    extra = (*tags.get(338, ()), 0)[0]
    if alpha is None or extra == 0:
        return rgb, None
    if extra == 1:  # premultiplied
        whole = np.maximum(alpha, 1).astype(np.uint32)[..., None]
        wide = rgb.astype(np.uint32) * 65535 + whole // 2
        rgb = np.minimum(wide // whole, 65535).astype(np.uint16)
    return rgb, alpha


def encode(
    pixels: NDArray[Any],
    tags: dict[int, Any],
    exif: bytes | None,
    kept: Sequence[tuple[int, int, Any]] = (),
    *,
    compress: bool,
) -> bytes:
    """Encode uint8 or uint16 HxWxC as TIFF, C = 1 (grey), 2 (with alpha), 3 (RGB) or 4 (RGBA).

    Args:
        pixels: the samples; alpha is not premultiplied.
        tags: further tags of the main directory (resolution, XMP, ICC).
        exif: EXIF to add; left out if Pillow cannot read it.
        kept: tags of the photo's file, as :func:`further_tags` gives them.
        compress: deflate with the horizontal predictor, lossless; otherwise uncompressed.
    """
    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    rows = max(1, (1 << 20) // (width * channels * bits // 8))
    strips: list[bytes] = []
    for row in range(0, height, rows):
        strip = pixels[row : row + rows].astype(pixels.dtype.newbyteorder("<"))
        if compress:
            strip[:, 1:] -= strip[:, :-1].copy()  # wraps around, as in TIFF 6.0 section 14
        strips.append(zlib.compress(strip.tobytes(), 4) if compress else strip.tobytes())
    sizes = [len(strip) for strip in strips]
    layout: dict[int, Any] = {
        256: width,
        257: height,
        258: (bits,) * channels,
        259: 8 if compress else 1,
        262: 2 if channels >= 3 else 1,
        273: tuple(int(n) for n in np.cumsum([0, *sizes[:-1]])),
        274: 1,
        277: channels,
        278: rows,
        279: tuple(sizes),
        284: 1,
    }
    if compress:
        layout[317] = 2
    if channels in (2, 4):
        layout[338] = 2
    layout.update(tags)
    head = io.BytesIO()
    try:
        _directory(tags_from_exif(exif), layout, kept).save(head)
    except Exception:  # Pillow raises many kinds of error for odd EXIF
        head = io.BytesIO()
        _directory({}, layout, ()).save(head)
    return b"".join([head.getvalue(), *strips])


def _directory(
    exif: dict[int, Any], layout: dict[int, Any], kept: Sequence[tuple[int, int, Any]]
) -> TiffImagePlugin.ImageFileDirectory_v2:
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    for tag, kind, value in kept:
        directory.tagtype[tag] = kind
        directory[tag] = value
    for tag, value in {**exif, **layout}.items():
        directory[tag] = value
    # Saving moves the offsets behind the directory, so they must be 32 bits wide.
    for tag in (273, 279):
        directory.tagtype[tag] = 4
    return directory


def describing_exif(exif: Image.Exif) -> tuple[bytes | None, list[str]]:
    """EXIF block of a TIFF without the tags that describe its pixels; None if nothing is left.

    Returns:
        The block, and the names of directories that could not be read.
    """
    found, broken = _describing_tags(exif)
    kept = Image.Exif()
    for tag, value in found.items():
        kept[tag] = value
    return kept.tobytes() if len(kept) else None, broken


def tags_from_exif(block: bytes | None) -> dict[int, Any]:
    """Tags of an EXIF block, without those that describe pixels; directories are nested.

    Raises:
        Exception: many kinds, which Pillow raises for odd EXIF.
    """
    if block is None:
        return {}
    exif = Image.Exif()
    exif.load(block)
    return _describing_tags(exif)[0]


def _describing_tags(exif: Image.Exif) -> tuple[dict[int, Any], list[str]]:
    found: dict[int, Any] = {tag: exif[tag] for tag in _KEPT if tag in exif}
    broken = []
    for pointer, name in _DIRECTORIES.items():
        try:
            values = dict(exif.get_ifd(pointer))
            if values.pop(_INTEROPERABILITY, None) and exif.get_ifd(_INTEROPERABILITY):
                values[_INTEROPERABILITY] = dict(exif.get_ifd(_INTEROPERABILITY))
        except Exception:  # Pillow raises many kinds of error for odd EXIF
            broken.append(name)
            continue
        if values:
            found[pointer] = values
        elif pointer in exif:
            broken.append(name)
    return found, broken
