# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("embreex")

from synth_scene import PLAIN, ball, head, metadata, shoot, subject

from data_synth.run.field import Field
from data_synth.sample.camera_model import CameraModel, CameraRanges
from data_synth.sample.illumination import EnvironmentBank
from data_synth.sample.pair import PairMaker
from data_synth.sample.pair_ranges import PairRanges
from data_synth.sample.scene import soft_key
from data_synth.sample.variation import albedo_field, stubble, zones
from data_synth.stage.render import RenderSettings
from data_synth.stage.rig import Camera, Rig
from relight.color import linear_to_srgb, luminance, srgb_to_linear, to_uint8
from relight.environment import Environment
from relight.geometry import shrink

RIG = Rig.make()
BANK = EnvironmentBank.make(10, np.random.default_rng(0))
CAMERA = Camera(20, 10, field_cm=46.0)
EXACT = PairRanges(resolution=64, albedo_field=0, stubble=0, dominant=0, max_gain=1e6)


def make_field(person, settings=PLAIN):
    view = shoot(person, RIG.lights, settings, CAMERA)
    return Field.encode(view, metadata(RIG, CAMERA))


@pytest.fixture(scope="module")
def sphere():
    settings = RenderSettings(size=64, samples=4, bounce_rays=0, scattering=False)
    return make_field(subject(ball(), albedo=(0.6, 0.4, 0.3)), settings)


@pytest.fixture(scope="module")
def portrait():
    return make_field(head(), RenderSettings(size=48, bounce_rays=16))


def lambert(field, pairs, i):
    """Existing irradiance ``(R, R, 3)`` and the key's cosine ``(R, R)`` from normals alone."""
    irradiance = Environment(pairs.environment[i]).irradiance(pairs.normals[i])
    return irradiance, np.maximum(pairs.normals[i] @ pairs.light[i], 0)


def test_key_gain_of_a_lambert_sphere(sphere):
    """G = max(0, n.l) E_mean / E, with E from a convex body's normals alone."""
    maker = PairMaker(sphere, BANK, EXACT)
    pairs = maker.make(12, np.random.default_rng(1))
    assert pairs.flipped.any()
    assert not pairs.flipped.all()
    for i in range(12):
        inside = pairs.mask[i] > 0.999
        albedo = np.array([0.6, 0.4, 0.3])
        irradiance = pairs.linear[i] / albedo
        cosine = np.maximum(pairs.normals[i] @ pairs.light[i], 0)
        # The map in the photo's units leads to the same irradiance as the picture itself.
        expected, _ = lambert(sphere, pairs, i)
        np.testing.assert_allclose(irradiance[inside].mean(0), expected[inside].mean(0), rtol=0.1)
        # E_mean once more from the picture: mean luminance of the scene's light on the face; white
        # balance must not matter, so each channel is compared up to one factor.
        gain = pairs.gain[i] * irradiance
        lit = inside & (cosine > 0.4)
        if lit.sum() < 50:
            continue
        ratio = gain[lit] / cosine[lit][:, None]
        assert (ratio.std(0) / ratio.mean(0) < 0.08).all()


def test_another_relief_is_lit_as_its_normals_say(sphere):
    """Irradiance of the photo and of the key's picture, both from the changed normals alone."""
    fixed = replace(EXACT, crop_scale=(1, 1), crop_shift=0)
    plain = PairMaker(sphere, BANK, fixed).make(1, np.random.default_rng(1))
    pairs = PairMaker(sphere, BANK, replace(fixed, relief=1)).make(8, np.random.default_rng(1))
    changed = []
    for i in range(8):
        inside = pairs.mask[i] > 0.999
        expected, cosine = lambert(sphere, pairs, i)
        found = pairs.linear[i] / np.array([0.6, 0.4, 0.3])
        lit = inside & (luminance(expected) > 0.3 * luminance(expected).max())
        ratio = luminance(found)[lit] / luminance(expected)[lit]
        assert ratio.std() / ratio.mean() < 0.1
        lit &= cosine > 0.4
        if lit.sum() > 50:
            ratio = (pairs.gain[i] * found)[lit, 1] / cosine[lit]
            assert ratio.std() / ratio.mean() < 0.15
        # Height does not care for mirroring.
        same = pairs.normals[i, ..., 1]
        if pairs.flipped[i] != plain.flipped[0]:
            same, inside = same[:, ::-1], inside[:, ::-1]
        changed.append(np.abs(same - plain.normals[0][..., 1])[inside].mean())
    assert max(changed) > 0.02


def test_unit_key_doubles_the_average_patch_in_even_light(sphere):
    even = EnvironmentBank(np.ones((1, 64, 128, 3), np.float32), ["even"])
    ranges = PairRanges(resolution=64, albedo_field=0, stubble=0, dominant=0, hard=1)
    even = EnvironmentBank(even.maps, even.names, type(even.ranges)(0, 0, (1, 1)))
    pairs = PairMaker(sphere, even, ranges).make(12, np.random.default_rng(0))
    for i in range(12):
        cosine = pairs.normals[i] @ pairs.light[i]
        facing = (pairs.mask[i] > 0.999) & (cosine > 0.9)
        if facing.sum() > 20:
            expected = cosine[facing]
            # The key's disk and the rig's finite lights leave some noise.
            np.testing.assert_allclose(
                (pairs.gain[i][facing] / expected[:, None]).mean(0), 1, rtol=0.03
            )


def test_nothing_is_added_outside_the_person(portrait):
    pairs = PairMaker(portrait, BANK, PairRanges(resolution=48)).make(4, np.random.default_rng(0))
    outside = pairs.mask == 0
    assert outside.any()
    assert not pairs.gain[outside].any()
    assert not pairs.normals[outside].any()


def test_shapes_types_and_finite_values(portrait):
    pairs = PairMaker(portrait, BANK, PairRanges(resolution=40)).make(3, np.random.default_rng(0))
    assert pairs.photo.shape == pairs.relit.shape == (3, 40, 40, 3)
    assert pairs.photo.dtype == pairs.relit.dtype == np.uint8
    assert pairs.environment.shape == (3, 16, 32, 3)
    assert len(pairs.crops) == 3
    for name in ("linear", "gain", "environment", "normals", "mask", "light", "color"):
        value = getattr(pairs, name)
        assert value.dtype == np.float32, name
        assert np.isfinite(value).all(), name
    np.testing.assert_allclose(np.linalg.norm(pairs.light, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(luminance(pairs.color), 1, rtol=1e-4)
    assert (pairs.gain >= 0).all()


def test_a_larger_photo_shows_what_the_rest_does(portrait):
    ranges = PairRanges(resolution=40, photo_scale=2)
    pairs = PairMaker(portrait, BANK, ranges).make(8, np.random.default_rng(3), relit=False)
    assert pairs.photo.shape == (8, 80, 80, 3)
    assert pairs.gain.shape == (8, 40, 40, 3)
    assert pairs.relit.shape == (8, 0)
    for photo, linear, mask in zip(pairs.photo, pairs.linear, pairs.mask, strict=True):
        small = shrink(photo, 2).astype(np.float32)
        inside = (mask > 0.99) & (small.max(-1) < 240)
        brightness, light = small.mean(-1)[inside], luminance(linear)[inside]
        order = np.corrcoef(np.argsort(np.argsort(brightness)), np.argsort(np.argsort(light)))
        assert order[0, 1] > 0.9


def test_same_seed_same_pairs(portrait):
    maker = PairMaker(portrait, BANK)
    first, second = (maker.make(2, np.random.default_rng(7)) for _ in range(2))
    assert (first.photo == second.photo).all()
    assert (first.gain == second.gain).all()


def test_soft_key_has_unit_irradiance_at_normal_incidence():
    for radius in (0.1, 0.6):
        light = np.array([0.3, 0.4, 0.866], np.float32)
        weights = soft_key(RIG.lights, RIG.solid_angles, light, radius)
        assert (weights * np.maximum(RIG.lights @ light, 0)).sum() == pytest.approx(1, rel=1e-4)
        inside = RIG.lights @ light > np.cos(radius + 0.5)
        assert weights[inside].sum() > 0.99 * weights.sum()


def test_albedo_field_is_smooth_and_near_one():
    value = albedo_field(64, np.random.default_rng(0))
    assert value.shape == (64, 64, 3)
    assert (value > 0).all()
    assert 0.3 < np.median(value) < 3
    assert np.abs(np.diff(value, axis=1)).max() < 0.3 * value.max()


def test_stubble_darkens_the_lower_face_alone():
    factor = stubble(np.array([30, 20, 90, 100], np.float32), 128, np.random.default_rng(0))
    assert factor.shape == (128, 128, 3)
    assert (factor[:38] == 1).all()  # forehead and eyes
    assert (factor[:60, 55:65] == 1).all()  # nose
    assert (factor[95, 60] < 0.95).all()  # the chin
    assert factor[72, 88].mean() < factor[72, 60].mean()  # higher on the jaw than under the nose
    assert (factor > 0.3).all()


def test_zones_change_the_face_smoothly_and_darken_eye_sockets():
    box = np.array([30, 20, 90, 100], np.float32)
    factors = np.stack([zones(box, 128, np.random.default_rng(seed)) for seed in range(60)])
    assert factors.shape == (60, 128, 128, 3)
    assert (factors > 0.2).all()
    assert (factors < 3).all()
    socket, chin = factors[:, 48, 48].mean(-1), factors[:, 95, 60].mean(-1)
    assert np.quantile(socket, 0.2) < 0.85
    np.testing.assert_allclose(chin, 1, atol=0.05)
    assert np.std(factors[:, 25, 60].mean(-1)) > 0.05  # the forehead
    assert np.abs(np.diff(factors, axis=1)).max() < 0.3


def test_an_upended_world_is_lit_from_below(sphere):
    above = np.zeros((1, 64, 128, 3), np.float32)
    above[:, :24] = 1
    bank = EnvironmentBank(above, ["above"])
    for upended, sign in ((0.0, 1), (1.0, -1)):
        ranges = PairRanges(resolution=64, dominant=0, upended=upended)
        pairs = PairMaker(sphere, bank, ranges).make(4, np.random.default_rng(0))
        for environment in pairs.environment:
            assert sign * Environment(environment).dominant_direction()[1] > 0.5


# --- Camera model


def test_plain_camera_only_encodes():
    camera = CameraModel(gain=np.ones(3, np.float32))
    linear = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)
    assert (camera.develop(linear) == to_uint8(linear_to_srgb(linear))).all()
    assert (camera.shoot(linear, np.random.default_rng(0)) == camera.develop(linear)).all()
    np.testing.assert_allclose(srgb_to_linear(camera.tone(linear)), linear, atol=1e-5)


def test_tone_rises_and_stays_in_range():
    x = np.linspace(0, 8, 2000, dtype=np.float32)[:, None].repeat(3, 1)
    for contrast in (-0.15, 0.4):
        for shoulder in (0.55, 1.2):
            camera = CameraModel(np.ones(3, np.float32), contrast=contrast, shoulder=shoulder)
            y = camera.tone(x)
            assert (np.diff(y[:, 0]) >= -1e-6).all()
            assert y.min() >= 0
            assert y.max() <= 1


def test_drawn_camera_brings_the_face_to_its_level():
    rng = np.random.default_rng(0)
    ranges = CameraRanges(face_level=(0.2, 0.2000001), neutral=(1, 1), white_balance=(1, 1))
    light = np.array([3.0, 2.0, 1.0], np.float32)
    camera = CameraModel.draw(ranges, 0.05, light, rng)
    np.testing.assert_allclose(camera.gain[1] * 0.05, 0.2, rtol=1e-4)
    balanced = camera.expose(light)
    assert np.ptp(balanced) < 1e-4 * balanced.max()


def test_noise_blur_and_compression_keep_size_and_mean():
    rng = np.random.default_rng(0)
    camera = CameraModel(np.ones(3, np.float32), 0, 1, 0.8, 0.5, 4e-4, 2e-3, 60)
    linear = np.full((40, 48, 3), 0.2, np.float32)
    photo = camera.shoot(linear, rng)
    assert photo.shape == (40, 48, 3)
    assert photo.dtype == np.uint8
    assert photo.std() > 0.3
    assert srgb_to_linear(photo).mean() == pytest.approx(0.2, rel=0.03)
