# SPDX-License-Identifier: Apache-2.0
"""The named patterns of portrait light: where the key stands, how soft it is, what it is to reach.

Reference: Hunter, Biver & Fuqua, "Light: Science and Magic", chapter on portraits.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """A pattern; angles in degrees, as seen from the face.

    Attributes:
        name: what it is asked for by.
        azimuth_deg: of the key from the nose, towards the key's side.
        elevation_deg: of the key above the eyes.
        softness_deg: radius of its lights, as the face sees them.
        ratio: key-to-fill aimed at; 0 where both cheeks are lit alike.
        shares: least and largest part of the face's light that the key makes to reach it.
        intensity: of a key behind the face, where nothing on its front says how strong it is; 0
            where it is solved for.
        fill: share of the existing light that stays beside such a key.
        below: intensity over the key's of a second light, as far below the eyes; 0 for none.
        gist: what it does, for people who are no photographers.
    """

    name: str
    azimuth_deg: float
    elevation_deg: float
    softness_deg: float
    ratio: float = 0.0
    shares: tuple[float, float] = (0.0, 0.0)
    intensity: float = 0.0
    fill: float = 1.0
    below: float = 0.0
    gist: str = ""


LOOP = Recipe(
    "loop",
    azimuth_deg=40.0,
    elevation_deg=30.0,
    softness_deg=8.0,
    ratio=2.0,
    shares=(0.4, 0.65),
    gist="the nose throws a small shadow beside itself",
)
"""The customary light: flattering on most faces."""
REMBRANDT = Recipe(
    "rembrandt",
    azimuth_deg=50.0,
    elevation_deg=41.0,
    softness_deg=4.0,
    ratio=4.0,
    shares=(0.5, 0.7),
    gist="the far cheek keeps a triangle of light",
)
"""The nose's shadow meets the cheek's."""
BUTTERFLY = Recipe(
    "butterfly",
    azimuth_deg=0.0,
    elevation_deg=48.0,
    softness_deg=6.0,
    shares=(0.6, 0.6),
    gist="both cheeks are lit alike, from high in front",
)
"""The shadow under the nose has a butterfly's shape."""
SPLIT = Recipe(
    "split",
    azimuth_deg=75.0,
    elevation_deg=5.0,
    softness_deg=8.0,
    ratio=5.0,
    shares=(0.5, 0.7),
    gist="one half of the face is left in shadow",
)
"""The key stands beside the face. Further round it would have to be so strong that it bleaches what
little it falls on."""
CLAMSHELL = Recipe(
    "clamshell",
    azimuth_deg=0.0,
    elevation_deg=38.0,
    softness_deg=18.0,
    shares=(0.6, 0.6),
    below=0.5,
    gist="light from above and below leaves few shadows",
)
"""Butterfly light, its shadows opened from below."""
RIM = Recipe(
    "rim",
    azimuth_deg=145.0,
    elevation_deg=25.0,
    softness_deg=6.0,
    intensity=1.5,
    fill=0.85,
    gist="it draws the edge of hair and cheek",
)
"""The key stands behind the face."""
BALANCE = Recipe(
    "balance",
    azimuth_deg=0.0,
    elevation_deg=12.0,
    softness_deg=40.0,
    ratio=3.0,
    shares=(0.0, 0.65),
    gist="it opens the shadows",
)
"""Soft light from the front, for a face that is harshly lit."""
PATTERNS = {
    recipe.name: recipe for recipe in (LOOP, REMBRANDT, BUTTERFLY, SPLIT, CLAMSHELL, RIM, BALANCE)
}
