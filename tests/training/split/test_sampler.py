from __future__ import annotations

import numpy as np
import pytest

from relight.face.mesh import Surface
from relight.geometry import direction
from relight.stage import cast_shadow

pytest.importorskip("jax")

from training.split.batch_picture import sampled
from training.split.rig_light import unshadowed


def test_shadows_are_the_runtimes() -> None:
    side = 64
    y, x = np.mgrid[:side, :side] - side / 2
    depth = (12 * np.exp(-(x**2 + y**2) / 30) - 0.02 * (x**2 + y**2)).astype(np.float32)
    mask = np.hypot(x, y) < 26
    surface = Surface(np.zeros((side, side, 3), np.float32), depth * mask, mask)
    keys = [direction(1.1, 0.2), direction(-0.7, 0.9), direction(0, 0)]
    radius = [0.0, 0.3, 0.1]
    found = unshadowed(
        np.stack([depth] * 3), np.stack([mask] * 3), np.stack(keys), np.array(radius)
    )
    for own, key, size in zip(np.asarray(found), keys, radius, strict=True):
        expected = cast_shadow.unshadowed(surface, key, size)
        assert np.abs(own - expected).mean() < 2e-3
    assert np.asarray(found)[0].min() < 0.1


def test_samples_between_pixels() -> None:
    ramp = np.tile(np.arange(8, dtype=np.float32), (8, 1))[None, ..., None]
    place = np.full((1, 8, 8, 2), 3.25, np.float32)
    np.testing.assert_allclose(np.asarray(sampled(ramp, place)), 2.75, atol=1e-5)
