# SPDX-License-Identifier: Apache-2.0
"""ICC profiles: those that we embed, and converting pixels of any other to sRGB.

References: ICC.1:2022, IEC 61966-2-1:1999 (sRGB).
"""

from __future__ import annotations

import contextlib
import functools
import io
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from relight.color import linear_to_srgb
from relight.error import reason

WHITE_D50 = (0.96420, 1.0, 0.82491)
"""XYZ of the white that profiles refer to."""
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
"""XYZ to the cone responses that white is adapted in (ICC.1 Annex E)."""
# Columns: the primaries as XYZ, adapted to D50 (ICC.1 Annex E, Bradford).
SRGB_PRIMARIES = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
_ADOBE_RGB = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
_D65_TO_D50 = (1.04788, 0.02292, -0.05022, 0.02959, 0.99048, -0.01707, -0.00925, 0.01508, 0.75168)
SRGB_CURVE = (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""Parametric curve: its type in ICC.1, then its numbers."""
_ADOBE_CURVE = (0, 563 / 256)
_Profile = tuple[NDArray[np.float64] | None, list[NDArray[np.float64]]]


@functools.cache
def srgb_profile(grey: bool = False) -> bytes:
    """The sRGB profile, or one for grey pixels with the sRGB transfer function (ICC 4.3)."""
    return build_profile(
        "sRGB grey" if grey else "sRGB", None if grey else SRGB_PRIMARIES, SRGB_CURVE
    )


@functools.cache
def adobe_rgb_profile() -> bytes:
    """Profile of the colour space that cameras call Adobe RGB and name in EXIF only."""
    return build_profile("Adobe RGB compatible", _ADOBE_RGB, _ADOBE_CURVE)


def build_profile(
    name: str, primaries: NDArray[np.float64] | None, curve: tuple[float, ...] | bytes
) -> bytes:
    """A display profile (ICC 4.3).

    Args:
        name: its description.
        primaries: columns are XYZ of red, green and blue, adapted to D50; None for grey.
        curve: of all channels: a parametric curve's type and its numbers, or a profile's tag.
    """

    def fixed(kind: bytes, values: Sequence[float]) -> bytes:
        return (
            kind + bytes(4) + struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))
        )

    def text(words: str) -> bytes:
        encoded = words.encode("utf-16-be")
        return b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded

    trc = curve
    if not isinstance(trc, bytes):
        trc = b"para" + struct.pack(">4xHxx", int(trc[0])) + fixed(b"", trc[1:])[4:]
    tags = {
        b"desc": text(name),
        b"cprt": text("No copyright, use freely"),
        b"wtpt": fixed(b"XYZ ", WHITE_D50),
        b"chad": fixed(b"sf32", _D65_TO_D50),
    }
    if primaries is None:
        tags[b"kTRC"] = trc
    else:
        for channel, colorant in zip(b"rgb", primaries.T, strict=True):
            tags[bytes([channel]) + b"XYZ"] = fixed(b"XYZ ", colorant.tolist())
            tags[bytes([channel]) + b"TRC"] = trc
    offset, table, body = 132 + 12 * len(tags), b"", b""
    for tag, value in tags.items():
        table += struct.pack(">4sII", tag, offset + len(body), len(value))
        body += value.ljust(-len(value) % 4 + len(value), b"\0")
    space = b"RGB " if primaries is not None else b"GRAY"
    date = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    header = struct.pack(
        ">I4s4s4s4s4s", offset + len(body), b"", b"\4\x30\0\0", b"mntr", space, b"XYZ "
    )
    header += date + b"acsp" + bytes(28) + fixed(b"", WHITE_D50)[4:]
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def parse_profile(profile: bytes, points: int) -> _Profile | None:
    """Primaries (None for grey) and sampled curves; None if it is no matrix or grey profile."""
    try:
        space, connection, tags = profile[16:20], profile[20:24], _tags(profile)
        # Lookup tables, if present, take precedence over matrix and curves.
        if connection != b"XYZ " or any(tag[:3] in (b"A2B", b"D2B") for tag in tags):
            return None
        if space == b"GRAY":
            return None, [_sample_curve(tags[b"kTRC"], points)]
        if space != b"RGB ":
            return None
        columns = [struct.unpack_from(">3i", tags[c + b"XYZ"], 8) for c in (b"r", b"g", b"b")]
        curves = [_sample_curve(tags[c + b"TRC"], points) for c in (b"r", b"g", b"b")]
        return np.array(columns, np.float64).T / 65536, curves
    except (struct.error, KeyError, ValueError, IndexError):
        return None


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    tags: dict[bytes, bytes] = {}
    for index in range(min(count, 100)):
        tag, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        tags[tag] = profile[offset : offset + size]
    return tags


def curve_tag(profile: bytes) -> bytes:
    """The curve of a grey profile, or green's of an RGB one, as its tag has it."""
    tags = _tags(profile)
    return tags.get(b"kTRC") or tags[b"gTRC"]


def profile_name(profile: bytes) -> str:
    """What a profile calls itself, in one line."""
    from PIL import ImageCms

    with contextlib.suppress(ImageCms.PyCMSError, OSError, TypeError, ValueError):
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return " ".join(ImageCms.getProfileDescription(opened).split())
    return "unnamed"


def _sample_curve(tag: bytes, points: int) -> NDArray[np.float64]:
    x = np.linspace(0.0, 1.0, points)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return x
        table = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count == 1:
            return np.power(x, table[0] / 256)
        return np.interp(x, np.linspace(0.0, 1.0, count), table / 65535)
    if tag[:4] != b"para":
        raise ValueError("unknown curve type")
    (kind,) = struct.unpack_from(">H", tag, 8)
    number = (1, 3, 4, 5, 7)[kind]
    values = [v / 65536 for v in struct.unpack_from(f">{number}i", tag, 12)]
    gamma, a, b, c, d, e, f = (values + [0.0] * 6)[:7]
    if kind == 0:
        return np.power(x, gamma)
    if kind in (1, 2):  # constant below the power law
        c, d, e, f = 0.0, -b / a, c, c
    return np.where(x >= d, np.maximum(a * x + b, 0.0) ** gamma + e, c * x + f)


def is_srgb(profile: bytes) -> bool:
    """Whether a profile is sRGB (or grey with its curve) to within one 8-bit step."""
    parsed = parse_profile(profile, 256)
    if parsed is None:
        return False
    primaries, curves = parsed
    x = np.linspace(0.0, 1.0, 256)
    if any(np.abs(linear_to_srgb(curve) - x).max() > 1 / 255 for curve in curves):
        return False
    return primaries is None or bool(
        np.abs(np.linalg.solve(SRGB_PRIMARIES, primaries) - np.eye(3)).max() < 5e-3
    )


def convert_16_bit(pixels: NDArray[np.uint16], profile: bytes) -> NDArray[np.uint16] | None:
    """Convert 16-bit pixels to sRGB through a matrix or grey profile.

    Args:
        pixels: uint16 HxWx3 in the colours of the profile.
        profile: ICC profile.

    Returns:
        uint16 HxWx3 sRGB, relative colorimetric, out-of-gamut colours clipped per channel; None
        if the profile does not consist of curves and a matrix.
    """
    parsed = parse_profile(profile, 65536)
    if parsed is None:
        return None
    primaries, curves = parsed
    tables = [curve.astype(np.float32) for curve in (curves if len(curves) == 3 else curves * 3)]
    matrix = np.eye(3) if primaries is None else np.linalg.solve(SRGB_PRIMARIES, primaries)
    result = np.empty_like(pixels)
    for row in range(0, len(pixels), 64):  # in bands, since floats need much memory
        band = pixels[row : row + 64]
        linear = np.stack([tables[c][band[..., c]] for c in range(3)], axis=-1)
        encoded = linear_to_srgb(linear @ matrix.T.astype(np.float32))
        result[row : row + 64] = np.minimum(encoded, 1) * 65535 + 0.5
    return result


def convert_image(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert 8-bit pixels to sRGB with LittleCMS.

    Args:
        image: L, RGB or CMYK in the colours of the profile.
        profile: ICC profile of any kind.

    Returns:
        RGB, or L where the image was L.

    Raises:
        ValueError: a broken profile, or one for other pixels.
    """
    from PIL import ImageCms

    grey = image.mode == "L"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if grey and source.profile.xcolor_space.strip() == "RGB":
            image = image.convert("RGB")
        mode = "L" if image.mode == "L" else "RGB"
        transform = ImageCms.buildTransform(
            source,
            ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile(mode == "L"))),
            image.mode,
            mode,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            # LittleCMS's shortcut for grey is off by ten steps in the shadows of linear profiles.
            ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        converted = transform.apply(image)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        raise ValueError(reason(error)) from error
    return converted.getchannel("G") if grey and mode == "RGB" else converted
