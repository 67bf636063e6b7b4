# SPDX-License-Identifier: Apache-2.0
"""Whether a port sees and relights photos as Python does: photos handed over, results compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from relight import NoFaceError, PhotoError, Relighter, Result, load_photo
from training.judge.metric import psnr

Bytes = NDArray[np.uint8]


def examples(astronaut: Bytes) -> dict[str, Bytes]:
    """The example as it is and made difficult, and a photo of nobody."""
    whole = Image.fromarray(astronaut)
    return {
        "upright": astronaut,
        "rolled by 60": np.array(whole.rotate(60, Image.Resampling.BICUBIC)),
        "lying": np.ascontiguousarray(np.rot90(astronaut)),
        "upside down": np.ascontiguousarray(astronaut[::-1, ::-1]),
        "small": np.array(whole.resize((200, 190), Image.Resampling.LANCZOS)),
        "dark": (astronaut * 0.2).astype(np.uint8),
        "grey": np.repeat(np.array(whole.convert("L"))[..., None], 3, -1),
        "two": np.concatenate([astronaut, astronaut[:, ::-1]], 1),
        "nobody": np.full((120, 160, 3), 128, np.uint8),
    }


def read_photos(folder: Path) -> dict[str, Bytes]:
    """All photos of a folder."""
    photos = {}
    for path in sorted(folder.iterdir()):
        try:
            photos[path.name] = load_photo(path).rgb8
        except PhotoError:
            continue  # a list beside the photos
    return photos


def hand_over(photos: dict[str, Bytes], folder: Path) -> None:
    """Write photos for a port: NAME.rgb, and rows and columns in photos.json."""
    for name, pixels in photos.items():
        (folder / f"{name}.rgb").write_bytes(pixels.tobytes())
    sizes = {name: pixels.shape[:2] for name, pixels in photos.items()}
    (folder / "photos.json").write_text(json.dumps(sizes))


def take_back(photos: dict[str, Bytes], folder: Path) -> dict[str, Any]:
    """What a port wrote of each photo: lights, faces, image; None where it found no face."""
    found: dict[str, Any] = json.loads((folder / "found.json").read_text())
    for name, one in found.items():
        if one is not None:
            relit = np.fromfile(folder / f"{name}.relit.rgb", np.uint8)
            one["image"] = relit.reshape(photos[name].shape)
    return found


def check_all(relighter: Relighter, photos: dict[str, Bytes], found: dict[str, Any]) -> None:
    """Compare all photos with what Python makes of them, and print the numbers."""
    assert found.keys() == photos.keys()
    for name, pixels in photos.items():
        check(name, pythons(relighter, pixels), found[name])
    assert any(one is not None for one in found.values())


def check_examples(
    relighter: Relighter,
    astronaut: Bytes,
    port: Callable[[dict[str, Bytes]], dict[str, Any]],
) -> None:
    """Compare the example's variants with what a port makes of them."""
    photos = examples(astronaut)
    found = port(photos)
    check_all(relighter, photos, found)
    assert found["nobody"] is None
    assert len(found["two"]["faces"]) == 2


def pythons(relighter: Relighter, pixels: Bytes) -> Result | None:
    """A photo relit by Python; None where it finds no face."""
    try:
        return relighter.relight(pixels)
    except NoFaceError:
        return None


def check(name: str, ours: Result | None, port: dict[str, Any] | None) -> None:
    """The same faces and the same light, and pictures that nobody can tell apart."""
    if ours is None or port is None:
        assert ours is port, name
        print(f"{name}: no face")  # noqa: T201
        return
    light, other = ours.lights[0], port["lights"][0]
    apart = psnr(ours.image / 255, port["image"] / 255)
    moved = [
        np.abs(np.reshape(b["landmarks"], (-1, 3)) - a.landmarks)[:, :2].max() / a.box[2] * 256
        for a, b in zip(ours.faces, port["faces"], strict=True)
    ]
    print(  # noqa: T201
        f"{name}: {len(moved)} faces, landmarks {max(moved):.3f}/256 apart, azimuth"
        f" {light.azimuth_deg:.2f} and {other['azimuth_deg']:.2f}, intensity"
        f" {light.intensity:.4f} and {other['intensity']:.4f}, {apart:.1f} dB"
    )
    assert max(moved) < 0.5, name
    assert other["azimuth_deg"] == pytest.approx(light.azimuth_deg, abs=1), name
    assert other["elevation_deg"] == pytest.approx(light.elevation_deg, abs=1), name
    assert other["intensity"] == pytest.approx(light.intensity, rel=0.02, abs=1e-3), name
    assert apart >= 50, name
