# SPDX-License-Identifier: Apache-2.0
"""What is done to the light on a portrait: the lights added, and how much of the old one stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from relight.light import Light


@dataclass(frozen=True)
class Setup:
    """What is done to the light on a portrait.

    Attributes:
        lights: added to it.
        fill: share in (0, 1] of the existing light that stays on the person.
        reason: why, in a sentence or two; empty for a user's own.
        shares: how much of all this each face gets, the largest face first, in [0, 1]; a face
            beyond the last gets all of it.
    """

    lights: tuple[Light, ...] = ()
    fill: float = 1.0
    reason: str = field(default="", compare=False)
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the lights and the fill."""
        lights: list[Any] = list(self.lights)
        if not all(isinstance(light, Light) for light in lights):
            raise TypeError(f"lights are Light objects, got {lights!r:.80}")
        if not 0 < self.fill <= 1:  # catches NaN too
            raise ValueError(f"fill lies in (0, 1], got {self.fill}")
        shares = tuple(float(share) for share in self.shares)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(f"shares lie in [0, 1], got {self.shares}")
        object.__setattr__(self, "lights", tuple(lights))
        object.__setattr__(self, "fill", float(self.fill))
        object.__setattr__(self, "shares", shares)

    @property
    def changes(self) -> bool:
        """Whether it changes anything on any photo."""
        return self.fill < 1 or any(light.shines for light in self.lights)

    def shining(self, factor: float) -> Setup:
        """The same setup with every light's gloss times this; see :meth:`Light.shining`."""
        return replace(self, lights=tuple(light.shining(factor) for light in self.lights))

    def shares_of(self, faces: int) -> tuple[float, ...]:
        """The share of each of so many faces."""
        return (*self.shares, *[1.0] * faces)[:faces]

    @classmethod
    def of(cls, given: Setup | Light | Iterable[Light], fill: float | None = None) -> Setup:
        """A setup as it is, or of one light or several; with another fill if one is given."""
        if isinstance(given, Setup):
            made = given
        elif isinstance(given, Light):
            made = cls((given,))
        elif isinstance(given, Iterable):
            made = cls(tuple(given))
        else:
            raise TypeError(f"a setup is made of Light objects, got {given!r:.80}")
        return made if fill is None else replace(made, fill=fill)
