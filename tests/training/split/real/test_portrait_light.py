# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from relight import Analysis
from training.analytic.analytic_stages import AnalyticStages
from training.analytic.formula import FormulaStages
from training.split.real.portrait_light import (
    LightDraw,
    bend,
    draw_key,
    draw_laid,
    laid_factor,
)


def test_keys_stay_within_their_ranges() -> None:
    rng, draw = np.random.default_rng(0), LightDraw()
    keys = [draw_key(rng, draw) for _ in range(300)]
    assert max(abs(light.azimuth_deg) for light in keys) <= draw.azimuth_deg
    low, high = draw.elevation_deg
    assert all(low <= light.elevation_deg <= high for light in keys)
    hard = np.mean([light.softness_deg <= draw.hard_deg for light in keys])
    assert hard == pytest.approx(draw.hard, abs=0.1)


def test_laid_lights_share_the_light_that_is_laid() -> None:
    rng, draw = np.random.default_rng(0), LightDraw()
    laid = [draw_laid(rng, draw) for _ in range(300)]
    for lights in laid:
        assert sum(light.intensity for light in lights) == pytest.approx(1)
    from_top = np.mean([lights[0].elevation_deg > 40 for lights in laid])
    assert from_top > draw.from_top  # and some of those from anywhere


def test_a_bent_face_has_unit_normals_and_another_relief(analysis: Analysis) -> None:
    bent = bend(analysis, np.random.default_rng(3), LightDraw())
    normals, mask = bent.view.mesh.normals, bent.view.mesh.mask
    np.testing.assert_allclose(np.linalg.norm(normals[mask], axis=-1), 1, atol=1e-4)
    assert not normals[~mask].any()
    turned = (normals * analysis.view.mesh.normals).sum(-1)[mask]
    assert 0.5 < turned.mean() < 0.9999
    ratio = bent.view.mesh.depth[mask] / analysis.view.mesh.depth[mask]
    assert ratio.std() < 1e-3
    assert abs(ratio.mean() - 1) > 0.01


def test_hard_light_darkens_one_side_and_keeps_the_level(analysis: Analysis) -> None:
    stages = FormulaStages(AnalyticStages())
    draw, rng = LightDraw(kept=(0.1, 0.1), bend=0.0), np.random.default_rng(1)
    on_photo = np.zeros(analysis.photo_rgb.shape[:2], bool)
    left, top, width, height = (round(side) for side in analysis.face.box)
    on_photo[top : top + height, left : left + width] = True
    lights = draw_laid(rng, draw)[:1]
    factor = laid_factor([stages], analysis, on_photo, lights, rng, draw)
    assert factor.shape == analysis.photo_rgb.shape
    assert factor[on_photo].mean() == pytest.approx(0.1 + 0.9 * lights[0].intensity, rel=0.02)
    assert factor.min() >= 0.1 - 1e-6
    assert factor[on_photo].std() > 0.3
