# SPDX-License-Identifier: Apache-2.0
"""How far one estimate is from the truth of the virtual Light Stage.

Each function compares one pair and returns its figures by name. A figure is NaN where it is not
defined: a key that does not reach the face has no residual.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import linear_to_srgb, luminance
from relight.environment import Environment, Spheres, directions, solid_angles, sphere_normals
from relight.geometry import angle_between
from training.judge import metric

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

SPHERE_SIDE = 24
"""Side of the spheres that are compared, pixels."""
PEAKED = 8.0
"""A light has a peak if its brightest direction is this many times the mean."""
FAINT = 0.05
"""Keys that add less than this share of light on average get no residual."""


def normals(estimate: Float, truth: Float, face: Mask, person: Mask) -> dict[str, float]:
    """Mean angles over the face mesh and over the whole person.

    Args:
        estimate: ``(R, R, 3)`` unit, camera frame.
        truth: ``(R, R, 3)`` unit on the person, 0 outside.
        face: ``(R, R)`` the face mesh.
        person: ``(R, R)`` the person.
    """
    return {
        "normals_face_deg": _angle(estimate, truth, face & person),
        "normals_person_deg": _angle(estimate, truth, person),
    }


def _angle(estimate: Float, truth: Float, mask: Mask) -> float:
    return metric.normal_error_deg(estimate, truth, mask) if mask.any() else np.nan


def lighting(estimate: Environment, truth: Environment) -> dict[str, float]:
    """Errors of the three spheres and of the light's direction.

    ``diffuse``, ``matte_silver`` and ``mirror`` are the spheres' mean absolute errors over the mean
    of the true diffuse one; ``spheres`` is the mean of the three, ``spheres_scale_free`` the same
    after the estimate's diffuse sphere was given the true one's mean luminance. ``dominant_deg`` is
    the angle between first moments, ``peak_deg`` that between brightest directions where the true
    light has a peak.

    Reference: LeGendre et al. 2020, section 5 (errors on the three spheres).
    """
    seen, true = _spheres(estimate), _spheres(truth)
    level = true[0].mean()
    ratio = luminance(true[0]).mean() / max(float(luminance(seen[0]).mean()), 1e-9)
    errors = np.abs(seen - true).mean((1, 2)) / level
    result = {
        **{name: float(e) for name, e in zip(Spheres._fields, errors, strict=True)},
        "spheres": float(errors.mean()),
        "spheres_scale_free": float(np.abs(seen * ratio - true).mean() / level),
        "dominant_deg": _degrees(estimate.dominant_direction(), truth.dominant_direction()),
        "peak_deg": np.nan,
    }
    bright = luminance(truth.data)
    mean = float((bright * solid_angles(len(bright))).sum() / (4 * np.pi))
    if bright.max() > PEAKED * mean:
        result["peak_deg"] = _degrees(_peak(estimate), _peak(truth))
    return result


def _spheres(environment: Environment) -> Float:
    """The three spheres' covered pixels, ``(3, P, 3)``."""
    _, mask = sphere_normals(SPHERE_SIDE)
    return np.stack([sphere[mask > 0.5] for sphere in environment.spheres(SPHERE_SIDE)])


def _peak(environment: Environment) -> Float:
    bright = luminance(environment.data)
    return directions(len(bright)).reshape(-1, 3)[int(bright.argmax())]


def _degrees(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.degrees(angle_between(a, b)))


def gain(
    estimate: Float, truth: Float, linear: Float, face: Mask, person: Mask
) -> dict[str, float]:
    """Error of the key gain, of the light that it adds, and of the relit picture.

    Args:
        estimate: ``(R, R, 3)`` G >= 0.
        truth: ``(R, R, 3)`` the true G.
        linear: ``(R, R, 3)`` the photo X in linear light.
        face: ``(R, R)`` the face mesh.
        person: ``(R, R)`` the person.

    Returns:
        Mean absolute error of ``log(1 + G)`` and :func:`metric.added_light_residual` of ``X G``
        over face and person; PSNR and SSIM (grey) of the sRGB picture ``X (1 + G)`` on the person.
    """
    difference = np.abs(np.log1p(estimate) - np.log1p(truth)).mean(-1)
    result = {}
    for name, mask in (("face", face & person), ("person", person)):
        usable = bool(mask.any())
        result[f"log_gain_{name}"] = float(difference[mask].mean()) if usable else np.nan
        judged = usable and float(truth[mask].mean()) > FAINT
        result[f"residual_{name}"] = (
            metric.added_light_residual(linear * estimate, linear * truth, mask)
            if judged
            else np.nan
        )
    images = [np.minimum(linear_to_srgb(linear * (1 + g)), 1) for g in (estimate, truth)]
    if person.any():
        result["psnr_db"] = metric.psnr(images[0], images[1], person)
        grey = [image.mean(-1) for image in images]
        result["ssim"] = metric.ssim(grey[0], grey[1], person)
    else:
        result["psnr_db"] = result["ssim"] = np.nan
    return result
