# SPDX-License-Identifier: Apache-2.0
"""Fitting low-resolution key gains to a photo's edges, with the photo as the guide.

What depends on the photo and the faces alone is worked out once; each further light costs only the
gain's own filtering.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from relight.gain.apply import GainMap
from relight.gain.canvas import Canvas, Ground
from relight.gain.edge import EdgeFilter, outline_on_edges
from relight.gain.reach import (
    Box,
    Place,
    Reach,
    around,
    enlarged,
    hull,
    inner,
    part_of,
    place,
    scale_for,
    share_out,
    window,
)
from relight.geometry import Crop, Grid

Float = NDArray[np.float32]

BODY_SIDE = 64
"""Side of the body's gain as predicted."""
OUTLINE_SIDE = 20
"""The person's outline may move by the crop's side over this to meet an edge of the photo."""
SURE = (0.45, 0.95)
"""Probability of a person between which pixels come to be theirs."""
MIXED = (0.15, 0.95)
"""Share of a cell that is a person's, as the photo's colours tell, between which light grows from
nothing to all: straight, so that a defocused outline ends softly, over half to two thirds of the
photo's own blur. From less on, light leaks; from 0.3 it ends a third sooner, within the person."""
BODY_SURE = (0.3, 0.7)
"""The same on a body: clothes are recognised less surely than hair, and end less softly."""
NOBODY = 0.02
"""Probability below which nobody is looked for: far less than where light begins."""
LEAST = 1e-3
"""Gains below this, invisible, are dropped; so is the filter's overshoot below zero."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Where light may fall on one square of a photo.

    Attributes:
        crop: the square.
        person: ``(R, R)`` probability in [0, 1] that a pixel is part of a person.
        confidence: ``(R', R')`` trust in the gain, [0, 1].
    """

    crop: Crop
    person: Float
    confidence: Float

    def drawn(self, values: Float, cells: Grid) -> Float:
        """Values on the square, drawn on cells that are finer than the square's pixels."""
        return enlarged(functools.partial(self.crop.onto_grid, values), self.crop, cells)

    def seen(self, shape: tuple[int, ...]) -> Box | None:
        """Rows and columns of a photo of ``shape`` (H, W, ...) that hold all of the person."""
        hits = [np.flatnonzero((self.person > NOBODY).any(axis)) for axis in (0, 1)]
        if not hits[0].size:
            return None
        side = len(self.person)
        corners = [(x, y) for x in hits[0][[0, -1]] for y in hits[1][[0, -1]]]
        at = self.crop.to_photo((np.array(corners, float) + 0.5) / side)
        margin = 2 * self.crop.size / side
        left, top = np.maximum(np.floor(at.min(0) - margin), 0).astype(int).tolist()
        right, bottom = np.minimum(np.ceil(at.max(0) + margin), shape[1::-1]).astype(int).tolist()
        return (slice(top, bottom), slice(left, right)) if top < bottom and left < right else None


@dataclass(frozen=True, eq=False)
class Outline:
    """Where one face's light may fall: on its crop, and on a wider square around the body.

    Attributes:
        crop: the face's square of the photo.
        person: ``(R, R)`` probability in [0, 1] that a pixel of it is part of a person.
        face: ``(R', R')`` in [0, 1], 1 where it is so for certain: inside the face.
        confidence: ``(R'', R'')`` trust in the gain, [0, 1].
        body: the wider square, turned as the crop; ``None`` where there is none.
    """

    crop: Crop
    person: Float
    face: Float
    confidence: Float
    body: Layer | None = None

    @property
    def reach(self) -> Reach:
        """The squares."""
        return Reach(self.crop, None if self.body is None else self.body.crop)

    def scaled(self, factor: float) -> Outline:
        """The outline on the photo scaled by a factor."""
        body = self.body
        if body is not None:
            body = replace(body, crop=body.crop.scaled(factor))
        return replace(self, crop=self.crop.scaled(factor), body=body)


class FaceGain(NamedTuple):
    """A face's gain as predicted.

    Attributes:
        head: ``(S, S, 3)`` float32 >= 0 on its crop.
        body: the same on the body's square; ``None`` where there is none.
    """

    head: Float
    body: Float | None = None

    def scaled(self, factor: float) -> FaceGain:
        """So many times the gain."""
        by = np.float32(factor)
        return FaceGain(self.head * by, None if self.body is None else self.body * by)


class Guide:
    """A photo's edges and the outlines of its people: made once, used for every light.

    Attributes:
        grid: the cells that gains are fitted to: all on which there are people.
        person: ``(h, w)`` float32 in [0, 1] on them, the people whose outlines they are, fading
            towards where their squares end within the photo.
        grain: the photo's noise on them; ``None`` where it has none.
    """

    def __init__(self, canvas: Canvas, outlines: Sequence[Outline]) -> None:
        """Fit the outlines to the photo.

        The gain fades towards the squares' borders and where the photo is too dark to be
        multiplied.

        Args:
            canvas: of the photo, for the outlines' squares.
            outlines: one per face, in the order of those squares.
        """
        import cv2

        ground, grid, shape = canvas.ground, canvas.ground.grid, canvas.ground.shape
        places = []
        for outline in outlines:
            seen = None if outline.body is None else outline.body.seen(shape)
            places.append(place(outline.reach, seen, grid, shape))
        share_out(places, [outline.crop for outline in outlines], grid)
        person, weights = np.zeros((grid.rows, grid.columns), np.float32), []
        self._people: list[tuple[Box, Float]] = []
        for outline, where in zip(outlines, places, strict=True):
            here, trust = _on_place(outline, where, ground)
            here *= where.share
            person[where.box] += here
            self._people.append((where.box, here))
            trust *= here
            trust *= ground.trust[where.box]
            weights.append(trust)
        cv2.threshold(person, LEAST, 0, cv2.THRESH_TOZERO, dst=person)
        np.minimum(person, 1, out=person)
        whole = hull([around(person > 0), *(where.head_box for where in places)])
        self.grid, self.person = part_of(grid, whole), np.ascontiguousarray(person[whole])
        self.grain = ground.grain and ground.grain.part(whole)
        self._shape, self._whole = person.shape, whole
        self._layers = [
            _layers(*each, ground, whole)
            for each in zip(outlines, places, weights, canvas.edges, strict=True)
        ]

    def taken(self, shares: Sequence[float]) -> Float:
        """How much of the existing light is taken away when a share is of each person.

        Args:
            shares: in [0, 1], one per outline.
        """
        most = np.float32(max(shares))
        if min(shares) == most:
            return most * self.person
        total = np.zeros(self._shape, np.float32)
        for (box, person), share in zip(self._people, shares, strict=True):
            total[box] += np.float32(share) * person
        total = np.where(total < np.float32(LEAST) * most, 0, np.minimum(total, most))
        return np.ascontiguousarray(total[self._whole])

    def fit(self, gains: Sequence[FaceGain]) -> Float:
        """Fit the faces' gains to the photo and join them; linear in the gains.

        Args:
            gains: one per face, in the outlines' order.

        Returns:
            ``(h, w, 3)`` float32 on the grid; the filter may overshoot below zero.
        """
        total = np.zeros((self.grid.rows, self.grid.columns, 3), np.float32)
        for layers, gain in zip(self._layers, gains, strict=True):
            for layer, values in zip(layers, gain, strict=False):
                if values is not None:
                    layer.add(values, total)
        return total

    def join(self, fits: Sequence[Float], weights: Sequence[ArrayLike]) -> GainMap:
        """The gain of several lights together.

        Args:
            fits: what :meth:`fit` gave for each light.
            weights: factor on each light's red, green and blue.
        """
        import cv2

        total: Float | None = None
        for fitted, weight in zip(fits, weights, strict=True):
            parts = np.asarray(weight, float).tolist()
            layer = fitted if parts == [1, 1, 1] else cv2.multiply(fitted, (*parts, 0.0))
            total = layer if total is None else cv2.add(total, layer)
        if total is None:
            total = np.zeros((self.grid.rows, self.grid.columns, 3), np.float32)
        _, total = cv2.threshold(total, LEAST, 0, cv2.THRESH_TOZERO)  # what is kept stays as it is
        return GainMap(self.grid.left, self.grid.top, self.grid.step, total)


def _on_place(outline: Outline, where: Place, ground: Ground) -> tuple[Float, Float]:
    """The person and the trust in the gain on one face's cells."""
    crop, body = outline.crop, outline.body
    cells, head = part_of(ground.grid, where.box), part_of(ground.grid, where.head_box)
    person = _ramp(crop.onto_grid(outline.person, head), *SURE)
    trust = crop.onto_grid(outline.confidence, head)
    if body is not None and where.box != where.head_box:
        person = where.joined(person, _ramp(body.drawn(body.person, cells), *BODY_SURE))
        trust = where.joined(trust, body.drawn(body.confidence, cells))
    reach = crop.size / cells.step / OUTLINE_SIDE
    # Of a blurred outline the filter tells how much of each cell is the person's.
    person = _ramp(outline_on_edges(ground.colors[where.box], person, reach), *MIXED)
    part = person[where.inner]
    np.maximum(part, crop.onto_grid(outline.face, head, outside=0.0), out=part)
    return person, trust


def _ramp(values: Float, low: float, high: float) -> Float:
    """0 below ``low``, 1 above ``high``, straight between them; any shape, changed in place."""
    values -= np.float32(low)
    values *= np.float32(1 / (high - low))
    return np.clip(values, 0, 1, out=values)


def _layers(
    outline: Outline,
    where: Place,
    weight: Float,
    edges: EdgeFilter,
    ground: Ground,
    whole: Box,
) -> list[_Layer]:
    """The squares of a face, ready for its gains: the head's, and the body's where it has one."""
    body, coarse = outline.body, edges.coarse
    head = _Layer(
        outline.crop,
        inner(where.head_box, whole),
        _tinted(weight[where.inner], ground.tint[where.head_box]),
        coarse,
        None if body is None else window(outline.crop, coarse, ground.shape),
        (edges, _for_colors(ground.brightness[where.head_box])),
    )
    if body is None:
        return [head]
    lit = weight > LEAST
    lit[where.inner] &= where.head < 1
    if not lit.any():
        return [head]
    box = around(lit, where.box)
    coarse = part_of(ground.grid, box, scale_for(body.crop.size / ground.grid.step / BODY_SIDE))
    beside = 1 - window(outline.crop, coarse, ground.shape)
    return [
        head,
        _Layer(
            body.crop,
            inner(box, whole),
            _tinted(weight[inner(box, where.box)], ground.tint[box]),
            coarse,
            beside,
        ),
    ]


def _tinted(weight: Float, tint: Float) -> Float:
    """A weight ``(h, w)`` of light, for red, green and blue."""
    import cv2

    return cv2.multiply(_for_colors(weight), tint)


def _for_colors(values: Float) -> Float:
    """Values ``(h, w)``, the same for red, green and blue."""
    import cv2

    return cv2.merge([np.ascontiguousarray(values)] * 3)


class _Layer:
    """One square's light on a photo: drawn on coarse cells, weighed on the grid's."""

    def __init__(
        self,
        crop: Crop,
        box: Box,
        weight: Float,
        coarse: Grid,
        counts: Float | None = None,
        edges: tuple[EdgeFilter, Float] | None = None,
    ) -> None:
        """Prepare.

        Args:
            crop: the square.
            box: the cells of the guide's grid that it lies on.
            weight: ``(h, w, 3)`` of the light there.
            coarse: the coarse cells.
            counts: ``(h', w')`` how far this square counts there; ``None`` for all.
            edges: what fits light to the photo's edges and ``(h, w, 3)`` brightness.
        """
        import cv2

        self._crop, self._box, self._coarse, self._edges = crop, box, coarse, edges
        self._weight = weight
        self._counts = None if counts is None else cv2.merge([counts] * 3)

    def add(self, gain: Float, total: Float) -> None:
        """Add the light of a gain on the square to that on the guide's grid."""
        import cv2

        drawn = self._crop.onto_grid(gain, self._coarse)
        planes = [drawn] if self._edges is None else [*self._edges[0].coefficients(drawn)]
        if self._counts is not None:
            planes = [cv2.multiply(plane, self._counts, dst=plane) for plane in planes]
        size = self._weight.shape[1::-1]
        first, *offset = (
            cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in planes
        )
        if self._edges is not None:
            cv2.multiply(first, self._edges[1], dst=first)
            cv2.add(first, offset[0], dst=first)
        cv2.multiply(first, self._weight, dst=first)
        part = total[self._box]
        cv2.add(part, first, dst=part)


def upsample(
    rgb: NDArray[np.uint8], outlines: Sequence[Outline], gains: Sequence[FaceGain]
) -> GainMap:
    """Fit faces' gains to a photo's edges, once; see :class:`Guide`."""
    guide = Guide(Canvas(rgb, [outline.reach for outline in outlines]), outlines)
    return guide.join([guide.fit(gains)], [(1, 1, 1)])
