# SPDX-License-Identifier: Apache-2.0
"""People whose heads are made in code.

Identity and expression are smooth displacements of the mean head, placed by anatomy; the mouth
stays closed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.head.curve import LANDMARKS, LOWER_LID, UPPER_LID, mirrored, smooth
from data_synth.head.head import EYE_CENTER, Head, Int
from data_synth.head.mean_head import MeanHead, ball_depth, mean_head, turned
from data_synth.noise import blob
from data_synth.person import HeadSource
from data_synth.trait import SubjectRanges, Traits, generator

Float = NDArray[np.float32]

# Identity: centre, size (cm), direction of a displacement, and its deviation in cm. A sign of 1
# mirrors it (both sides move alike), 0 keeps it in the middle.
_IDENTITY = (
    ((0.0, 0.4, 13.0), (1.6, 1.6, 2.0), (0, 0.15, 1), 0.28, 0),  # nose's length
    ((0.0, 0.2, 12.6), (1.6, 1.3, 2.0), (0, 1, 0), 0.22, 0),  # its tip up or down
    ((0.0, 3.0, 11.2), (1.1, 1.5, 1.5), (0, 0, 1), 0.22, 0),  # bridge
    ((1.4, -0.4, 11.0), (0.9, 0.9, 1.4), (1, 0, 0), 0.17, 1),  # wings
    ((0.0, -7.2, 10.2), (2.2, 1.6, 3.0), (0, -0.4, 1), 0.35, 0),  # chin
    ((0.0, -7.0, 9.5), (3.5, 2.5, 4.0), (0, 1, 0), 0.35, 0),  # its height
    ((5.6, -4.5, 5.0), (2.2, 2.8, 4.0), (1, -0.2, 0), 0.40, 1),  # jaw's width
    ((5.2, 0.8, 8.0), (1.8, 1.7, 3.0), (0.7, 0, 0.7), 0.26, 1),  # cheekbones
    ((4.2, -2.6, 9.0), (1.7, 1.8, 2.5), (0.6, 0, 0.8), 0.32, 1),  # cheeks, hollow or full
    ((3.0, 5.6, 10.0), (2.6, 0.9, 2.0), (0, 0, 1), 0.20, 1),  # brow ridge
    ((0.0, 9.0, 9.5), (5.0, 2.6, 4.0), (0, 0, 1), 0.40, 0),  # forehead
    ((0.0, -2.75, 11.6), (2.0, 0.45, 1.5), (0, 0.25, 1), 0.12, 0),  # upper lip
    ((0.0, -4.0, 11.4), (1.8, 0.5, 1.5), (0, -0.25, 1), 0.14, 0),  # lower lip
    ((2.5, -3.5, 10.3), (0.9, 0.9, 1.5), (1, 0, 0), 0.16, 1),  # mouth's width
    ((7.0, 6.0, 0.0), (3.0, 4.5, 6.0), (1, 0, 0), 0.35, 1),  # skull's width
    ((0.0, -8.2, 6.5), (4.5, 1.6, 3.0), (0, -1, 0.4), 0.40, 0),  # double chin
)

# Expression by name: the same, with the shift in cm at full strength.
_EXPRESSION: dict[str, tuple[tuple[Any, Any, Any, float], ...]] = {
    "smile": (
        ((2.5, -3.5, 10.2), (1.1, 0.9, 1.6), (0.75, 0.65, -0.35), 0.62),
        ((4.0, -0.4, 9.5), (1.5, 1.3, 2.0), (0.1, 0.45, 0.5), 0.40),
    ),
    "frown": (
        ((2.5, -3.6, 10.2), (1.0, 0.8, 1.6), (0.1, -1, 0), 0.38),
        ((1.6, 5.6, 10.5), (1.5, 0.8, 2.0), (-0.5, -0.8, 0.3), 0.38),
    ),
    "surprise": (((3.0, 6.1, 9.8), (2.4, 1.2, 2.5), (0, 1, 0), 0.75),),
    "pucker": (((1.8, -3.5, 10.9), (1.3, 1.0, 2.0), (-0.7, 0, 0.6), 0.5),),
    "squint": (((3.2, 6.0, 9.8), (2.2, 1.0, 2.5), (-0.1, -1, 0), 0.35),),
}
_ALIKE = {"grin": "smile", "smirk": "smile", "speak": "pucker"}


class BuiltinSource(HeadSource):
    """Heads made in code; nothing needs to be downloaded."""

    name = "builtin"
    about = "heads made in code, plainer than scanned ones"

    def make_head(
        self, seed: int, assets: Path | None, ranges: SubjectRanges, traits: Traits
    ) -> Head:
        """See :meth:`HeadSource.make_head`."""
        rng = generator(self.name, seed, "identity")
        return make_head(traits, ranges.identity_deviation, rng)


def make_head(traits: Traits, deviation: float, rng: np.random.Generator) -> Head:
    """One person's head.

    Args:
        traits: expression and gaze.
        deviation: of the identity weights, as for other sources.
        rng: draws the identity.
    """
    mean = mean_head()
    canonical = mean.vertices
    shift = np.zeros_like(canonical)
    for center, size, towards, amount, sides in _IDENTITY:
        weight = float(rng.normal()) * amount * deviation
        shift += weight * _push(canonical, center, size, towards, bool(sides))
    stretch = 1 + deviation * rng.normal(0, [0.022, 0.025, 0.018])
    waves = _waves(canonical, deviation, rng)
    feminine = 2 * traits.femininity - 1
    shift -= 0.25 * feminine * _push(canonical, (5.6, -4.8, 5.5), (2.0, 2.4, 4), (1, -0.3, 0), True)
    shift -= 0.12 * feminine * _push(canonical, (3, 5.5, 10), (2.6, 0.8, 2), (0, 0, 1), True)
    expression = _ALIKE.get(traits.expression, traits.expression)
    for center, size, towards, amount in _EXPRESSION.get(expression, ()):
        pushed = _push(canonical, center, size, towards, True)
        if traits.expression == "smirk":
            pushed *= canonical[:, :1] > 0
        shift += amount * traits.expression_strength * pushed
    posed = (canonical + shift + waves) * stretch
    posed = _place_eyes(mean, canonical, posed, traits)
    posed = np.round(posed, 5)
    lashes, lid = guide_lashes(canonical, posed)
    return Head(
        vertices=posed.astype(np.float32),
        canonical=canonical,
        faces=mean.faces,
        uv=mean.uv,
        part=mean.part,
        landmarks=follow(canonical, posed.astype(np.float32)),
        lashes=lashes,
        lash_lid=lid,
        aspect=1,
    )


def _push(points: Float, center: Any, size: Any, towards: Any, sides: bool) -> Float:
    """Displacement field of height 1 around a centre, mirrored when ``sides``."""
    direction = np.asarray(towards, np.float32)
    direction = direction / np.linalg.norm(direction)
    total = blob(points, center, size)[:, None] * direction
    if sides:
        flip = np.array([-1, 1, 1], np.float32)
        total = total + blob(points, np.asarray(center) * flip, size)[:, None] * direction * flip
    return np.asarray(total, np.float32)


def _waves(points: Float, deviation: float, rng: np.random.Generator) -> Float:
    """Slow random bends, a little asymmetry among them."""
    total = np.zeros_like(points)
    for _ in range(6):
        frequency = rng.normal(0, 0.16, 3)
        amount = deviation * rng.normal(0, 0.07, 3)
        total += (np.sin(points @ frequency + rng.uniform(0, 6.28))[:, None] * amount).astype(
            np.float32
        )
    return total


def _place_eyes(mean: MeanHead, canonical: Float, posed: Float, traits: Traits) -> Float:
    """Carry the eyeballs rigidly to where their lids went, and turn them to the gaze."""
    posed = posed.copy()
    for side in (-1, 1):
        center = EYE_CENTER * [side, 1, 1]
        lid = np.linalg.norm(canonical - center, axis=1) < 2.4
        moved = (posed - canonical)[lid & (mean.side == 0)].mean(0)
        ball = mean.side == side
        posed[ball] = center + moved + turned(canonical[ball] - center, traits.gaze_deg)
    return posed


def guide_lashes(canonical: Float, posed: NDArray[Any]) -> tuple[Float, Int]:
    """Curves of some lashes, as :class:`Head` has them, from a head's vertices."""
    curves: list[NDArray[np.float64]] = []
    lids: list[NDArray[np.int64]] = []
    for side in (-1, 1):
        for lid, length, lift in ((UPPER_LID, 0.75, 0.55), (LOWER_LID, 0.4, -0.5)):
            line = smooth(lid, 19)
            line = line if side > 0 else mirrored(line)
            depth = ball_depth(line[:, 0] * side, line[:, 1]) + 0.12
            root = np.column_stack([line, depth])
            spread = (line[:, :1] - side * 3.1) * 0.25
            out = np.column_stack([spread, np.full(19, 0.1 * lift), np.ones(19)])
            t = np.linspace(0, 1, 6)[None, :, None]
            bend = np.array([0, lift, 0]) * t**2
            curves.append(root[:, None] + length * (out[:, None] * t * 0.75 + bend))
            lids.append(np.full(19, len(lids)))
    points = np.concatenate(curves)
    moved = _displacement(canonical, posed, points[:, 0])
    return (points + moved[:, None]).astype(np.float32), np.concatenate(lids).astype(np.int32)


def _displacement(canonical: Float, posed: Any, points: Any) -> NDArray[np.float64]:
    """Where canonical points moved, from the nearest vertices."""
    from scipy.spatial import cKDTree

    index = cKDTree(canonical).query(points)[1]
    return np.asarray((posed - canonical)[index], float)


def follow(canonical: Float, posed: Float) -> Float:
    """The 68 landmarks on the posed head."""
    return (LANDMARKS + _displacement(canonical, posed, LANDMARKS)).astype(np.float32)
