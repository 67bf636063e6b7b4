from __future__ import annotations

import numpy as np

from training.split import split_loss

SIDE = 32


def truth() -> dict[str, np.ndarray]:
    """A drawn key over a grey photo, half of which it is hidden from."""
    rng = np.random.default_rng(0)
    linear = rng.uniform(0.2, 0.4, (1, SIDE, SIDE, 3)).astype(np.float32)
    gain = np.linspace(0.6, 1, SIDE, dtype=np.float32)[None, :, None, None]
    gain = np.broadcast_to(gain, (1, SIDE, SIDE, 1)).copy()
    gain[:, :, : SIDE // 4] *= 0.1
    one = np.ones((1, SIDE, SIDE, 1), np.float32)
    return {"key": linear * gain, "linear": linear, "weight": one, "face": one, "cosine": one}


def test_the_truth_costs_nothing() -> None:
    given = truth()
    assert float(split_loss.split_loss(given, given["key"])[0]) < 1e-3


def test_a_blurred_shadow_costs_more_than_another_intensity() -> None:
    given = truth()
    blurred = given["key"].copy()
    blurred[:, :, : SIDE // 2] = given["key"].mean()
    brighter = float(split_loss.split_loss(given, given["key"] * 1.3)[0])
    assert float(split_loss.split_loss(given, blurred)[0]) > 3 * brighter > 0


def test_cast_shadows_are_found() -> None:
    found = np.asarray(split_loss.cast_shadow(truth()))[0, ..., 0]
    assert found[:, : SIDE // 4].all()
    assert not found[:, SIDE // 4 :].any()
    figures = split_loss.figures(truth(), truth()["key"])
    assert float(figures["residual"][0]) < 1e-3
    assert float(figures["left"][0]) < 0.2


def test_gloss_is_white_over_albedo() -> None:
    photo = np.stack([np.full((4, 4, 3), v, np.float32) for v in (0.4, 0.1, 0.0)])
    key = np.zeros((3, 4, 4, 2), np.float32)
    key[..., 1] = 0.05
    level = np.full((3, 1), 0.8, np.float32)
    gain = np.asarray(split_loss.quotient(np.zeros_like(photo), key, photo, level))
    added = (gain * photo)[:, 0, 0, 0]
    np.testing.assert_allclose(added[:2], 0.04, rtol=1e-5)  # as bright on dark skin as on fair
    assert np.isfinite(gain).all()
    assert gain.max() <= 0.04 / split_loss.FLOOR + 1e-5


def test_unlike_halves_cost() -> None:
    shape = (1, 4, 4, 1)
    zero, one = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    assert float(split_loss.albedo_difference(zero, zero, zero, one)[0]) == 0
    assert float(split_loss.albedo_difference(zero, one, zero, one)[0]) > 0.9
