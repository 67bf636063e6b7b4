# SPDX-License-Identifier: Apache-2.0
"""The light a user asks for: angles, intensity, colour (a name, hex code or kelvin), fill."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

import numpy as np

from relight import Light
from relight.color import luminance, srgb_to_linear
from relight.light import BRIGHTEST
from relight.placement.recipe import PATTERNS

Color = tuple[float, float, float]

DARKEST_FILL = -10.0
"""Fewest stops of the existing light: a thousandth of it, which nobody can tell from none."""
WHITE_K = 6500.0
"""Colour temperature that counts as white: we assume that the photo is balanced for daylight."""
NAMED_K = {"candle": 1900.0, "warm": 3200.0, "golden": 4000.0, "white": WHITE_K, "cool": 9000.0}
"""Names of light colours and their temperatures in kelvin."""
_XYZ_TO_RGB = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)


def parse_color(text: str) -> Color:
    """Linear RGB of a light: ``#rrggbb``, a colour temperature (``3200K``) or a name.

    Hex values and CSS names are sRGB colours. Temperatures and their names are as bright as white.

    Raises:
        ValueError: if it is none of these.
    """
    word = text.strip().lower()
    kelvin = NAMED_K.get(word)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*k", word)
    if match:
        kelvin = float(match[1])
    if kelvin is not None:
        return _temperature_color(kelvin)
    from PIL import ImageColor

    try:
        encoded = np.array(ImageColor.getrgb(word)[:3], np.uint8)
    except ValueError as error:
        names = ", ".join(NAMED_K)
        raise ValueError(
            f"{text!r} is not a colour; give #rrggbb, a temperature like 3200K, or a name: {names}"
        ) from error
    red, green, blue = srgb_to_linear(encoded).tolist()
    return red, green, blue


def parse_light(text: str) -> Light:
    """A light from ``AZ,EL[,K[,COLOR[,SOFTNESS]]]``, angles and softness in degrees.

    Raises:
        ValueError: if it is not of this form or out of range.
    """
    parts = text.split(",")
    azimuth, elevation, intensity, color, softness = (*parts, "", "", "", "")[:5]
    if not 2 <= len(parts) <= 5:
        raise ValueError(
            f"{text!r} is not a light; give AZ,EL[,K[,COLOR[,SOFTNESS]]] like -45,30,0.8,warm"
        )
    return Light(
        _number(text, "AZ", azimuth),
        _number(text, "EL", elevation),
        _number(text, "K", intensity or "1"),
        parse_color(color or "white"),
        _number(text, "SOFTNESS", softness or str(Light.softness_deg)),
    )


def _number(text: str, name: str, part: str) -> float:
    try:
        return float(part)
    except ValueError as error:
        raise ValueError(f"{text!r}: {name} must be a number, not {part!r}") from error


def check_strength(strength: float) -> float:
    """A factor on all added light, as it is.

    Raises:
        ValueError: if it is out of range.
    """
    if not 0 <= strength <= BRIGHTEST:  # catches NaN too
        raise ValueError(f"strength is between 0 and {BRIGHTEST:g}, got {strength:g}")
    return strength


def check_gloss(gloss: float) -> float:
    """A factor on every light's highlights, as it is.

    Raises:
        ValueError: if it is out of range.
    """
    if not 0 <= gloss <= BRIGHTEST:
        raise ValueError(f"gloss is between 0 and {BRIGHTEST:g}, got {gloss:g}")
    return gloss


def check_pattern(name: str) -> str:
    """A pattern's name, as it is.

    Raises:
        ValueError: if there is no such pattern.
    """
    if name not in PATTERNS:
        raise ValueError(f"{name!r:.40} is no pattern; the patterns are {', '.join(PATTERNS)}")
    return name


def fill_share(stops: float | None) -> float | None:
    """The share of the existing light that a fill in stops leaves; None stays automatic.

    Raises:
        ValueError: if it is out of range.
    """
    if stops is None:
        return None
    if not DARKEST_FILL <= stops <= 0:
        raise ValueError(f"fill is between {DARKEST_FILL:g} and 0 stops, got {stops:g}")
    return 2.0**stops


@dataclass(frozen=True)
class LightChoice:
    """What a user has chosen about the light; what is None stays automatic.

    Attributes:
        azimuth_deg: of the one light.
        elevation_deg: of the one light.
        intensity: of the one light.
        color: of the one light, linear RGB.
        lights: complete lights instead of that one.
        pattern: of light, by its name, instead of any of these.
        like: file of a portrait whose light is copied instead.
        everyone: whether all faces are lit, not only the largest of a group.
    """

    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    intensity: float | None = None
    color: Color | None = None
    lights: tuple[Light, ...] = ()
    pattern: str | None = None
    like: str | None = None
    everyone: bool = False

    def __post_init__(self) -> None:
        """Check the ranges, and that the ways of giving lights are not mixed.

        Raises:
            ValueError: if they are, or a value is out of range.
        """
        if self.pattern is not None:
            check_pattern(self.pattern)
        if self.pattern is not None and self.like is not None:
            raise ValueError("--pattern and --like both set all of the light; give one of them")
        if (self.pattern or self.like) and (self.lights or self._fixed):
            raise ValueError(
                "--pattern and --like set all of the light; use them without --light, --azimuth,"
                " --elevation, --intensity and --color"
            )
        if self.lights and self._fixed:
            raise ValueError(
                "--light describes a light completely; use it without --azimuth, --elevation,"
                " --intensity and --color"
            )
        self._replaced(Light(0.0, 0.0))

    @property
    def _fixed(self) -> dict[str, float | Color]:
        names = ("azimuth_deg", "elevation_deg", "intensity", "color")
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def moved(self) -> bool:
        """Whether the direction, or part of it, was chosen by hand."""
        return self.azimuth_deg is not None or self.elevation_deg is not None

    @property
    def needs_automatic(self) -> bool:
        """Whether the automatic light is needed to complete this choice."""
        return bool(self._fixed) and (self.azimuth_deg is None or self.elevation_deg is None)

    def complete(self, automatic: Light | None) -> list[Light] | None:
        """The lights to add; None leaves everything to automatic placement.

        A direction chosen by hand gets intensity 1 unless an intensity is chosen too: the
        automatic one, which is often 0, belongs to the automatic direction.

        Args:
            automatic: the light placed automatically, where :attr:`needs_automatic`.
        """
        if self.lights:
            return list(self.lights)
        if not self._fixed:
            return None
        light = automatic or Light(0.0, 0.0)
        if self.moved:
            light = dataclasses.replace(light, intensity=1.0)
        return [self._replaced(light)]

    def _replaced(self, light: Light) -> Light:
        light = dataclasses.replace(light, **self._fixed)  # type: ignore[arg-type]
        placed = [
            name
            for name, value, is_placed in (
                ("azimuth", self.azimuth_deg, True),
                ("elevation", self.elevation_deg, True),
                ("intensity", self.intensity, not self.moved),
            )
            if value is None and is_placed
        ]
        reason = (
            f"Key at azimuth {light.azimuth_deg:.0f}°, elevation {light.elevation_deg:.0f}°,"
            f" intensity {light.intensity:.2f}, as asked"
        )
        reason += f"; {', '.join(placed)} placed automatically." if placed else "."
        return dataclasses.replace(light, reason=reason)


def _temperature_color(kelvin: float) -> Color:
    """Linear RGB of luminance 1 of a black body, relative to :data:`WHITE_K`.

    Reference: Kim et al. 2002, "Design of advanced color temperature control system for HDTV
    applications" (cubic splines of the Planckian locus).
    """
    if not 1667 <= kelvin <= 25000:
        raise ValueError(f"a colour temperature is between 1667K and 25000K, got {kelvin:g}K")
    relative = np.maximum(_planckian_rgb(kelvin) / _planckian_rgb(WHITE_K), 0)
    red, green, blue = (relative / float(luminance(relative))).tolist()
    return red, green, blue


def _planckian_rgb(kelvin: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    t = 1000 / kelvin
    if kelvin <= 4000:
        x = np.polyval([-0.2661239, -0.2343589, 0.8776956, 0.179910], t)
    else:
        x = np.polyval([-3.0258469, 2.1070379, 0.2226347, 0.240390], t)
    if kelvin <= 2222:
        y = np.polyval([-1.1063814, -1.34811020, 2.18555832, -0.20219683], x)
    elif kelvin <= 4000:
        y = np.polyval([-0.9549476, -1.37418593, 2.09137015, -0.16748867], x)
    else:
        y = np.polyval([3.0817580, -5.87338670, 3.75112997, -0.37001483], x)
    return _XYZ_TO_RGB @ np.array([x / y, 1.0, (1 - x - y) / y])
