# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip("scipy")

from data_synth.error import AssetError
from data_synth.sample.illumination import (
    HEIGHT,
    KINDS,
    EnvironmentBank,
    EnvironmentRanges,
    Projector,
    lamp,
    light_color,
    make_environment,
)
from data_synth.stage.rig import Camera, Rig
from relight.color import luminance
from relight.environment import Environment, directions, solid_angles
from relight.error import EnvironmentFileError

RIG = Rig.make()


@pytest.mark.parametrize("kind", KINDS)
def test_procedural_maps_are_light(kind):
    for seed in range(8):
        image = make_environment(kind, np.random.default_rng(seed))
        assert image.shape == (HEIGHT, 2 * HEIGHT, 3)
        assert np.isfinite(image).all()
        assert (image >= 0).all()
        assert image.max() > 0
        again = make_environment(kind, np.random.default_rng(seed))
        assert (image == again).all()


def test_weights_keep_all_power():
    image = make_environment("studio", np.random.default_rng(0))
    weights = Projector(RIG.lights).weights(image)
    np.testing.assert_allclose(weights.sum(0), Environment(image).power(), rtol=1e-4)


def test_even_light_weighs_each_light_by_its_cell():
    even = np.ones((HEIGHT, 2 * HEIGHT, 3), np.float32)
    weights = Projector(RIG.lights).weights(even)
    np.testing.assert_allclose(weights[:, 0].mean(), RIG.solid_angles.mean(), rtol=1e-4)
    assert np.abs(weights[:, 0] / RIG.solid_angles - 1).mean() < 0.1


def test_a_bright_pixel_goes_to_the_nearest_light():
    image = np.zeros((HEIGHT, 2 * HEIGHT, 3), np.float32)
    image[20, 31] = 5
    weights = Projector(RIG.lights).weights(image)
    towards = directions(HEIGHT)[20, 31]
    assert np.flatnonzero(weights[:, 0]).tolist() == [int(np.argmax(RIG.lights @ towards))]


def test_map_in_the_cameras_frame_keeps_power_and_turns_with_the_camera():
    image = lamp(np.array([0.0, 0.0, 1.0], np.float32), 0.15) * np.ones(3, np.float32)
    projector = Projector(RIG.lights)
    camera = Camera(azimuth_deg=50, elevation_deg=10)
    seen = projector.in_camera(camera.rotation, 16)(image)
    found = Environment(seen).dominant_direction()
    np.testing.assert_allclose(found, camera.to_camera([0, 0, 1]), atol=0.05)
    assert Environment(seen).power()[0] == pytest.approx(1, rel=0.05)
    frontal = projector.in_camera(np.eye(3), 16)(image)
    np.testing.assert_allclose(frontal, Environment(image).resample(16).data, atol=1e-4)
    even = np.ones((HEIGHT, 2 * HEIGHT, 3), np.float32)
    np.testing.assert_allclose(projector.in_camera(camera.rotation, 16)(even), 1, rtol=1e-4)


def test_lamp_has_unit_power():
    for radius in (0.03, 0.3):
        image = lamp(np.array([0.6, 0.8, 0.0], np.float32), radius)
        assert float((image[..., 0] * solid_angles(HEIGHT)).sum()) == pytest.approx(1, rel=1e-4)


def test_light_colors_have_luminance_one():
    rng = np.random.default_rng(0)
    for _ in range(50):
        color = light_color(rng)
        assert luminance(color) == pytest.approx(1, rel=1e-5)
        assert (color > 0).all()


def test_bank_scales_maps_and_draws_the_same_from_the_same_seed():
    bank = EnvironmentBank.make(10, np.random.default_rng(0))
    weight = solid_angles(HEIGHT)
    mean = (luminance(bank.maps) * weight).sum((1, 2)) / (4 * np.pi)
    np.testing.assert_allclose(mean, 1, rtol=1e-4)
    assert set(bank.names) == set(KINDS)
    first, second = (bank.draw(np.random.default_rng(3)) for _ in range(2))
    assert (first == second).all()
    assert (first >= 0).all()


def test_plain_draw_only_turns_and_mirrors():
    rng = np.random.default_rng(0)
    ranges = EnvironmentRanges(mix=0, point_lights=0, saturation=(1, 1))
    maps = make_environment("room", rng)[None]
    bank = EnvironmentBank(maps, ["room"], ranges)
    image = bank.draw(rng)
    np.testing.assert_allclose(
        np.sort(image.reshape(-1)), np.sort(bank.maps[0].reshape(-1)), rtol=1e-4, atol=1e-5
    )


def test_bank_from_a_folder(tmp_path):
    Environment.uniform([1, 2, 3], 32).save(tmp_path / "a.hdr")
    Environment.uniform(2.0, 32).save(tmp_path / "b.hdr")
    bank = EnvironmentBank.load(tmp_path)
    assert bank.names == ["a", "b"]
    assert bank.maps.shape == (2, HEIGHT, 2 * HEIGHT, 3)


def test_bad_folders_are_named(tmp_path):
    with pytest.raises(AssetError, match=r"no \.hdr or \.exr"):
        EnvironmentBank.load(tmp_path)
    (tmp_path / "broken.hdr").write_bytes(b"#?RADIANCE")
    with pytest.raises(EnvironmentFileError, match=r"broken\.hdr"):
        EnvironmentBank.load(tmp_path)
