# SPDX-License-Identifier: Apache-2.0
"""One-light-at-a-time pictures of a subject: one visibility pass serves all lights of a rig.

Deferred: the points that the camera sees are found once, then shaded under every light with cast
shadows. Skin keeps its irradiance apart, so that it can be scattered below the surface before the
albedo multiplies it.

Units: ``OLAT_i`` is the radiance towards the camera when light ``i`` alone is on and gives unit
irradiance at normal incidence. So ``relit = sum_i w_i OLAT_i`` where ``w_i`` is the environment's
radiance integrated over the light's cell of the sphere; radiance 1 from everywhere makes
``w_i = solid angle_i``, and a white Lambert surface is then 1.

Reference:
    Debevec et al. 2000, "Acquiring the Reflectance Field of a Human Face".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.stage.bounce import Bounce, gather_bounce
from data_synth.stage.fibre import Opacity
from data_synth.stage.reflectance import Gloss
from data_synth.stage.rig import Camera
from data_synth.stage.scattering import SHAPE_CM, gather_matrix
from data_synth.stage.shader import Shader
from data_synth.stage.surface import HAIR, Body, Samples, capture
from data_synth.subject import Subject
from relight.geometry import normalize

Float = NDArray[np.float32]


@dataclass(frozen=True)
class RenderSettings:
    """How a view is rendered.

    Attributes:
        size: side of the picture in pixels.
        samples: points shaded per pixel.
        light_radius: of each light's disk, radians as seen from the subject; softens shadows.
        bounce_rays: gathered per point for the diffuse bounce; 0 leaves the bounce out.
        scattering: whether light travels below the skin.
    """

    size: int = 256
    samples: int = 4
    light_radius: float = 0.05
    bounce_rays: int = 96
    scattering: bool = True


@dataclass(frozen=True)
class View:
    """A rendered view; what it stores of ``P`` covered pixels is premultiplied by coverage.

    Attributes:
        olat: ``(3, P, L)`` float32 radiance per unit irradiance of each light.
        pixels: ``(P,)`` flat indices in the picture, ascending.
        alpha: ``(S, S)`` float32 coverage in [0, 1].
        normals: ``(S, S, 3)`` float32 unit, camera frame; zero outside.
        albedo: ``(S, S, 3)`` float32, not premultiplied; zero outside.
        depth: ``(S, S)`` float32 cm along the camera's axis; zero outside.
        hair: ``(S, S)`` float32 share of fibres in what covers the pixel.
        face_box: left, top, right, bottom of the face in pixels, as its landmarks would span it.
        face_irradiance: ``(L,)`` float32 mean irradiance of the visible face's skin, shadows
            included, per unit irradiance of each light.
    """

    olat: Float
    pixels: NDArray[np.int64]
    alpha: Float
    normals: Float
    albedo: Float
    depth: Float
    hair: Float
    face_box: tuple[float, float, float, float]
    face_irradiance: Float


class Stage:
    """A subject in the rig: what all its views share.

    Args:
        subject: who is rendered.
        lights: ``(L, 3)`` unit vectors towards the lights, head frame.
        settings: how to render.
    """

    def __init__(self, subject: Subject, lights: Float, settings: RenderSettings) -> None:
        self.body = Body(subject)
        self.settings = settings
        self.place(lights)

    def place(self, lights: Float) -> None:
        """Move the lights: ``(L, 3)`` unit vectors towards them, head frame."""
        self.lights: Float = np.asarray(lights, np.float32)
        self.opacity = Opacity(self.body.strands, self.lights) if self.body.strands else None
        self._bounce: Bounce | None = None

    def bounce(self) -> Bounce | None:
        """Light that the subject throws on itself, or ``None`` without bounce."""
        if self._bounce is None and self.settings.bounce_rays > 0:
            rng = np.random.default_rng([self.body.subject.seed, 0xB0])
            self._bounce = gather_bounce(
                self.body, self.opacity, self.lights, self.settings.bounce_rays, rng
            )
        return self._bounce

    def render(self, camera: Camera, rng: np.random.Generator) -> View:
        """Photograph the subject under every light.

        Args:
            camera: that takes the picture.
            rng: places rays within pixels and on the lights' disks.
        """
        size = self.settings.size
        points = camera.project(self.body.face_points, size)
        left, top, right, bottom = (round(float(x), 2) for x in (*points.min(0), *points.max(0)))
        box = (left, top, right, bottom)
        seen = capture(self.body, camera, size, self.settings.samples, rng)
        pixels, first = np.unique(seen.pixel, return_index=True)
        if not len(pixels):
            blank = np.zeros((size, size), np.float32)
            color = np.zeros((size, size, 3), np.float32)
            empty = np.zeros((3, 0, len(self.lights)), np.float32)
            dark = np.zeros(len(self.lights), np.float32)
            return View(empty, pixels, blank, color, color, blank, blank, box, dark)
        per_pixel = _Sum(seen, first)
        shader = Shader(
            self.body,
            self.opacity,
            self.lights,
            self.settings.light_radius,
            self.settings.scattering,
            seen,
            rng,
        )
        gloss, skin = shader.gloss, shader.skin
        irradiance = np.empty((len(self.lights), len(pixels)), np.float32)
        radiance = np.empty((3, len(self.lights), len(pixels)), np.float32)
        for i in range(len(self.lights)):
            enters, white, color = shader.light(i)
            irradiance[i] = per_pixel(enters)
            highlight = per_pixel(white)
            for c in range(3):
                radiance[c, i] = per_pixel(color[c]) + highlight
        on_face = _face_irradiance(
            irradiance, per_pixel(skin.astype(np.float32)), pixels, size, box
        )
        olat = np.ascontiguousarray(radiance.transpose(0, 2, 1))
        del radiance
        self._add_skin(olat, seen, per_pixel, gloss, skin, irradiance, camera)
        self._add_bounce(olat, seen, per_pixel, gloss)
        return _pack(olat, seen, per_pixel, camera, size, box, on_face)

    def _add_skin(
        self,
        olat: Float,
        seen: Samples,
        per_pixel: _Sum,
        gloss: Gloss,
        skin: NDArray[np.bool_],
        irradiance: Float,
        camera: Camera,
    ) -> None:
        """Scatter irradiance below the skin and let it out through the albedo."""
        cover = per_pixel(skin.astype(np.float32))
        where = np.flatnonzero(cover > 0)
        if not len(where):
            return
        share = cover[where]
        light = np.ascontiguousarray(irradiance[:, where].T) / share[:, None]
        position = np.stack([per_pixel(seen.position[:, k] * skin)[where] for k in range(3)], 1)
        cosine = per_pixel(np.maximum((seen.normal * seen.view).sum(1), 0.2) * skin)[where]
        pixel_cm = camera.field_cm / self.settings.size
        for c in range(3):
            leaving = seen.albedo[:, c] * gloss.exit / np.float32(np.pi) * skin
            out = per_pixel(leaving)[where]
            spread = light
            if self.settings.scattering:
                matrix = gather_matrix(
                    per_pixel.pixel[where],
                    position / share[:, None],
                    share**2 / cosine,
                    self.settings.size,
                    pixel_cm,
                    SHAPE_CM[c],
                )
                spread = matrix @ light
            olat[c, where] += out[:, None] * spread

    def _add_bounce(self, olat: Float, seen: Samples, per_pixel: _Sum, gloss: Gloss) -> None:
        """Add what the subject's own surfaces reflect onto it."""
        from scipy import sparse

        bounce = self.bounce()
        if bounce is None:
            return
        solid = np.flatnonzero(seen.triangle >= 0)
        corners = self.body.mesh.faces[seen.triangle[solid]]
        owner = np.repeat(per_pixel.index[solid], 3)
        for c in range(3):
            out = seen.weight[solid] * seen.albedo[solid, c] * gloss.exit[solid] / np.pi
            spread = sparse.csr_matrix(
                (
                    (out[:, None] * seen.barycentric[solid]).ravel().astype(np.float32),
                    (owner, corners.ravel()),
                ),
                shape=(per_pixel.pixels, len(self.body.mesh.vertices)),
            )
            olat[c] += (spread @ bounce.spread) @ bounce.values[c]


class _Sum:
    """Adds up samples over their pixels, weighted by coverage."""

    def __init__(self, seen: Samples, first: NDArray[Any]) -> None:
        self._first, self._weight = first, seen.weight
        self.pixel = seen.pixel[first]
        self.pixels = len(first)
        self.index = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(seen.pixel))))

    def __call__(self, values: NDArray[Any]) -> Float:
        """Sum of ``(N,)`` values over each pixel's samples, ``(P,)``."""
        total: Float = np.add.reduceat(values * self._weight, self._first)
        return total


def _face_irradiance(
    irradiance: Float,
    cover: Float,
    pixels: NDArray[np.int64],
    size: int,
    box: tuple[float, float, float, float],
) -> Float:
    """Mean over skin within the face's box ``(L,)``; zero when none is seen."""
    x, y = pixels % size + 0.5, pixels // size + 0.5
    inside = (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])
    where = np.flatnonzero(inside & (cover > 0.5))
    total: Float = irradiance[:, where].sum(1) / max(float(cover[where].sum()), 1e-6)
    return total


def _pack(
    olat: Float,
    seen: Samples,
    per_pixel: _Sum,
    camera: Camera,
    size: int,
    face_box: tuple[float, float, float, float],
    face_irradiance: Float,
) -> View:
    pixels = per_pixel.pixel
    alpha = per_pixel(np.ones(len(seen.pixel), np.float32))

    def picture(values: NDArray[Any]) -> Float:
        flat = np.zeros((size * size, *values.shape[1:]), np.float32)
        flat[pixels] = values
        return flat.reshape(size, size, *values.shape[1:])

    def mean(values: NDArray[Any]) -> Float:
        return np.stack([per_pixel(values[:, k]) / alpha for k in range(values.shape[1])], 1)

    return View(
        olat=np.maximum(olat, 0, out=olat),
        pixels=pixels,
        alpha=picture(np.minimum(alpha, 1)),
        normals=picture(normalize(camera.to_camera(mean(seen.bumped)))),
        albedo=picture(mean(seen.albedo)),
        depth=picture(mean(seen.distance[:, None])[:, 0]),
        hair=picture(mean((seen.material == HAIR).astype(np.float32)[:, None])[:, 0]),
        face_box=face_box,
        face_irradiance=face_irradiance,
    )
