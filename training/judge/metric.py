# SPDX-License-Identifier: Apache-2.0
"""Figures of merit. Images are compared sRGB-encoded in [0, 1], light in linear light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.geometry import angle_between

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

TURNED = 0.3
"""Least cosine to a light at which an unlit surface counts as being in cast shadow."""
BLACK = 0.08
"""Albedo below which shadows cannot be recognised."""
HIDDEN = 0.35
"""Share of Lambert's light below which the light counts as hidden."""


def normal_error_deg(estimate: NDArray[Any], truth: NDArray[Any], mask: Mask) -> float:
    """Mean angle in degrees between normals ``(H, W, 3)`` where ``mask`` holds."""
    return float(np.degrees(angle_between(estimate[mask], truth[mask])).mean())


def added_light_residual(estimate: NDArray[Any], truth: NDArray[Any], mask: Mask) -> float:
    """Energy of the error of an added light over the light's own, at the best scale.

    ``min_g |g E - O|^2 / |O|^2``: 0 is perfect, 1 is no better than adding nothing.

    Args:
        estimate: E, linear light added by the estimate, any shape.
        truth: O, linear light really added, same shape.
        mask: which pixels count, shape of the leading axes.
    """
    e, o = estimate[mask].astype(float).ravel(), truth[mask].astype(float).ravel()
    energy = float(o @ o)
    if energy == 0:
        raise ValueError("the true added light is zero inside the mask")
    return 1.0 - float(e @ o) ** 2 / max(float(e @ e) * energy, 1e-30)


def best_scale(estimate: NDArray[Any], truth: NDArray[Any], mask: Mask) -> float:
    """The factor g that minimises ``|g E - O|`` inside the mask, >= 0."""
    e, o = estimate[mask].astype(float).ravel(), truth[mask].astype(float).ravel()
    return max(0.0, float(e @ o) / max(float(e @ e), 1e-30))


def cast_shadow(seen: Float, lambert: Float, albedo: Float) -> Mask:
    """Where a light is hidden from a surface that faces it, ``(H, W)``.

    Args:
        seen: ``(H, W)`` linear, under that light alone.
        lambert: ``(H, W)`` what Lambert's law gives there, in the same units.
        albedo: ``(H, W)``, in the same units.
    """
    turned = (lambert > TURNED * albedo) & (albedo > BLACK)
    hidden: Mask = turned & (seen < HIDDEN * lambert)
    return hidden


def rmse(a: NDArray[Any], b: NDArray[Any], mask: Mask) -> float:
    """Root mean square difference inside the mask."""
    difference = a[mask].astype(float) - b[mask].astype(float)
    return float(np.sqrt((difference**2).mean()))


def psnr(a: NDArray[Any], b: NDArray[Any], mask: Mask | None = None) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1]; infinite when they are equal."""
    where = np.ones(a.shape[:2], bool) if mask is None else mask
    error = rmse(a, b, where)
    return float("inf") if error == 0 else float(-20 * np.log10(error))


def ssim(a: Float, b: Float, mask: Mask) -> float:
    """Structural similarity of grey images ``(H, W)`` in [0, 1], averaged inside the mask.

    Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03.

    Reference: Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural
    Similarity", section III.B.
    """
    import cv2

    def blur(x: Float) -> Float:
        return cv2.GaussianBlur(x, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT)

    a, b = a.astype(np.float32), b.astype(np.float32)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    score = ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / (
        (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    )
    return float(score[mask].mean())
