# SPDX-License-Identifier: Apache-2.0
"""The points that a camera sees, under one light after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_synth.stage.fibre import Opacity, frame
from data_synth.stage.reflectance import SECOND_LOBE, Gloss, Hair, hair_lobes, lobes, make_gloss
from data_synth.stage.scattering import transmission
from data_synth.stage.surface import HAIR, Body, Samples
from data_synth.subject import Material

Float = NDArray[np.float32]

HAIR_OFFSET_CM = 0.3
"""Where shadow rays of fibres start, towards the light."""
THIN_CM = 1.6
"""Skin up to this thick lets light through: ears, the rims of nostrils."""
TURN = 2.399963
"""Golden angle, by which the points on a light's disk turn from light to light."""


class Shader:
    """Shades samples; everything that no light changes is prepared once.

    Args:
        body: the subject.
        opacity: shadows of its fibres, if it has any.
        lights: ``(L, 3)`` unit vectors towards the lights, head frame.
        radius: of a light's disk, radians.
        translucent: whether light passes through thin skin.
        seen: the points.
        rng: places points on the lights' disks.
    """

    def __init__(
        self,
        body: Body,
        opacity: Opacity | None,
        lights: Float,
        radius: float,
        translucent: bool,
        seen: Samples,
        rng: np.random.Generator,
    ) -> None:
        self._body, self._opacity, self._lights, self._seen = body, opacity, lights, seen
        self.skin = np.isin(seen.material, (Material.SKIN, Material.GUM))
        self.gloss = _gloss(seen)
        self._hair = np.flatnonzero(seen.material == HAIR)
        self._solid = seen.material != HAIR
        out = self.gloss.exit / np.float32(np.pi) * (self._solid & ~self.skin)
        self._base = np.ascontiguousarray((seen.albedo * out[:, None]).T)
        vectors = np.concatenate([seen.bumped, seen.normal, seen.view])
        self._vectors = np.ascontiguousarray(vectors.T)
        hair, count = self._hair, len(seen.pixel)
        self._tangent: Float = seen.tangent[hair]
        self._fibres = Hair(
            (self._tangent * seen.view[hair]).sum(1),
            seen.albedo[hair],
            seen.spread[hair],
        )
        # A point on the light's disk for each sample, even over the samples of a pixel.
        disk = np.sqrt(seen.stratum).astype(np.float32) * np.float32(radius)
        turn = (rng.random(count) * 2 * np.pi).astype(np.float32)
        self._ahead = 1 / np.sqrt(1 + disk * disk)
        self._disk_x = disk * np.cos(turn) * self._ahead
        self._disk_y = disk * np.sin(turn) * self._ahead
        self._entry = self.gloss.entry.ravel()
        self._columns = self.gloss.entry.shape[1]
        self._thin = self._find_thin() if translucent else np.zeros(0, np.int64)

    def light(self, number: int) -> tuple[Float, Float, Float]:
        """Shade all points under one light.

        Returns:
            irradiance ``(N,)`` that enters the skin, zero elsewhere; white radiance ``(N,)`` of
            highlights; coloured radiance ``(3, N)`` of all but skin's diffuse light.
        """
        seen, hair, count = self._seen, self._hair, len(self._seen.pixel)
        axes = frame(self._lights[number])
        c, s = np.float32(np.cos(TURN * number)), np.float32(np.sin(TURN * number))
        x, y = self._disk_x * c - self._disk_y * s, self._disk_x * s + self._disk_y * c
        along = (axes @ self._vectors).reshape(3, 3, count)
        b_l, n_l, l_v = along[0] * x + along[1] * y + along[2] * self._ahead
        # Surfaces that face the light, then fibres, share one pass of shadow rays.
        lit = np.flatnonzero(self._solid & (b_l > 0) & (n_l > -0.05))
        ask = np.concatenate([lit, hair])
        towards = np.stack([x[ask], y[ask], self._ahead[ask]], 1) @ axes
        start = seen.origin[ask]
        left = self._left(number, start, towards, len(lit))
        on_hair, reach = left[len(lit) :], np.flatnonzero(left[: len(lit)])
        lit, left = lit[reach], left[reach]
        cosine = b_l[lit]
        column = np.minimum((cosine * self._columns).astype(np.int64), self._columns - 1)
        enters, white = np.zeros(count, np.float32), np.zeros(count, np.float32)
        enters[lit] = cosine * left * self._entry[lit * self._columns + column]
        gloss = self.gloss
        white[lit] = left * lobes(
            cosine, l_v[lit], gloss.n_v[lit], gloss.alpha[lit], gloss.f0[lit], gloss.second[lit]
        )
        color = self._base * enters
        if len(hair):
            tangent_l = (self._tangent * towards[-len(hair) :]).sum(1)
            white[hair], tinted = hair_lobes(self._fibres, tangent_l, l_v[hair], n_l[hair], on_hair)
            color[:, hair] = tinted.T
        if len(self._thin):
            color[:, self._thin] += self._shine_through(number)
        return enters * self.skin, white, color

    def _left(self, number: int, start: Float, towards: Float, solid: int | None = None) -> Float:
        """Fraction of the light that reaches points, ``(N,)``; from ``solid`` on they are hair."""
        origin = start
        if solid is not None:
            origin = start.copy()
            origin[solid:] += towards[solid:] * np.float32(HAIR_OFFSET_CM)
        left = (~self._body.caster.occluded(origin, towards)).astype(np.float32)
        if self._opacity is not None:
            free = np.flatnonzero(left)
            left[free] = self._opacity.transmittance(number, start[free])
        return left

    def _find_thin(self) -> NDArray[np.int64]:
        """Skin with another outside close behind it; keeps where light would come in."""
        seen, body = self._seen, self._body
        skin = np.flatnonzero(seen.material == Material.SKIN)
        inward = -seen.normal[skin]
        hits = body.caster.nearest(seen.position[skin] + inward * 0.05, inward)
        triangle = np.maximum(hits.triangle, 0)
        leaves = (body.facing[triangle] * inward).sum(1) > 0.2
        leaves &= (body.mesh.material[triangle] == Material.SKIN) & (hits.distance < THIN_CM)
        thin = skin[leaves]
        depth, inward = hits.distance[leaves] + 0.05, inward[leaves]
        self._behind: Float = body.facing[triangle[leaves]]
        self._entrance: Float = seen.position[thin] + inward * depth[:, None] + self._behind * 0.03
        out = seen.albedo[thin] * (self.gloss.exit[thin] / np.float32(np.pi))[:, None]
        self._through: Float = (out * transmission(depth)).T.astype(np.float32)
        return thin

    def _shine_through(self, number: int) -> Float:
        """Radiance ``(3, T)`` of thin skin lit from behind."""
        light = self._lights[number]
        cosine = self._behind @ light
        result = np.zeros(len(cosine), np.float32)
        lit = np.flatnonzero(cosine > 0)
        towards = np.broadcast_to(light, (len(lit), 3))
        result[lit] = cosine[lit] * self._left(number, self._entrance[lit], towards)
        return self._through * result


def _gloss(seen: Samples) -> Gloss:
    second = np.where(seen.material == Material.SKIN, np.float32(SECOND_LOBE), np.float32(0))
    return make_gloss((seen.bumped * seen.view).sum(1), seen.alpha, seen.f0, second)
