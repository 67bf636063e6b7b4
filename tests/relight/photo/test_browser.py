# SPDX-License-Identifier: Apache-2.0
"""Photos look as a browser shows them: Chromium is the oracle of PNG, JPEG, WebP and AVIF."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from photo_sample import P3, P3_PROFILE, matrix_profile, pillow_bytes, png_16, saved
from PIL import Image

from relight.photo.color.icc import SRGB_CURVE, adobe_rgb_profile, build_profile
from relight.photo.container import png
from relight.photo.file import load_photo

# Flat patches, so that nothing depends on how a decoder interpolates.
COLOURS = np.random.default_rng(3).integers(12, 244, (4, 6, 3), np.uint8)
PATCHES = COLOURS.repeat(16, 0).repeat(16, 1)
SHOW = """async (url) => {
  const image = new Image(); image.src = url; await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { colorSpace: "srgb" });
  context.drawImage(image, 0, 0);
  return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
}"""


def shown(page: Any, data: bytes, kind: str) -> np.ndarray:
    """Colours in the middle of the patches, as the browser shows them."""
    url = f"data:image/{kind.lower()};base64,{base64.b64encode(data).decode()}"
    values = np.array(page.evaluate(SHOW, url)).reshape(*PATCHES.shape[:2], 4)
    return values[8::16, 8::16, :3]


def chunk_files() -> dict[str, bytes]:
    plain = pillow_bytes(Image.fromarray(PATCHES), "PNG")
    srgb = (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    files = {
        f"PNG gAMA {gamma}": png.add_chunks(plain, [(b"gAMA", struct.pack(">I", gamma))])
        for gamma in (45455, 100000, 55556, 30000)
    }
    files["PNG gAMA and cHRM"] = png.add_chunks(plain, [(b"gAMA", struct.pack(">I", 50000)), srgb])
    for primaries, transfer in ((1, 13), (12, 13), (9, 13), (9, 14), (1, 8), (1, 4)):
        chunk = b"cICP", bytes([primaries, transfer, 0, 1])
        files[f"PNG cICP {primaries}/{transfer}"] = png.add_chunks(plain, [chunk])
    wide = (b"iCCP", b"x\0\0" + zlib.compress(P3_PROFILE))
    files["PNG of 16 bits, P3"] = png_16(PATCHES.astype(np.uint16) * 257, 2, wide)
    return files


PROFILES = {
    "P3": build_profile("P3", P3, SRGB_CURVE),
    "P3, gamma 2.2": matrix_profile(P3, 2.2),
    "Adobe RGB": adobe_rgb_profile(),
}
WRITTEN: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 100, "subsampling": 0},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}


def profile_files() -> dict[str, bytes]:
    return {
        f"{kind} {name}": pillow_bytes(
            Image.fromarray(PATCHES), kind, icc_profile=profile, **options
        )
        for kind, options in WRITTEN.items()
        if kind != "AVIF" or "AVIF" in Image.registered_extensions().values()
        for name, profile in PROFILES.items()
    }


@pytest.mark.slow
def test_photos_look_as_in_a_browser_before_and_after(browser: Any) -> None:
    page = browser.new_page()
    wrong = []
    for name, data in (chunk_files() | profile_files()).items():
        kind = name.split()[0]
        photo = load_photo(data)
        kept = load_photo(data, keep_profile=True)
        expected = shown(page, data, kind)
        allowed = {"JPEG": 3, "AVIF": 4}.get(kind, 2)
        for label, pixels in {
            "read": photo.rgb8[8::16, 8::16],
            "made sRGB": shown(page, saved(photo, "PNG"), "PNG"),
            "kept": shown(page, saved(kept, "PNG"), "PNG"),
        }.items():
            off = np.abs(pixels.astype(int) - expected).max()
            if off > allowed:
                wrong.append(f"{name}, {label}: off by {off}")
    page.close()
    assert wrong == []
