# SPDX-License-Identifier: Apache-2.0
"""Intensity and fill together, so that a face's pixels come out as they are wanted.

A face's own pixels are relit, at 128 pixels a crop, by the formula that relights the photo; what is
wanted of them is measured on the outcome.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.color import change_encoded, encoded_gain, luminance, srgb_to_linear
from relight.gain.apply import shoulder
from relight.gain.cell import LIFT
from relight.gain.edge import trust_in
from relight.placement.cheek import Cheeks, cheeks, middle
from relight.stage.analysis import Analysis
from relight.stage.view import Mask

Float = NDArray[np.float32]

LEAST_FILL = 0.15
"""Least share of the existing light that is left."""
STRONGEST_KEY = 3.5
"""Largest intensity: a key that hardly reaches a face is not made up for by its strength. At 6 what
little of a profile it grazes looked like plaster, of 64 portraits."""
STEPS = 12
"""Halvings of the interval that holds the share looked for: it is found to a part in 4000."""
PRESSED = 1.1
"""Factor on what is wanted from which highlights are said to hold a key back."""
NOTHING = 1e-6
"""Light so little that it counts as none."""


class Outcome(NamedTuple):
    """A face's pixels once they are relit.

    Attributes:
        intensity: k of the key.
        fill: share of the existing light left.
        share: part of the face's light that the key makes.
        ratio: right cheek over left cheek.
        brightness: mean luminance over what it was.
        change: mean absolute change, levels of 255.
        pressed: whether highlights or the limit on lifting take a tenth of what is wanted, of a key
            that might be stronger.
    """

    intensity: float
    fill: float
    share: float
    ratio: float
    brightness: float
    change: float
    pressed: bool = False

    @property
    def uneven(self) -> float:
        """Key-to-fill, whichever side is brighter."""
        return max(self.ratio, 1 / self.ratio)

    def towards(self, side: int) -> float:
        """The ratio of the cheek on a side, +1 image right, over the other."""
        return self.ratio if side > 0 else 1 / self.ratio


@dataclass(frozen=True, eq=False)
class Skin:
    """The pixels of a face that a setup is solved on.

    Attributes:
        encoded: ``(N, 3)`` float32 sRGB in [0, 1], row by row.
        trust: ``(N, 1)`` share of added light that dark pixels get.
        left: ``(N,)`` bool, those of the cheek turned to image left.
        right: ``(N,)`` bool.
        mask: ``(128, 128)`` bool, where they lie on the crop.
    """

    encoded: Float
    trust: Float
    left: Mask
    right: Mask
    mask: Mask

    @classmethod
    def of(cls, analysis: Analysis, measured: Cheeks | None = None) -> Skin:
        """A face's pixels; all of the crop where no face was drawn."""
        view = analysis.view
        mask = view.face if view.face.any() else np.ones_like(view.face)
        measured = measured or cheeks(view)
        trust = trust_in(view.photo)[mask][:, None]
        return cls(view.photo[mask], trust, measured.left[mask], measured.right[mask], mask)

    def relit(self, gain: Float, intensity: float, fill: float) -> Float:
        """The pixels ``(N, 3)`` sRGB with a key added and the existing light at ``fill``.

        Args:
            gain: ``(N, 3)`` key gain of unit intensity, trusted.
            intensity: of the key.
            fill: share of the existing light left.
        """
        kept = np.full_like(gain, fill)
        before = change_encoded(self.encoded, kept, encoded_gain(kept))
        whole = np.minimum(kept + np.float32(intensity) * gain, np.float32(LIFT))
        after = change_encoded(self.encoded, whole, encoded_gain(whole))
        return np.stack([*shoulder(before.T, after.T)], -1)

    def measure(self, after: Float) -> tuple[float, float, float]:
        """Right cheek over left, mean brightness over what it was, and the change in levels."""
        shown, was = luminance(srgb_to_linear(after)), luminance(srgb_to_linear(self.encoded))
        ratio = middle(shown[self.right]) / middle(shown[self.left])
        brightness = float(shown.mean() / max(float(was.mean()), NOTHING))
        return ratio, brightness, float(np.abs(after - self.encoded).mean() * 255)


class Solver:
    """Finds intensity and fill for one face, one direction of the key and one brightness."""

    def __init__(self, skin: Skin, gain: Float, stops: float) -> None:
        """Prepare.

        Args:
            skin: the face's pixels.
            gain: ``(128, 128, 3)`` key gain of unit intensity on the crop.
            stops: by which the face's mean brightness is to change.
        """
        self._skin, self._wanted, self._strongest = skin, 2.0**stops, STRONGEST_KEY
        self._gain = gain[skin.mask] * skin.trust
        was = srgb_to_linear(skin.encoded)
        added = float(luminance(was * self._gain).mean())
        self._each = added / max(float(luminance(was).mean()), NOTHING)
        """Mean brightness that unit intensity adds, over what is there."""

    @property
    def blind(self) -> bool:
        """Whether the key does not reach the face."""
        return self._each < NOTHING

    @property
    def least(self) -> float:
        """The share that brightens the face as wanted with all of the existing light kept."""
        return max(0.0, 1 - 1 / self._wanted)

    def at(self, share: float) -> Outcome:
        """The face when the key makes a share of its light.

        What the shoulder and the limit on lifting take is given back once, in the same parts.
        """
        found = self._try(share, self._wanted)
        lost = min(max(self._wanted / max(found.brightness, NOTHING), 1 / LIFT), LIFT)
        found = self._try(share, self._wanted * lost)
        return found._replace(pressed=lost > PRESSED and self.spares(found))

    def spares(self, outcome: Outcome) -> bool:
        """Whether the key might be stronger."""
        return outcome.intensity < (1 - NOTHING) * self._strongest

    def _try(self, share: float, wanted: float) -> Outcome:
        fill = max(LEAST_FILL, (1 - share) * wanted, wanted - self._strongest * self._each)
        fill = min(1.0, fill)
        intensity = min(self._strongest, max(0.0, wanted - fill) / max(self._each, NOTHING))
        after = self._skin.relit(self._gain, intensity, fill)
        return Outcome(intensity, fill, share, *self._skin.measure(after))

    def given(self, intensity: float, fill: float) -> Outcome:
        """The face under a key of an intensity that is not solved for."""
        after = self._skin.relit(self._gain, intensity, fill)
        return Outcome(intensity, fill, 0.0, *self._skin.measure(after))

    def brighter(self, stops: float) -> Solver:
        """The same for another brightness, no less than this one's."""
        other = copy.copy(self)
        other._wanted = max(self._wanted, 2.0**stops)
        return other

    def darker(self, stops: float) -> Solver:
        """The same for a face that is darker by so much."""
        other = copy.copy(self)
        other._wanted *= 2.0**-stops
        return other

    def no_stronger(self, intensity: float) -> Solver:
        """The same with a key of this intensity at most, beside more of the existing light."""
        other = copy.copy(self)
        other._strongest = intensity
        return other

    def until(self, reached: Callable[[Outcome], bool], least: float, most: float) -> Outcome:
        """The smallest share of the key that reaches something; the largest if none does.

        Args:
            reached: true from some share on.
            least: where the search starts, or where the face is as bright as wanted.
            most: where it ends.
        """
        low, high = max(least, self.least), max(most, self.least)
        first, last = self.at(low), self.at(high)
        if reached(first):
            return first
        if not reached(last):
            return last
        return narrowed(self.at, reached, low, high, last)


def narrowed(
    at: Callable[[float], Outcome],
    reached: Callable[[Outcome], bool],
    low: float,
    high: float,
    last: Outcome,
) -> Outcome:
    """The outcome of the smallest number that reaches something.

    Args:
        at: the outcome of a number.
        reached: not at ``low``, and from some number on.
        low: least number.
        high: largest number, which reaches it.
        last: its outcome.
    """
    for _ in range(STEPS):
        middle = (low + high) / 2
        half = at(middle)
        if reached(half):
            high, last = middle, half
        else:
            low = middle
    return last
