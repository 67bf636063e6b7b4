# SPDX-License-Identifier: Apache-2.0
"""What the command line keeps of a photo on request: its colours."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from command_line import KEY, Run
from photo_folder import pixels
from PIL import Image

from relight.photo.color.icc import adobe_rgb_profile


def in_adobe_rgb(portrait: Path) -> Path:
    path = portrait.with_name("adobe.png")
    Image.open(portrait).save(path, icc_profile=adobe_rgb_profile())
    return path


def profile_name(source: Path | bytes) -> bytes:
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        return image.info["icc_profile"]


def test_a_profile_is_kept_on_request(run: Run, portrait: Path) -> None:
    photo = in_adobe_rgb(portrait)
    kept, made = portrait.with_name("kept.png"), portrait.with_name("made.png")
    report = json.loads(run(photo, *KEY, "--json", "--keep-profile", "-o", kept).stdout)
    assert report["profile"] == "Adobe RGB compatible"
    assert profile_name(kept) == adobe_rgb_profile()
    np.testing.assert_array_equal(pixels(kept)[:100, :60], pixels(photo)[:100, :60])
    assert json.loads(run(photo, *KEY, "--json", "-o", made).stdout)["profile"] == "sRGB"
    assert profile_name(made) != adobe_rgb_profile()
    assert (pixels(made)[:, :60] != pixels(photo)[:, :60]).any()


def test_a_profile_is_kept_through_a_pipe(run: Run, portrait: Path) -> None:
    photo = in_adobe_rgb(portrait)
    done = run("-", "--strength", "0", "--keep-profile", input=photo.read_bytes())
    assert profile_name(done.stdout_bytes) == adobe_rgb_profile()
    np.testing.assert_array_equal(pixels(done.stdout_bytes), pixels(photo))


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_where_there_is_nothing_to_keep_the_photo_becomes_srgb(
    run: Run, portrait: Path, mode: str
) -> None:
    photo = portrait.with_name("photo.jpg")
    profile = b"damaged" if mode == "RGB" else adobe_rgb_profile()
    Image.open(portrait).convert(mode).save(photo, icc_profile=profile)
    done = run(photo, *KEY, "--json", "--keep-profile")
    report = json.loads(done.stdout)
    assert (done.exit_code, report["profile"]) == (0, "sRGB")
    assert len([line for line in report["warnings"] if str(photo) in line]) >= 1
