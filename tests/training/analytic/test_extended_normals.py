# SPDX-License-Identifier: Apache-2.0
"""Normals of a whole person, on heads and outlines that are known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.face import mesh
from relight.geometry import angle_between
from training.analytic.extended_normals import extended_normals

CROP = 256


def head(yaw_deg: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Mesh normals and mask of the template in the middle of a crop."""
    y = math.radians(yaw_deg)
    pose = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    scale = CROP / 42
    points = mesh.template().vertices_cm @ pose.T * scale * [1, -1, -1]
    points = (points + np.array([CROP / 2, CROP * 0.45, 0])).astype(np.float32)
    drawn = mesh.surface(points, pose, CROP)
    return drawn.normals, drawn.mask


def person() -> np.ndarray:
    """A head and shoulders with soft edges: a disc on a wider half disc."""
    y, x = np.mgrid[:CROP, :CROP] + 0.5
    skull = CROP * 0.29 - np.hypot(x - CROP / 2, (y - CROP * 0.42) * 0.85)
    body = CROP * 0.42 - np.hypot(x - CROP / 2, (y - CROP * 1.12) * 1.0)
    return np.clip(np.maximum(skull, body) / 4 + 0.5, 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def estimated() -> tuple[np.ndarray, np.ndarray]:
    drawn, face = head()
    return extended_normals(drawn, face, person())


def test_normals_are_unit_vectors_that_face_the_camera(
    estimated: tuple[np.ndarray, np.ndarray],
) -> None:
    n, confidence = estimated
    assert n.shape == (CROP, CROP, 3)
    assert n.dtype == np.float32
    assert confidence.shape == (CROP, CROP)
    np.testing.assert_allclose(np.linalg.norm(n, axis=2), 1, atol=1e-4)
    assert n[..., 2].min() >= 0


def test_confidence_is_highest_in_the_face_and_none_off_the_person(
    estimated: tuple[np.ndarray, np.ndarray],
) -> None:
    _, confidence = estimated
    _, face = head()
    cover = np.maximum(person(), face)
    assert 0 <= confidence.min() <= confidence.max() <= 1
    assert not confidence[cover == 0].any()
    shoulders = (person() > 0.99) & (np.arange(CROP)[:, None] > 0.85 * CROP)
    middle = confidence[CROP // 2 - 20 : CROP // 2, CROP // 2 - 10 : CROP // 2 + 10]
    assert middle.min() > confidence[shoulders].max() > 0


@pytest.mark.parametrize("yaw", [-30, 0, 30])
def test_inside_the_face_they_are_the_meshs(yaw: float) -> None:
    drawn, face = head(yaw)
    n, _ = extended_normals(drawn, face, person())
    inner = face.copy()
    for axis in (0, 1):
        for step in range(-14, 15, 7):
            inner &= np.roll(face, step, axis)
    assert inner.sum() > 2000
    error = np.degrees(angle_between(n[inner], drawn[inner]))
    assert error.mean() < 1
    assert error.max() < 6


def test_at_the_outline_they_lean_outward(estimated: tuple[np.ndarray, np.ndarray]) -> None:
    n, _ = estimated
    cover = person()
    rows, columns = np.nonzero((cover > 0.6) & (cover < 0.95))
    outline = [(r, c) for r, c in zip(rows, columns, strict=True) if r < 0.6 * CROP]
    assert len(outline) > 50
    outward = np.array([((c - CROP / 2), -(r - CROP * 0.42) * 0.85**2) for r, c in outline])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    found = np.array([n[r, c] for r, c in outline])
    lean = (found[:, :2] * outward).sum(1)
    assert np.median(lean) > 0.6  # more than 37 degrees away from the camera
    assert np.percentile(lean, 5) > 0.3


def test_they_change_gently_between_face_and_outline(
    estimated: tuple[np.ndarray, np.ndarray],
) -> None:
    n, _ = estimated
    inside = person() > 0.97
    for axis in (0, 1):
        step = np.degrees(angle_between(n, np.roll(n, 1, axis)))
        both = inside & np.roll(inside, 1, axis)
        both[:2], both[:, :2] = False, False
        # A sudden edge would show as a line of light across the forehead.
        assert np.percentile(step[both], 99) < 25
        assert step[both].mean() < 4


@pytest.mark.parametrize("yaw", [-30, 30])
def test_beside_the_face_they_go_on_as_the_mesh_ended(yaw: float) -> None:
    """A turned head's forehead and jaw turn with it, though its outline does not."""
    drawn, face = head(yaw)
    n, _ = extended_normals(drawn, face, person())
    ring = cv2.dilate(face.astype(np.uint8), np.ones((9, 9), np.uint8)) > face
    ring &= np.indices(ring.shape)[0] < 0.35 * CROP  # across the forehead
    assert ring.sum() > 100
    rim = face & (cv2.erode(face.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0)
    rim &= np.indices(ring.shape)[0] < 0.35 * CROP
    assert np.sign(n[ring][:, 0].mean()) == np.sign(yaw)
    assert abs(n[ring][:, 0].mean() - drawn[rim][:, 0].mean()) < 0.2


def test_a_mirrored_person_has_mirrored_normals() -> None:
    drawn, face = head(20)
    n, confidence = extended_normals(drawn, face, person())
    flip = np.array([-1, 1, 1], np.float32)
    other, other_confidence = extended_normals(
        np.ascontiguousarray(drawn[:, ::-1] * flip), face[:, ::-1].copy(), person()[:, ::-1].copy()
    )
    error = np.degrees(angle_between(n, other[:, ::-1] * flip))
    assert error[person() > 0.5].max() < 1
    np.testing.assert_allclose(confidence, other_confidence[:, ::-1], atol=1e-3)


@pytest.mark.parametrize("cover", [0.0, 1.0])
@pytest.mark.parametrize("seen", [True, False])
def test_no_person_or_nothing_but_a_person_give_finite_normals(cover: float, seen: bool) -> None:
    drawn, face = head()
    if not seen:
        drawn, face = np.zeros_like(drawn), np.zeros_like(face)
    n, confidence = extended_normals(drawn, face, np.full((CROP, CROP), cover, np.float32))
    np.testing.assert_allclose(np.linalg.norm(n, axis=2), 1, atol=1e-3)
    assert np.isfinite(confidence).all()
    if not seen:
        np.testing.assert_allclose(confidence, confidence[0, 0], atol=1e-6)


@given(st.integers(0, 10**6), st.sampled_from([64, 100, 256]))
@settings(max_examples=15, deadline=None)
def test_any_mask_gives_unit_normals(seed: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(side, side, 3)).astype(np.float32)
    drawn[..., 2] = np.abs(drawn[..., 2])
    drawn /= np.linalg.norm(drawn, axis=2, keepdims=True)
    face = rng.uniform(size=(side, side)) > rng.uniform()
    drawn[~face] = 0
    cover = rng.uniform(size=(side, side)).astype(np.float32)
    n, confidence = extended_normals(drawn, face, cover)
    np.testing.assert_allclose(np.linalg.norm(n, axis=2), 1, atol=1e-3)
    assert n[..., 2].min() >= 0
    assert (confidence <= np.maximum(cover, face) + 1e-6).all()
