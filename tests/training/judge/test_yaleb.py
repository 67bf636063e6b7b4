# SPDX-License-Identifier: Apache-2.0
"""Reading Extended Yale B's layout, and photometric stereo on a surface that is known."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relight.error import RelightError
from relight.geometry import angle_between, direction
from training.judge.yaleb import (
    HARD_KINDS,
    MIXED_KINDS,
    Capture,
    DatasetError,
    as_photo,
    from_photo,
    load,
    photometric_stereo,
    stereo_doubt_deg,
)
from training.judge.yaleb import subjects as find_subjects

SIDE = 48
# The rig's directions: azimuth as in the file names (positive = image LEFT), elevation.
NAMED = [
    (a, e)
    for a in (-110, -85, -60, -50, -35, -20, -10, 0, 10, 20, 35, 50, 60, 85, 110)
    for e in (-35, -20, 0, 20, 45)
    if abs(a) < 100 or e == 0
] + [(-35, 65), (20, 85)]


def sphere() -> tuple[np.ndarray, np.ndarray]:
    """Normals of a sphere larger than the square, so that all of it faces the camera."""
    x = (np.arange(SIDE) + 0.5) / SIDE * 1.3 - 0.65
    x, y = np.meshgrid(x, -x)
    normals = np.stack([x, y, np.sqrt(1 - x**2 - y**2)], -1)
    albedo = 0.5 + 0.3 * (np.indices((SIDE, SIDE)).sum(0) // 8 % 2)
    return normals, albedo


def capture_name(subject: str, azimuth: int, elevation: int) -> str:
    return f"{subject}_P00A{azimuth:+04d}E{elevation:+03d}.pgm"


def write_pgm(path: Path, linear: np.ndarray) -> None:
    Image.fromarray((np.clip(linear, 0, 1) * 255 + 0.5).astype(np.uint8)).save(path)


def write_subject(root: Path, name: str = "yaleB01") -> Path:
    """A Lambert sphere under each lamp; a lamp whose name says image left lights image left."""
    folder = root / name
    folder.mkdir(parents=True)
    normals, albedo = sphere()
    for azimuth, elevation in NAMED:
        light = direction(np.radians(-azimuth), np.radians(elevation))
        write_pgm(
            folder / capture_name(name, azimuth, elevation),
            albedo * np.maximum(normals @ light, 0),
        )
    write_pgm(folder / f"{name}_P00_Ambient.pgm", np.full((SIDE * 2, SIDE * 3), 0.3))
    (folder / f"{name}_P00.info").write_text("list of the files")
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("CroppedYale")
    write_subject(base, "yaleB01")
    write_subject(base, "yaleB12")
    (base / "yaleB99.txt").write_text("no folder")
    return base


@pytest.fixture(scope="module")
def capture(root: Path) -> Capture:
    return load(root / "yaleB01")


def test_subjects_are_found_in_order_also_one_folder_up(root: Path) -> None:
    assert [p.name for p in find_subjects(root)] == ["yaleB01", "yaleB12"]


def test_subjects_are_found_inside_croppedyale(tmp_path: Path) -> None:
    (tmp_path / "CroppedYale" / "yaleB05").mkdir(parents=True)
    assert [p.name for p in find_subjects(tmp_path)] == ["yaleB05"]


def test_names_give_lights_with_positive_azimuth_at_image_right(capture: Capture) -> None:
    assert capture.name == "yaleB01"
    lit = capture.images.mean((1, 2)) > 0.02
    assert lit.all()  # shadowed captures are left out, the rest is there
    found = set(zip(capture.azimuths_deg, capture.elevations_deg, strict=True))
    assert found <= {(-a, e) for a, e in NAMED}
    assert len(found) == len(capture.images)
    right = capture.images[capture.azimuths_deg > 40].mean(0)
    assert right[:, SIDE // 2 :].mean() > 1.5 * right[:, : SIDE // 2].mean()
    np.testing.assert_allclose(np.linalg.norm(capture.lights, axis=1), 1, atol=1e-6)


def test_the_capture_without_a_lamp_is_left_out(capture: Capture) -> None:
    assert capture.images.shape[1:] == (SIDE, SIDE)
    assert 0 <= capture.images.min() <= capture.images.max() <= 1


def test_photometric_stereo_recovers_normals_and_albedo(capture: Capture) -> None:
    normals, albedo = photometric_stereo(capture)
    true_normals, true_albedo = sphere()
    assert normals.shape == (SIDE, SIDE, 3)
    error = np.degrees(angle_between(normals, true_normals))
    assert error.mean() < 1
    assert np.percentile(error, 99) < 3
    np.testing.assert_allclose(albedo, true_albedo, rtol=0.03)


def test_photometric_stereo_sees_past_shadows_and_glints(capture: Capture) -> None:
    spoilt = capture.images.copy()
    rng = np.random.default_rng(4)
    where = rng.uniform(size=spoilt.shape)
    spoilt[where < 0.1] = 0  # cast shadows
    spoilt[where > 0.95] = 1  # highlights
    normals, _ = photometric_stereo(
        Capture("spoilt", spoilt, capture.azimuths_deg, capture.elevations_deg)
    )
    assert np.degrees(angle_between(normals, sphere()[0])).mean() < 2


def test_a_lambert_surface_leaves_little_doubt_and_another_much(capture: Capture) -> None:
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    assert stereo_doubt_deg(capture, everywhere) < 2
    # Light that reaches round the edge, as under skin.
    wrapped = [
        0.6 * np.clip((sphere()[0] @ light + 0.5) / 1.5, 0, 1) ** 1.5 for light in capture.lights
    ]
    skin = dataclasses.replace(capture, images=np.array(wrapped, np.float32))
    assert stereo_doubt_deg(skin, everywhere) > 5


def test_faulty_captures_are_dropped(tmp_path: Path) -> None:
    folder = write_subject(tmp_path)
    whole = load(folder)
    dark = folder / capture_name("yaleB01", 10, 0)
    write_pgm(dark, np.zeros((SIDE, SIDE)))
    other_size = folder / capture_name("yaleB01", 20, 0)
    write_pgm(other_size, np.full((SIDE, SIDE + 4), 0.5))
    (folder / (capture_name("yaleB01", 0, 0) + ".bad")).write_bytes(b"as the data set marks them")
    kept = load(folder)
    assert len(kept.images) == len(whole.images) - 2
    lights = set(zip(kept.azimuths_deg, kept.elevations_deg, strict=True))
    assert (-10, 0) not in lights
    assert (-20, 0) not in lights


def test_photos_to_relight_are_lit_from_either_side(capture: Capture) -> None:
    photos = capture.photos()
    assert tuple(photos) == MIXED_KINDS + HARD_KINDS
    middle = SIDE // 2
    for side, brighter in (("left", slice(None, middle)), ("right", slice(middle, None))):
        darker = slice(middle, None) if side == "left" else slice(None, middle)
        assert photos[side][:, brighter].mean() > 1.2 * photos[side][:, darker].mean()
    np.testing.assert_allclose(photos["ambient"], capture.images.mean(0), rtol=1e-5)


def test_hard_photos_show_one_lamp_over_a_part_of_all(capture: Capture) -> None:
    photos, ambient = capture.photos(), capture.images.mean(0)
    for kind, azimuth, elevation, lamp, rest in (
        ("hard side", 60, 0, 1, 0.1),
        ("hard top", 35, 65, 1, 0.1),
        ("side lamp", 50, 0, 0.85, 0.15),
        ("top lamp", 0, 45, 0.85, 0.15),
    ):
        chosen = (capture.azimuths_deg == azimuth) & (capture.elevations_deg == elevation)
        assert chosen.sum() == 1
        expected = lamp * capture.images[chosen][0] + rest * ambient
        np.testing.assert_allclose(photos[kind], expected, atol=1e-6)


@pytest.mark.parametrize("kind", HARD_KINDS)
def test_a_hard_lamp_that_is_missing_is_named(capture: Capture, kind: str) -> None:
    aside, height = np.abs(capture.azimuths_deg), capture.elevations_deg
    keep = {
        "hard side": (aside < 60) | (aside > 70),
        "hard top": height < 60,
        "side lamp": (aside < 40) | (aside >= 60),
        "top lamp": (aside > 20) | (height < 30) | (height >= 60),
    }[kind]
    parts = (a[keep] for a in (capture.images, capture.azimuths_deg, capture.elevations_deg))
    with pytest.raises(DatasetError, match=f"yaleB07.*{kind}"):
        Capture("yaleB07", *parts).photos()


def test_a_side_without_lamps_is_named(capture: Capture) -> None:
    keep = capture.azimuths_deg > -40
    lacking = Capture(
        "yaleB07",
        capture.images[keep],
        capture.azimuths_deg[keep],
        capture.elevations_deg[keep],
    )
    with pytest.raises(DatasetError, match=r"yaleB07.*left"):
        lacking.photos()


def test_keys_are_the_lights_that_a_photographer_might_add(capture: Capture) -> None:
    chosen = capture.key_indices()
    assert len(chosen) > 0
    for index in range(len(capture.images)):
        azimuth, elevation = capture.azimuths_deg[index], capture.elevations_deg[index]
        wanted = 20 <= abs(azimuth) <= 50 and abs(elevation) <= 45
        assert (index in chosen) == wanted


def test_a_folder_without_subjects_says_what_to_give(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DatasetError, match="CroppedYale") as caught:
            find_subjects(place)
        assert str(place) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert isinstance(caught.value, RelightError)


def test_too_few_captures_are_counted(tmp_path: Path) -> None:
    folder = write_subject(tmp_path)
    for path in sorted(folder.glob("*A*E*.pgm"))[5:]:
        path.unlink()
    with pytest.raises(DatasetError, match=r"yaleB01: only \d captures"):
        load(folder)
    with pytest.raises(DatasetError, match="only 0 captures"):
        load(tmp_path / "yaleB44")


@pytest.mark.parametrize("content", [b"", b"P5\n", b"P5 48 48 255\n" + bytes(20), b"no picture"])
def test_a_broken_capture_is_named(tmp_path: Path, content: bytes) -> None:
    folder = write_subject(tmp_path)
    broken = folder / capture_name("yaleB01", 20, 20)
    broken.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        load(folder)
    assert broken.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_crop_made_a_photo_comes_back() -> None:
    y, x = np.mgrid[:192, :168]
    linear = (0.3 + 0.2 * np.sin(x / 20) * np.cos(y / 25)).astype(np.float32)
    photo = as_photo(linear)
    assert photo.dtype == np.uint8
    assert photo.ndim == 3
    assert photo.shape[2] == 3
    assert (photo[..., 0] == photo[..., 1]).all()
    back = from_photo(photo[..., 0].astype(np.float32) / 255)
    assert back.shape == linear.shape
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(back, encoded, atol=0.01)
