from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_synth.head.mesh_point import mesh_points
from data_synth.registry import find_source
from data_synth.trait import SubjectRanges
from relight.face.mesh import template


def head(seed: int):
    source, ranges = find_source("builtin"), SubjectRanges()
    return source.make_head(seed, None, ranges, source.draw_traits(seed, ranges))


def test_landmarks_of_the_mean_head_are_the_templates() -> None:
    someone = head(1)
    mean = replace(someone, vertices=someone.canonical)
    away = np.linalg.norm(mesh_points(mean) - template().vertices_cm, axis=1)
    assert np.median(away) < 0.3


def test_landmarks_follow_a_head() -> None:
    someone = head(1)
    moved = replace(someone, vertices=someone.vertices + np.array([1, 2, 3], np.float32))
    np.testing.assert_allclose(
        mesh_points(moved) - mesh_points(someone), [[1, 2, 3]] * 468, atol=1e-4
    )
    assert np.ptp(mesh_points(someone), axis=0)[0] > 8
