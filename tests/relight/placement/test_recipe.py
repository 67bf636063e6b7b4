# SPDX-License-Identifier: Apache-2.0
"""The patterns' shadows, drawn on the mean face: what each is named for."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from relight.face.mesh import Surface, region, surface, template
from relight.placement.direction import patterned
from relight.placement.recipe import PATTERNS
from relight.stage.cast_shadow import light_visibility

SIDE = 128
FRONTAL = np.eye(3, dtype=np.float32)
DIM = 0.08
"""Light that counts as shadow."""
NOSE, FAR_EYE, FAR_LIP = 1, 159, 61
"""Landmarks; far is the side away from a key at image right."""


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    """The mean face, facing the camera, in pixels."""
    scale, middle = SIDE / 20, SIDE / 2
    points = template().vertices_cm * [scale, -scale, -scale] + [middle, middle, 0]
    return np.concatenate([points, points[:10]]).astype(np.float32)


@pytest.fixture(scope="module")
def drawn(landmarks: np.ndarray) -> Surface:
    return surface(landmarks, FRONTAL, SIDE)


def light_of(name: str, drawn: Surface, side: int = 1) -> np.ndarray:
    """Where a pattern's key shines, ``(128, 128)``."""
    key = patterned(PATTERNS[name], side, FRONTAL)[0]
    radius = math.radians(key.softness_deg)
    return light_visibility(drawn, drawn.normals, key.direction, radius)


def patches(light: np.ndarray, landmarks: np.ndarray) -> list[np.ndarray]:
    """Lit patches of the far cheek that shadow parts from all other light."""
    count, labels, _, middles = cv2.connectedComponentsWithStats(
        (light > DIM).astype(np.uint8), connectivity=4
    )
    low, high = landmarks[FAR_EYE, 1], landmarks[FAR_LIP, 1]
    return [
        labels == k
        for k in range(1, count)
        if middles[k][0] < landmarks[NOSE, 0] - 3 and low < middles[k][1] < high
    ]


def test_rembrandts_triangle_lies_on_the_far_cheek(drawn: Surface, landmarks: np.ndarray) -> None:
    (triangle,) = patches(light_of("rembrandt", drawn), landmarks)
    rows = np.flatnonzero(triangle.any(1))
    widths = triangle[rows].sum(1)
    below = widths[rows > landmarks[FAR_EYE, 1]]
    assert triangle.sum() > 100
    assert below.argmax() < len(below) / 2, "broad under the eye"
    assert below[-3:].max() < below.max() / 2, "and pointed below"
    for name in ("loop", "split", "butterfly"):
        assert not patches(light_of(name, drawn), landmarks), name


def test_half_of_a_face_in_split_light_is_dark(drawn: Surface, landmarks: np.ndarray) -> None:
    light = light_of("split", drawn)
    far, near = (region(landmarks, (name,), SIDE) for name in ("right_cheek", "left_cheek"))
    assert light[far].max() < DIM
    assert light[near].mean() > 0.5


@pytest.mark.parametrize("name", ["butterfly", "clamshell", "balance"])
def test_both_cheeks_are_lit_alike_from_the_front(
    drawn: Surface, landmarks: np.ndarray, name: str
) -> None:
    light = light_of(name, drawn)
    far, near = (region(landmarks, (side,), SIDE) for side in ("right_cheek", "left_cheek"))
    assert light[far].mean() == pytest.approx(light[near].mean(), rel=0.1)
    assert light[far].mean() > 0.3


def test_light_from_behind_reaches_the_edge_alone(drawn: Surface) -> None:
    light = light_of("rim", drawn)
    assert light.max() > DIM
    assert (light[drawn.mask] > DIM).mean() < 0.1
