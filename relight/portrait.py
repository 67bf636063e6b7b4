# SPDX-License-Identifier: Apache-2.0
"""A photo at preview size, for moving a light by hand: only what the light changes is redone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.gain import apply as quotient
from relight.gain.guide import Canvas, Guide
from relight.light import BRIGHTEST, Light
from relight.stage.analysis import Analysis, added_gain
from relight.stage.stages import Stages

PREVIEW_SIDE = 1024
"""Longer side of a preview, pixels, unless another is asked for."""


class Preview:
    """A photo that was looked at once, to be relit many times; made by ``Relighter.preview``.

    Each :meth:`relight` runs the quotient network once per light and face, fits its gain to the
    edges found before, and multiplies the small photo. The same light at full resolution is
    ``relighter.relight(photo, lights, analyses=preview.analyses)``.

    Attributes:
        rgb: the photo at preview size, ``(h, w, 3)`` uint8 sRGB.
        analyses: one per face, of the photo at full size.
    """

    def __init__(
        self,
        stages: Stages,
        analyses: Sequence[Analysis],
        side: int = PREVIEW_SIDE,
        threads: int = 1,
    ) -> None:
        """Shrink the photo and find its edges.

        Args:
            stages: to predict the gain with.
            analyses: of one photo's faces, at least one.
            side: longer side of the preview at most, >= 1; a photo is never enlarged.
            threads: for the multiplication.
        """
        import cv2

        if side < 1:
            raise ValueError(f"a preview's side is >= 1, got {side}")
        self.analyses = list(analyses)
        self._stages, self._threads = stages, threads
        full = self.analyses[0].photo_rgb
        height, width = full.shape[:2]
        scale = min(1.0, side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        self.rgb = full if scale == 1 else cv2.resize(full, size, interpolation=cv2.INTER_AREA)
        whole = [analysis.outline for analysis in self.analyses]
        outlines = [replace(outline, crop=outline.crop.scaled(scale)) for outline in whole]
        canvas = Canvas(self.rgb, [outline.crop for outline in outlines])
        self._guide = Guide(canvas, outlines)

    def relight(
        self, lights: Light | Sequence[Light], *, strength: float = 1.0
    ) -> NDArray[np.uint8]:
        """The preview with lights added, ``(h, w, 3)`` uint8 sRGB.

        Args:
            lights: one or several.
            strength: factor on the added light in [0, 100].

        Raises:
            ValueError: for a strength out of range.
        """
        if not 0 <= strength <= BRIGHTEST:
            raise ValueError(f"strength lies in [0, {BRIGHTEST:g}], got {strength}")
        chosen = [lights] if isinstance(lights, Light) else list(lights)
        gains = [added_gain(self._stages, analysis, chosen) for analysis in self.analyses]
        added = self._guide.fit(gains)
        result: NDArray[Any] = quotient.apply(
            self.rgb, added, strength=float(strength), threads=self._threads
        )
        return result
