# SPDX-License-Identifier: Apache-2.0
"""A photo looked at once, to be relit many times: only what a change touches is redone."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.face.face import Face
from relight.gain import apply as quotient
from relight.gain.apply import GainMap
from relight.gain.canvas import Canvas
from relight.gain.grain import Grain
from relight.gain.guide import FaceGain, Guide
from relight.light import BRIGHTEST, Light
from relight.photo.color.gamut import Gamut
from relight.photo.file import Photo
from relight.placement.likeness import likeness
from relight.placement.rule import GROUP, suggest
from relight.result import Result
from relight.setup import Setup
from relight.stage.analysis import Analysis, key_gain
from relight.stage.stages import Stages

Float = NDArray[np.float32]

PREVIEW_SIDE = 1024
"""Longer side of a preview, pixels, unless another is asked for."""
GAINS = 32
"""Lights whose gains, as the networks give them, are kept: 0.25 MB a face each."""
FITS = 4
"""Lights whose gains, fitted to the photo's edges, are kept at each size: up to 12 MB each."""
SIZES = 2
"""Sizes of the photo whose edges are kept: a preview's and its own; up to 100 MB and more each."""


class Portrait:
    """A photo looked at once; made by ``Relighter.look``.

    A light's gain is predicted and fitted to the photo's edges once for each direction, softness
    and gloss. Intensity, colour, fill and strength never run a network. May be shared by threads.

    Attributes:
        photo: the photo.
        analyses: one per face, the largest face first; at least one.
        timings: seconds that the look took, by stage.
    """

    def __init__(
        self,
        photo: Photo,
        analyses: Sequence[Analysis],
        stages: Stages,
        *,
        threads: int = 1,
        timings: Mapping[str, float] | None = None,
        canvas: Callable[[], Canvas] | None = None,
    ) -> None:
        """Prepare; edges are found when they are first needed.

        Args:
            photo: the photo.
            analyses: of its faces, the largest first, at least one.
            stages: to predict gains with.
            threads: for the full-resolution work.
            timings: what the look took.
            canvas: gives the photo's edges at its own size, found beforehand.
        """
        if not analyses:
            raise ValueError("a portrait has at least one face")
        self.photo = photo
        self.analyses = list(analyses)
        self.timings = dict(timings or {})
        self._stages, self._threads, self._canvas = stages, threads, canvas
        self._predicting, self._fitting = threading.Lock(), threading.Lock()
        self._gains = functools.lru_cache(GAINS)(self._predict)
        self._sheets = functools.lru_cache(SIZES)(self._sheet_of)

    @property
    def faces(self) -> list[Face]:
        """The faces, largest first."""
        return [analysis.face for analysis in self.analyses]

    def suggest(
        self,
        pattern: str | None = None,
        *,
        like: Portrait | None = None,
        most: int | None = GROUP,
    ) -> Setup:
        """What a portrait photographer would do to the light, with the reason.

        Args:
            pattern: ``loop``, ``rembrandt``, ``butterfly``, ``split``, ``clamshell``, ``rim`` or
                ``balance``; ``None`` for what suits the photo.
            like: a portrait whose light is copied instead: the key's direction from the head, the
                ratio of key to fill, and the warmth, as they are on its largest face.
            most: how many faces, the largest ones, are lit; ``None`` for all.

        Raises:
            ValueError: for an unknown pattern, or a pattern beside a portrait to copy from.
        """
        if pattern is not None and like is not None:
            raise ValueError("a pattern and a portrait to copy from exclude each other")
        wanted = pattern if like is None else likeness(like.analyses[0])
        return suggest(self.analyses, self._gains_of, wanted, most)

    def prepare(self, side: int | None = None) -> None:
        """Find the photo's edges at a size now, not when it is first rendered.

        Args:
            side: longer side of a preview, pixels; ``None`` takes the photo's own size.
        """
        self._fitted([], side)

    def gain(self, light: Light, side: int | None = None) -> GainMap:
        """Key gain G of a light's direction, softness and gloss, for unit intensity, white.

        Args:
            light: its intensity and colour do not matter.
            side: longer side of a preview, pixels; ``None`` takes the photo's own size.

        Returns:
            The gain on a grid over part of the photo or preview, >= 0.
        """
        sheet, fits = self._fitted([light], side)
        return sheet.guide.join(fits, [(1, 1, 1)])

    def render(
        self,
        setup: Setup | Light | Iterable[Light],
        strength: float = 1.0,
        side: int | None = None,
    ) -> Result:
        """Relight the photo.

        Args:
            setup: what to do, or just lights to add.
            strength: factor on all that is done, in [0, 100]; 0 gives the photo bit for bit. Above
                1 it makes the lights stronger and takes no more of the existing light away.
            side: longer side of a preview, pixels; ``None`` takes the photo's own size. A photo is
                never enlarged.

        Raises:
            ValueError: for a strength or side out of range.
        """
        if not 0 <= strength <= BRIGHTEST:  # catches NaN too
            raise ValueError(f"strength lies in [0, {BRIGHTEST:g}], got {strength}")
        made, strength = Setup.of(setup), float(strength)
        shining = [light for light in made.lights if light.shines]
        shares = made.shares_of(len(self.analyses))
        start = time.perf_counter()
        sheet, fits = self._fitted(shining, side, shares)
        weights = [light.intensity * sheet.color_of(light) for light in shining]
        added = sheet.guide.join(fits, weights)
        taken = None
        if made.fill < 1:
            taken = sheet.guide.taken([(1 - made.fill) * share for share in shares])
        middle = time.perf_counter()
        image = quotient.apply(
            sheet.rgb,
            added,
            strength=strength,
            taken=taken,
            threads=self._threads,
            gamut=sheet.gamut,
            grain=sheet.grain,
        )
        timings = {"gain": middle - start, "apply": time.perf_counter() - middle}
        return Result(
            image=image,
            photo=self.photo,
            faces=self.faces,
            setup=made,
            analyses=list(self.analyses),
            strength=strength,
            timings=self.timings | timings,
        )

    def _fitted(
        self, lights: Sequence[Light], side: int | None, shares: tuple[float, ...] = ()
    ) -> tuple[_Sheet, list[Float]]:
        """The photo at a size, and what is kept of each light there."""
        shares = shares or (1.0,) * len(self.analyses)
        if side is not None and side < 1:
            raise ValueError(f"a preview's side is >= 1, got {side}")
        longer = max(self.photo.width, self.photo.height)
        for light in lights:  # beside a thread that prepares the edges
            self._predicted(*_key(light))
        with self._fitting:
            sheet = self._sheets(None if side is None or side >= longer else side)
            return sheet, [sheet.fit(shares, *_key(light)) for light in lights]

    def _gains_of(self, light: Light) -> list[Float]:
        """A light's gains on the faces' crops, as the networks give them."""
        return [gain.head for gain in self._predicted(*_key(light))]

    def _predicted(self, *key: float) -> list[FaceGain]:
        """What is kept of the networks' gains of a light."""
        with self._predicting:
            return self._gains(*key)

    def _predict(
        self, azimuth_deg: float, elevation_deg: float, softness_deg: float, gloss: float
    ) -> list[FaceGain]:
        """What is predicted of a unit light, for each face on its crop and its body's square."""
        light = Light(azimuth_deg, elevation_deg, softness_deg=softness_deg, gloss=gloss)
        return [key_gain(self._stages, analysis, light) for analysis in self.analyses]

    def _sheet_of(self, side: int | None) -> _Sheet:
        """The photo at a size, its edges found."""
        outlines = [analysis.outline for analysis in self.analyses]
        rgb: NDArray[Any] = self.photo.rgb
        if side is None:
            found, self._canvas = self._canvas, None
            canvas = found() if found else Canvas(self.photo.rgb8, [o.reach for o in outlines])
        else:
            import cv2

            scale = side / max(self.photo.width, self.photo.height)
            size = [max(1, round(n * scale)) for n in (self.photo.width, self.photo.height)]
            rgb = cv2.resize(self.photo.rgb8, size, interpolation=cv2.INTER_AREA)
            outlines = [outline.scaled(scale) for outline in outlines]
            canvas = Canvas(rgb, [o.reach for o in outlines])
        guide = Guide(canvas, outlines)

        @functools.lru_cache(FITS)
        def fit(shares: tuple[float, ...], *key: float) -> Float:
            gains = self._predicted(*key)
            if min(shares) < 1:
                gains = [gain.scaled(share) for gain, share in zip(gains, shares, strict=True)]
            return guide.fit(gains)

        gamut, grain = self.photo.gamut if side is None else None, guide.grain
        if grain is not None and gamut is not None:
            grain = grain.seen_in(gamut)
        return _Sheet(rgb, guide, fit, gamut, grain)


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A photo at one size.

    Attributes:
        rgb: its pixels.
        guide: its edges.
        fit: the fitted gain of a unit light, by the faces' shares and what else it depends on.
        gamut: the colours of its pixels; None for sRGB.
        grain: their noise; None where they have none.
    """

    rgb: NDArray[Any]
    guide: Guide
    fit: Callable[..., Float]
    gamut: Gamut | None
    grain: Grain | None

    def color_of(self, light: Light) -> NDArray[Any]:
        """A light's colour in these primaries."""
        color = np.array(light.color)
        return color if self.gamut is None else self.gamut.adapt(color)


def _key(light: Light) -> tuple[float, float, float, float]:
    """What a light's gain depends on; angles in degrees."""
    return light.azimuth_deg, light.elevation_deg, light.softness_deg, light.gloss


class Preview:
    """A portrait at preview size; made by ``Relighter.preview``.

    Attributes:
        portrait: the photo, looked at.
        side: longer side of the preview at most, pixels.
        rgb: the photo at preview size, ``(h, w, 3)`` uint8 sRGB.
    """

    def __init__(self, portrait: Portrait, side: int = PREVIEW_SIDE) -> None:
        """Shrink the photo and find its edges."""
        self.portrait, self.side = portrait, side
        self.rgb = self.relight([])

    @property
    def analyses(self) -> list[Analysis]:
        """One per face, of the photo at full size."""
        return self.portrait.analyses

    def relight(self, lights: Light | Sequence[Light], *, strength: float = 1.0) -> NDArray[Any]:
        """The preview with lights added; see :meth:`Portrait.render`."""
        return self.portrait.render(lights, strength, self.side).image
