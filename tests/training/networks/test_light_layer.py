# SPDX-License-Identifier: Apache-2.0
"""The light fit inside the lighting network: lamps are found where they stand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

from keras import ops

from relight.color import linear_to_srgb
from relight.environment import Environment, sphere_normals
from relight.geometry import angle_between, direction
from relight.stage.view import SIDE
from training.networks.light_layer import NonNegativeFit
from training.networks.lighting_network import lighting_network


def lit_ball(azimuth_deg: float, elevation_deg: float, tint: tuple[float, ...] = (1, 1, 1)):
    """Photo, normals and skin of a ball of albedo 0.4 under one lamp, batches of one."""
    small, mask = sphere_normals(SIDE // 2)
    normals = np.zeros((SIDE, SIDE, 3), np.float32)
    inside = slice(SIDE // 4, SIDE // 4 + SIDE // 2)
    normals[inside, inside] = small * (mask > 0.99)[..., None]
    lamp = direction(np.radians(azimuth_deg), np.radians(elevation_deg))
    shading = np.maximum(normals @ lamp, 0)[..., None] * np.array(tint, np.float32)
    photo = linear_to_srgb(0.4 * shading * (np.abs(normals).sum(-1) > 0)[..., None])
    skin = (np.abs(normals).sum(-1, keepdims=True) > 0).astype(np.float32)
    return photo[None].astype(np.float32), normals[None], skin[None], lamp


def fit(photo: np.ndarray, normals: np.ndarray, skin: np.ndarray) -> Environment:
    """The fitted light, with nothing learned."""
    judged = np.zeros((1, 32, 32, 2), np.float32)
    radiance = np.exp(ops.convert_to_numpy(NonNegativeFit()(photo, normals, skin, judged)))
    return Environment(radiance[0])


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (45, 20), (-60, 40), (30, -30)])
def test_a_lamp_is_found(azimuth: float, elevation: float) -> None:
    photo, normals, skin, lamp = lit_ball(azimuth, elevation)
    found = fit(photo, normals, skin).dominant_direction()
    assert np.degrees(angle_between(found, lamp)) < 9  # the map's cells are 22 degrees wide


def test_a_brighter_photo_has_more_light() -> None:
    photo, normals, skin, _ = lit_ball(30, 20)
    dark, bright = (fit(photo * f, normals, skin).power().sum() for f in (0.5, 1.0))
    assert bright > 1.3 * dark


def test_what_is_no_skin_does_not_count() -> None:
    photo, normals, skin, lamp = lit_ball(40, 10)
    spoiled, trusted = photo.copy(), skin.copy()
    spoiled[:, : SIDE // 2, : SIDE // 2] = 0  # a dark upper left quarter
    trusted[:, : SIDE // 2, : SIDE // 2] = 0
    found = fit(spoiled, normals, trusted).dominant_direction()
    fooled = fit(spoiled, normals, skin).dominant_direction()
    assert np.degrees(angle_between(found, lamp)) < 12
    assert angle_between(fooled, lamp) > angle_between(found, lamp)


def test_a_photo_without_skin_gives_a_finite_light() -> None:
    photo, normals, skin, _ = lit_ball(0, 0)
    for given in (skin * 0, skin):
        assert np.isfinite(fit(photo * 0, normals * 0, given).data).all()


def test_colour_is_kept_in_part() -> None:
    # The face's mean colour is taken for albedo; only what differs from it is the light's.
    red = lit_ball(-50, 0, (1, 0.3, 0.3))
    blue = lit_ball(50, 0, (0.3, 0.3, 1))
    photo = ((red[0] ** 2.2 + blue[0] ** 2.2) ** (1 / 2.2)).clip(0, 1)
    light = fit(photo.astype(np.float32), red[1], red[2])
    left, right = light.irradiance(direction(np.radians([-60, 60]), 0.0))
    assert left[0] / left[2] > right[0] / right[2] * 1.2


def test_a_mirror_image_has_the_mirrored_light() -> None:
    network = lighting_network()
    rng = np.random.default_rng(0)
    for weight in network.get_layer("judgement").weights:  # a judgement that is not symmetric
        weight.assign(rng.normal(0, 0.2, weight.shape))
    photo, normals, skin, _ = lit_ball(40, 20, (1, 0.8, 0.6))
    given = {"photo": photo, "normals": normals, "skin": skin}
    other = {name: values[:, :, ::-1] for name, values in given.items()}
    other["normals"] = other["normals"] * np.array([-1, 1, 1], np.float32)
    seen, turned = (ops.convert_to_numpy(network(x)["log_environment"]) for x in (given, other))
    assert np.ptp(seen - seen[:, :, ::-1]) > 0.1
    np.testing.assert_allclose(turned[:, :, ::-1], seen, atol=2e-4)
