# SPDX-License-Identifier: Apache-2.0
"""How well light can be known at best: the three spheres' errors if part of the truth is known.

Reference: Ramamoorthi & Hanrahan 2001, "An Efficient Representation for Irradiance Environment
Maps" (what a Lambert surface keeps of its light).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from relight.environment import Environment, directions, solid_angles, sphere_normals
from training.analytic import spherical_harmonics
from training.analytic.light_fit import basis_environment, non_negative_solution, shading_basis
from training.judge import score

PROBE_SIDE = 48
"""Side of the white sphere's picture, pixels."""
RIDGE = 1e-5
"""Weight of the light's energy in the fit to the white sphere, which has no noise."""

HARMONICS = "its nine harmonics"
FRONT = "the light in front exactly and the mean of that behind"
PROBE = "a fit to a white sphere in the face's place, without noise"


def bounds(truths: Iterable[Environment]) -> dict[str, float]:
    """Mean errors of the three spheres (:mod:`training.judge.score`) made from the truth.

    Args:
        truths: the environments, camera frame.

    Returns:
        By :data:`HARMONICS`, :data:`FRONT` and :data:`PROBE`; empty without any environment.
    """
    errors: dict[str, list[float]] = {}
    for truth in truths:
        made = {
            HARMONICS: _harmonics(truth),
            FRONT: _front(truth),
            PROBE: _probe(truth),
        }
        for name, estimate in made.items():
            errors.setdefault(name, []).append(score.lighting(estimate, truth)["spheres"])
    return {name: float(np.mean(values)) for name, values in errors.items()}


def _harmonics(truth: Environment) -> Environment:
    basis = spherical_harmonics.harmonics(directions(len(truth.data)))
    found = np.einsum("ijk,ijc,ij->kc", basis, truth.data, _cells(truth))
    return spherical_harmonics.environment(found, len(truth.data))


def _front(truth: Environment) -> Environment:
    behind = directions(len(truth.data))[..., 2] < 0
    known = truth.data.copy()
    known[behind] = np.average(truth.data[behind], axis=0, weights=_cells(truth)[behind])
    return Environment(known)


def _probe(truth: Environment) -> Environment:
    """The non-negative light that shades a white sphere as the truth does."""
    normals, mask = sphere_normals(PROBE_SIDE)
    seen = normals[mask > 0.5].astype(np.float32)
    basis = shading_basis(seen)
    gram = basis.T @ basis / len(seen) + RIDGE * np.eye(basis.shape[1])
    target = basis.T @ truth.irradiance(seen).astype(float) / len(seen)
    return basis_environment(non_negative_solution(gram, target))


def _cells(truth: Environment) -> NDArray[np.float64]:
    height = len(truth.data)
    return np.broadcast_to(solid_angles(height), (height, 2 * height)).astype(float)
