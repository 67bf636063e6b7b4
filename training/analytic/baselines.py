# SPDX-License-Identifier: Apache-2.0
"""Analytic stages: yardsticks for the networks, made without any training.

Normals: the face mesh, extended softly to head and shoulders. Light: the non-negative environment,
on a coarse map, whose Lambert shading comes closest to what the face shows; light is never
negative, and that alone recovers a single lamp's direction far better than spherical harmonics,
whose fit overshoots where the face sees nothing. Gain: Lambert's law divided by that shading.

References:
    Johnston 2002, "Lumo: Illumination for Cel Animation" (normals of a shape known only by its
    outline). Ramamoorthi & Hanrahan 2001, "An Efficient Representation for Irradiance Environment
    Maps" (irradiance of a Lambert surface). Beck & Teboulle 2009, "A Fast Iterative Shrinkage-
    Thresholding Algorithm", section 4 (accelerated projected gradient).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance
from relight.environment import HEIGHT, Environment, directions, solid_angles
from relight.geometry import normalize
from relight.light import Light
from relight.stage.analysis import mean_irradiance
from relight.stage.shading import visibility
from relight.stage.view import View

Float = NDArray[np.float32]

SOLVE_SIDE = 64
"""The extension is solved at this resolution."""
SCREENING = 0.02
"""Pull towards a surface that faces the camera, per solver step."""
OUTLINE_TILT = 0.85
"""Length of the normal's image-plane part at the person's outline; 1 would be a razor edge."""
EXTENSION_CONFIDENCE = 0.8
"""Trust in an extended normal, against 1 in the face mesh."""

COARSE = 8
"""Rows of the map that is fitted; a Lambert surface shows no finer light."""
RIDGE = 6e-4
"""Weight of the light's energy against the shading's error: only half a sphere is seen."""
NEUTRALITY = 2e-2
"""Weight of the light's colour against the shading's error: white until the face says otherwise."""
STEPS = 100
"""Accelerated gradient steps; twice as many change the direction by less than a degree."""
SKIN_ALBEDO = 0.3
"""Luminance of the albedo that a face is taken to have when nothing else is known."""
WHITE_LEVEL = 0.9
"""Luminance that a white sphere is taken to have in a well exposed photo."""
ALBEDO_RANGE = (0.05, 0.7)
"""Human skin's albedo in luminance."""

DARKEST = 0.2
"""Least irradiance divided by, over the face's mean: bounds the gain in deep shadow."""
CHROMA = 0.5
"""How far the gain follows the colour of the light divided by; its estimate is uncertain."""


class AnalyticModels:
    """The analytic stages behind the interface of the networks: ``relight.stage.stages.Stages``."""

    def __init__(self) -> None:
        self._shading: tuple[Environment, Float, Float, float] | None = None

    def normals(self, view: View) -> tuple[Float, Float]:
        """The mesh's normals, extended to the whole person, and the trust in them."""
        return extended_normals(view.mesh.normals, view.face, view.person)

    def lighting(self, view: View, normals: Float) -> Environment:
        """The light that shades the face mesh as the photo shows it; ``normals`` do not count."""
        return fitted_light(view.linear, view.mesh.normals, view.skin)

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Lambert's law over the existing shading; a light's softness does not count."""
        kept = self._shading
        if kept is None or kept[0] is not environment or kept[1] is not normals:
            mean = mean_irradiance(environment, normals, view.face)
            kept = self._shading = environment, normals, environment.irradiance(normals), mean
        _, _, irradiance, mean = kept
        return lambert_gain(visibility(normals, light.direction), irradiance, mean)

    def close(self) -> None:
        """Forget the last face."""
        self._shading = None


def extended_normals(mesh_normals: Float, face: NDArray[Any], person: Float) -> tuple[Float, Float]:
    """Normals of everything that belongs to the person.

    Args:
        mesh_normals: ``(R, R, 3)`` unit normals of the face mesh, camera frame.
        face: ``(R, R)`` mask of the face mesh.
        person: ``(R, R)`` probability in [0, 1] of the person.

    Returns:
        ``(R, R, 3)`` float32 unit normals, camera frame, and ``(R, R)`` confidence in [0, 1],
        0 outside the person.
    """
    import cv2

    resolution = person.shape[0]
    face = np.asarray(face, bool)
    extended = _extend(mesh_normals, face, person)
    grown = cv2.resize(extended, (resolution, resolution), interpolation=cv2.INTER_LINEAR)
    # The mesh ends at the hairline and jaw; a soft seam hides where it does.
    inner = cv2.erode(face.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    weight = cv2.GaussianBlur(inner, (0, 0), resolution / 64)[..., None] * face[..., None]
    normals = normalize(mesh_normals * weight + normalize(grown) * (1 - weight))
    # Trust falls off over a wide band: a forehead's upper edge must not show in the gain.
    near = cv2.GaussianBlur(face.astype(np.float32), (0, 0), resolution / 24)
    trust = EXTENSION_CONFIDENCE + (1 - EXTENSION_CONFIDENCE) * near
    return normals, (trust * np.maximum(person, face)).astype(np.float32)


def _extend(mesh_normals: Float, face: NDArray[np.bool_], person: Float) -> Float:
    """Harmonic interpolation of the image-plane part, ``(S, S, 3)``, coarse to fine."""
    import cv2

    plane: Float | None = None
    size = 16
    while size <= SOLVE_SIDE:
        area = (size, size)
        coverage = cv2.resize(face.astype(np.float32), area, interpolation=cv2.INTER_AREA)
        known = coverage > 0.5
        mesh = cv2.resize(mesh_normals[..., :2], area, interpolation=cv2.INTER_AREA)
        mesh = mesh / np.maximum(coverage, 0.5)[..., None]
        soft = cv2.resize(person, area, interpolation=cv2.INTER_AREA)
        outline, outward = _outline(soft)
        outline &= ~known
        if plane is None:
            plane = np.zeros((size, size, 2), np.float32)
        else:
            plane = cv2.resize(plane, area, interpolation=cv2.INTER_LINEAR)
        for _ in range(40):
            mean = cv2.blur(plane, (3, 3), borderType=cv2.BORDER_REPLICATE)
            plane = mean * np.float32(1 - SCREENING * (16 / size) ** 2)
            plane[known] = mesh[known]
            plane[outline] = outward[outline] * np.float32(OUTLINE_TILT)
        size *= 2
    assert plane is not None  # noqa: S101
    length = np.minimum((plane**2).sum(-1), 0.98)
    return np.concatenate([plane, np.sqrt(1 - length)[..., None]], -1).astype(np.float32)


def _outline(person: Float) -> tuple[NDArray[np.bool_], Float]:
    """Pixels at the person's outline and the outward direction there (x right, y up)."""
    import cv2

    smooth = cv2.GaussianBlur(person, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    x = -cv2.Sobel(smooth, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REPLICATE)
    y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REPLICATE)
    steep = np.hypot(x, y)
    inside = person > 0.5
    outside = cv2.dilate((~inside).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    outward = np.stack([x, y], -1) / np.maximum(steep, 1e-6)[..., None]
    return inside & outside & (steep > 0.1), outward.astype(np.float32)


def fitted_light(linear: Float, normals: Float, weights: Float) -> Environment:
    """Fit the environment that shades a face as the photo shows it.

    The face's own colour and the light's mean colour cannot be told apart; the photo is taken to
    be white-balanced, so that the mean light is neutral and only its variation has colour.

    Args:
        linear: ``(R, R, 3)`` linear sRGB.
        normals: ``(R, R, 3)`` unit normals, camera frame.
        weights: ``(R, R)`` >= 0, trust in a pixel as plain skin.

    Returns:
        A 16 x 32 map in the photo's units; uniform if too little skin is seen.
    """
    chosen = weights > 0.05
    if chosen.sum() < 32:
        return Environment.uniform(WHITE_LEVEL)
    shading, weight = linear[chosen].astype(float), weights[chosen].astype(float)
    mean = np.average(shading, axis=0, weights=weight)
    brightness = max(float(luminance(mean)), 1e-6)
    albedo = np.maximum(mean / brightness * _skin_albedo(brightness), 1e-6)
    basis = shading_basis(normals[chosen])
    scaled = basis * weight[:, None] / weight.sum()
    gram, target = scaled.T @ basis, scaled.T @ (shading / albedo)
    penalty = np.eye(basis.shape[1])
    grey = non_negative_solution(
        gram + RIDGE * penalty, np.asarray(luminance(target), float)[:, None]
    )
    radiance = non_negative_solution(
        gram + (RIDGE + NEUTRALITY) * penalty, target + NEUTRALITY * grey
    )
    return basis_environment(radiance)


def shading_basis(normals: Float) -> NDArray[np.float64]:
    """Lambert shading by each cell of the coarse map, scaled by the root of its solid angle.

    Args:
        normals: ``(N, 3)`` unit, camera frame.

    Returns:
        ``(N, 128)``: irradiance over pi; its weights are what :func:`basis_environment` takes.
    """
    cosine = np.maximum(normals @ directions(COARSE).reshape(-1, 3).T, 0)
    result: NDArray[np.float64] = cosine * (_cell_roots() / np.pi)
    return result


def basis_environment(weights: NDArray[np.float64]) -> Environment:
    """The 16 x 32 map of weights ``(128, 3)`` of :func:`shading_basis`."""
    radiance = weights / _cell_roots()[:, None]
    coarse = Environment(radiance.reshape(COARSE, 2 * COARSE, 3).astype(np.float32))
    return coarse.resample(HEIGHT)


def _cell_roots() -> NDArray[np.float64]:
    """Root of the solid angle of each cell of the coarse map, ``(128,)``."""
    return np.sqrt(np.repeat(solid_angles(COARSE)[:, 0], 2 * COARSE)).astype(float)


def non_negative_solution(
    gram: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``x >= 0`` that minimises ``x'Ax / 2 - x'b``, one column per column of ``target``."""
    step = 1 / float(np.linalg.norm(gram, 2))
    x = np.zeros_like(target)
    ahead, pace = x, 1.0
    for _ in range(STEPS):
        following = np.maximum(ahead - step * (gram @ ahead - target), 0)
        faster = (1 + (1 + 4 * pace * pace) ** 0.5) / 2
        ahead = following + (pace - 1) / faster * (following - x)
        x, pace = following, faster
    return x


def _skin_albedo(brightness: float) -> float:
    """Luminance of the albedo of skin whose mean luminance in the photo is ``brightness``.

    Halfway, in logarithms, between typical skin in unknown light and known exposure of unknown
    skin.
    """
    albedo = np.sqrt(SKIN_ALBEDO * brightness / WHITE_LEVEL)
    return float(np.clip(albedo, *ALBEDO_RANGE))


def lambert_gain(visible: Float, irradiance: Float, mean_irradiance: float) -> Float:
    """Key gain of a Lambert surface under a white key of unit intensity.

    Args:
        visible: ``(R, R)`` light visibility map.
        irradiance: ``(R, R, 3)`` of the existing light.
        mean_irradiance: its luminance, mean over the visible face.

    Returns:
        ``(R, R, 3)`` float32 >= 0.
    """
    grey = luminance(irradiance)[..., None] + np.float32(1e-6)
    floor = np.float32(DARKEST * mean_irradiance)
    tint = np.maximum(irradiance / grey, np.float32(0.1)) ** np.float32(CHROMA)
    existing = np.sqrt(grey**2 + floor**2) * tint
    return (visible[..., None] * np.float32(mean_irradiance) / existing).astype(np.float32)
