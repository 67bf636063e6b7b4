# SPDX-License-Identifier: Apache-2.0
"""What was set up, in words: first for everybody, then with the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from relight.light import Light
from relight.placement.intent import STRONGEST
from relight.placement.recipe import BALANCE
from relight.placement.solution import Outcome

SOFT_DEG = 7.0
"""Radius from which a light is called soft."""
FRONT_DEG, BEHIND_DEG = 15.0, 100.0
"""Azimuths up to which a light stands in front, and from which behind."""
HEIGHTS_DEG = (-10.0, 12.0, 36.0)
"""Elevations up to which a light stands below the eyes, at their height, and a little above."""
UNTOUCHED = 0.97
"""Fill from which the existing light counts as left alone."""
RAISED = 1.15
"""Brightness over what it was from which a face counts as raised,"""
DARKER = 0.9
"""and up to which it counts as darker."""
WITHIN = 0.95
"""Part of a ratio from which it counts as reached."""


def standing(light: Light) -> str:
    """Where a light stands, as seen by the viewer."""
    across = abs(light.azimuth_deg)
    side = "right" if light.azimuth_deg > 0 else "left"
    if across <= FRONT_DEG:
        place = "from the front"
    elif across >= BEHIND_DEG:
        place = f"from behind on the {side}"
    else:
        place = f"from the {side}"
    below, level, above = HEIGHTS_DEG
    if light.elevation_deg <= below:
        height = "from below"
    elif light.elevation_deg <= level:
        height = "at the height of the eyes"
    elif light.elevation_deg <= above:
        height = "a little above the eyes"
    else:
        height = "high above the eyes"
    return f"{place}, {height}"


def angles(light: Light) -> str:
    """Where a light stands, in degrees."""
    side = "right" if light.azimuth_deg > 0 else "left"
    height = "up" if light.elevation_deg >= 0 else "down"
    across, above = abs(light.azimuth_deg), abs(light.elevation_deg)
    return f"{across:.0f}° to the image {side} and {above:.0f}° {height}"


def lit(key: Light, fill: float, before: float, found: Outcome, aim: float, gist: str) -> str:
    """The reason of a setup that lights a face.

    Args:
        key: the first of its lights, camera frame.
        fill: share of the existing light left.
        before: the face's ratio as it was.
        found: what comes out.
        aim: ratio aimed at; 0 for none.
        gist: what the light does.
    """
    kind = "Soft" if key.softness_deg >= SOFT_DEG else "Crisp"
    plain = f"{kind} key {standing(key)}; {gist}"
    if found.brightness >= RAISED:
        plain += f", and the face is raised by {math.log2(found.brightness):.1f} stops"
    elif found.brightness <= DARKER:
        plain += f", and the face is {-math.log2(found.brightness):.1f} stops darker"
    stops = f"fill {math.log2(fill):.1f} stops" if fill < UNTOUCHED else "the existing light kept"
    numbers = (
        f"Key {angles(key)}, intensity {key.intensity:.2f}, {stops}:"
        f" key-to-fill {before:.1f}:1 becomes {found.uneven:.1f}:1"
    )
    return f"{plain}. {numbers}{_limit(found, aim)}."


def unlit(wanted: object, ratio: float, key: Light, faces: int = 1) -> str:
    """Why no light is added.

    Args:
        wanted: a pattern's name; ``None`` for the automatic light.
        ratio: the face's key-to-fill.
        key: where one would stand, camera frame.
        faces: how many there are.
    """
    if faces > 1:
        return f"No light added: most of the {faces} faces are lit well, and a key would spoil it."
    numbers = f"Key-to-fill is {ratio:.1f}:1; a key would stand {angles(key)}."
    if wanted == BALANCE.name and ratio <= BALANCE.ratio:
        return f"No light added: the face is lit evenly already. {numbers}"
    if wanted is None and ratio > STRONGEST:
        return f"No light added: the light that is there is strong, and is left alone. {numbers}"
    return f"No light added: none that looks natural would be seen. {numbers}"


def group(shares: Sequence[float]) -> str:
    """Who of a group gets how much."""
    lit = [share for share in shares if share > 0]
    words = f"{len(lit)} of {len(shares)} faces are lit"
    if min(lit) < max(lit):
        words += f", the least of them with {min(lit):.0%} of this"
    return words + "."


def _limit(found: Outcome, aim: float) -> str:
    """What keeps a ratio from its aim."""
    if found.uneven >= WITHIN * aim:
        return ""
    if found.pressed:
        return f"; for {aim:.1f}:1 the bright side has no room left"
    return f"; {aim:.1f}:1 would take a key too strong to look natural"
