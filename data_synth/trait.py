# SPDX-License-Identifier: Apache-2.0
"""Who a synthetic person is: everything drawn at random before any geometry is made.

Each part draws from a generator of its own, keyed by (seed, source, part). So a change of how
often glasses are worn leaves the face, skin and hair of every seed as they were.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

Range = tuple[float, float]
Weights = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class SubjectRanges:
    """All sampling ranges of the subjects; a pair is (lowest, highest).

    Attributes:
        melanin: volume fraction of melanosomes in the epidermis, drawn log-uniformly.
        blood: volume fraction of blood in the dermis, drawn log-uniformly.
        age_years: drawn with a hump in the thirties.
        identity_deviation: of each identity weight, drawn normally around 0.
        expression: weights of the presets.
        expression_strength: factor on the preset.
        extra_expression: largest weight of each of three further shapes.
        gaze_deg: eyes turn this far to the sides and half as far up and down.
        torso_turn_deg: of the shoulders against the head.
        hair_short, hair_long: weights of styles for masculine and for feminine appearance.
        hair_light: weights of natural hair colours where the skin is light.
        hair_dark: the same where the skin is dark.
        dyed: chance of dyed hair.
        hair_coverage: chance that headwear is worn.
        headwear: weights of its kinds.
        beard: weights of styles where a beard can grow.
        beard_chance: chance of any facial hair beyond a clean shave for masculine appearance.
        freckles: chance on light skin.
        moles: number.
        redness: of cheeks, nose and ears.
        makeup: chance for feminine appearance.
        oiliness: subtracted from the roughness of the T-zone.
        glasses: chance of glasses.
        earrings: chance for feminine appearance; a fifth of it for masculine.
        garment: weights of cuts.
        pattern: weights of cloth patterns.
        iris: weights of eye colours where the skin is light; dark skin goes with brown eyes.
    """

    melanin: Range = (0.011, 0.50)
    blood: Range = (0.014, 0.065)
    age_years: Range = (16.0, 85.0)
    identity_deviation: float = 0.85
    expression: Weights = (
        ("neutral", 0.22),
        ("smile", 0.14),
        ("grin", 0.4),
        ("frown", 0.05),
        ("surprise", 0.04),
        ("smirk", 0.04),
        ("pucker", 0.02),
        ("squint", 0.03),
        ("speak", 0.04),
        ("closed", 0.02),
    )
    expression_strength: Range = (0.4, 1.0)
    extra_expression: float = 0.18
    gaze_deg: float = 12.0
    torso_turn_deg: float = 18.0
    hair_short: Weights = (
        ("bald", 0.1),
        ("buzz", 0.14),
        ("crew", 0.18),
        ("short", 0.2),
        ("parted", 0.12),
        ("swept", 0.1),
        ("curly", 0.07),
        ("afro", 0.05),
        ("bob", 0.02),
        ("long", 0.01),
        ("bun", 0.01),
    )
    hair_long: Weights = (
        ("long", 0.26),
        ("wavy", 0.15),
        ("bob", 0.15),
        ("fringe", 0.08),
        ("ponytail", 0.1),
        ("bun", 0.1),
        ("curly", 0.08),
        ("afro", 0.04),
        ("short", 0.02),
        ("buzz", 0.02),
    )
    hair_light: Weights = (
        ("black", 0.14),
        ("dark brown", 0.26),
        ("brown", 0.26),
        ("light brown", 0.12),
        ("blond", 0.14),
        ("red", 0.08),
    )
    hair_dark: Weights = (("black", 0.8), ("dark brown", 0.18), ("brown", 0.02))
    dyed: float = 0.05
    hair_coverage: float = 0.14
    headwear: Weights = (
        ("headscarf", 0.34),
        ("turban", 0.12),
        ("beanie", 0.24),
        ("cap", 0.18),
        ("brimmed hat", 0.12),
    )
    beard: Weights = (
        ("stubble", 0.36),
        ("full", 0.26),
        ("short full", 0.16),
        ("moustache", 0.08),
        ("goatee", 0.08),
        ("chin strap", 0.06),
    )
    beard_chance: float = 0.62
    freckles: float = 0.3
    moles: Range = (0, 7)
    redness: Range = (0.2, 1.1)
    makeup: float = 0.45
    oiliness: Range = (0.0, 0.13)
    glasses: float = 0.18
    earrings: float = 0.35
    garment: Weights = (
        ("crew neck", 0.3),
        ("v neck", 0.14),
        ("scoop neck", 0.1),
        ("shirt", 0.2),
        ("jacket", 0.12),
        ("turtleneck", 0.07),
        ("hoodie", 0.07),
    )
    pattern: Weights = (
        ("plain", 0.55),
        ("stripes", 0.14),
        ("checks", 0.12),
        ("heather", 0.12),
        ("dots", 0.07),
    )
    iris: Weights = (("brown", 0.4), ("blue", 0.25), ("grey", 0.1), ("green", 0.1), ("hazel", 0.15))


@dataclass(frozen=True)
class Traits:
    """What was drawn for one person; ranges and units as in :class:`SubjectRanges`."""

    age_years: float
    femininity: float
    melanin: float
    blood: float
    redness: float
    freckles: float
    moles: int
    oiliness: float
    wrinkles: float
    makeup: float
    lipstick: str
    expression: str
    expression_strength: float
    gaze_deg: tuple[float, float]
    iris: str
    hair_style: str
    hair_color: str
    hair_texture: str
    grey: float
    receding: float
    brow_weight: float
    beard: str
    headwear: str
    glasses: str
    earrings: str
    garment: str
    pattern: str
    torso_turn_deg: float
    shoulder_width: float

    def to_json(self) -> dict[str, Any]:
        """JSON-ready copy, floats rounded."""

        def plain(value: Any) -> Any:
            if isinstance(value, float):
                return round(value, 5)
            return [round(v, 5) for v in value] if isinstance(value, tuple) else value

        return {key: plain(value) for key, value in asdict(self).items()}


def generator(source: str, seed: int, part: str) -> np.random.Generator:
    """The random generator of one part of one person."""
    return np.random.default_rng([seed, zlib.crc32(f"{source}/{part}".encode())])


def choose(rng: np.random.Generator, weights: Weights) -> str:
    """One name, drawn by its weight."""
    share = np.array([w for _, w in weights])
    return weights[int(rng.choice(len(weights), p=share / share.sum()))][0]


def between(rng: np.random.Generator, span: Range) -> float:
    """A number drawn uniformly."""
    return float(rng.uniform(*span))


def log_between(rng: np.random.Generator, span: Range) -> float:
    """A number whose logarithm is drawn uniformly."""
    return float(np.exp(rng.uniform(np.log(span[0]), np.log(span[1]))))


def darkness(melanin: float) -> float:
    """0 for the lightest to 1 for the darkest skin."""
    return float(np.clip(np.log(melanin / 0.011) / np.log(0.50 / 0.011), 0, 1))


def draw_traits(source: str, seed: int, ranges: SubjectRanges) -> Traits:
    """Draw who a person is; takes well under a millisecond.

    Args:
        source: name of the source of heads.
        seed: of the person.
        ranges: what to draw from.
    """
    rng = generator(source, seed, "person")
    youngest, oldest = ranges.age_years
    age = youngest + (oldest - youngest) * float(rng.beta(1.3, 2.0))
    # Two humps: most people read as one or the other, some as neither.
    femininity = float(np.clip(rng.choice([0.12, 0.88]) + rng.normal(0, 0.12), 0, 1))
    feminine = femininity > 0.5

    rng = generator(source, seed, "skin")
    melanin, blood = log_between(rng, ranges.melanin), log_between(rng, ranges.blood)
    dark = darkness(melanin)
    freckled, strength = rng.random() < ranges.freckles, rng.uniform(0.3, 1.0)
    skin: dict[str, Any] = {
        "melanin": melanin,
        "blood": blood,
        "redness": between(rng, ranges.redness),
        "freckles": float(strength) if freckled and dark < 0.55 else 0.0,
        "moles": round(between(rng, ranges.moles)),
        "oiliness": between(rng, ranges.oiliness),
        "wrinkles": float(np.clip((age - 25) / 50 + rng.normal(0, 0.12), 0, 1.1)),
    }
    rng = generator(source, seed, "makeup")
    made_up = rng.random() < ranges.makeup and feminine
    strength, worn = float(rng.uniform(0.25, 1)), rng.random() < 0.7
    color = choose(rng, (("red", 0.3), ("rose", 0.35), ("plum", 0.2), ("nude", 0.15)))
    skin["makeup"] = strength if made_up else 0.0
    skin["lipstick"] = color if made_up and worn else "none"

    rng = generator(source, seed, "expression")
    face: dict[str, Any] = {
        "expression": choose(rng, ranges.expression),
        "expression_strength": between(rng, ranges.expression_strength),
        "gaze_deg": (
            float(rng.uniform(-1, 1)) * ranges.gaze_deg,
            float(rng.uniform(-0.5, 0.5)) * ranges.gaze_deg,
        ),
    }
    rng = generator(source, seed, "eye")
    light_iris = choose(rng, ranges.iris)
    face["iris"] = light_iris if rng.random() > dark * 1.6 else "dark brown"

    wear = generator(source, seed, "wear")
    worn_headwear, headwear = wear.random() < ranges.hair_coverage, choose(wear, ranges.headwear)
    glassed = wear.random() < ranges.glasses * (1.4 if age > 45 else 0.9)
    glasses = choose(
        wear, (("round", 0.3), ("rectangular", 0.4), ("cat eye", 0.15), ("wire", 0.15))
    )
    ringed = wear.random() < ranges.earrings * (1.0 if feminine else 0.2)
    earrings = choose(wear, (("stud", 0.45), ("hoop", 0.3), ("drop", 0.25)))
    if headwear == "headscarf" and not feminine:
        headwear = "beanie"
    covered = headwear if worn_headwear else "none"
    garment = generator(source, seed, "garment")
    cut = choose(garment, ranges.garment)
    if covered == "headscarf" and cut in ("hoodie", "shirt", "turtleneck"):
        cut = "crew neck"  # the scarf lies on flat cloth
    return Traits(
        age_years=age,
        femininity=femininity,
        **skin,
        **face,
        **_draw_hair(source, seed, ranges, age, feminine, dark),
        headwear=covered,
        glasses=glasses if glassed else "none",
        earrings=earrings if ringed and covered not in ("headscarf",) else "none",
        garment=cut,
        pattern=choose(garment, ranges.pattern),
        torso_turn_deg=float(garment.uniform(-1, 1)) * ranges.torso_turn_deg,
        shoulder_width=float(garment.uniform(18.5, 21.5) + (0 if feminine else 1.8)),
    )


def _draw_hair(
    source: str, seed: int, ranges: SubjectRanges, age: float, feminine: bool, dark: float
) -> dict[str, Any]:
    """Hair of scalp, brows and beard."""
    rng = generator(source, seed, "hair")
    style = choose(rng, ranges.hair_long if feminine else ranges.hair_short)
    natural = choose(
        rng, ranges.hair_dark if rng.random() < dark * 1.7 - 0.2 else ranges.hair_light
    )
    dyed = choose(rng, (("red dye", 0.4), ("pink dye", 0.2), ("blue dye", 0.2), ("platinum", 0.2)))
    color = dyed if rng.random() < ranges.dyed and age < 60 else natural
    greying = float(np.clip((age - rng.normal(52, 9)) / 22, 0, 1))
    coily = rng.random() < np.clip(dark * 1.6 - 0.55, 0, 0.9)
    texture = (
        "coily" if coily else choose(rng, (("straight", 0.5), ("wavy", 0.35), ("curly", 0.15)))
    )
    if style == "afro":
        texture = "coily"
    recede = float(np.clip((age - 28) / 45 + rng.normal(-0.15, 0.3), 0, 1))
    rng = generator(source, seed, "beard")
    kind, bearded = choose(rng, ranges.beard), rng.random() < ranges.beard_chance
    grows = not feminine and age > 18
    return {
        "hair_style": style,
        "hair_color": color,
        "hair_texture": texture,
        "grey": greying,
        "receding": 0.0 if feminine else recede,
        "brow_weight": float(rng.uniform(0.55, 1.0) + (0 if feminine else 0.3)),
        "beard": kind if bearded and grows else "none",
    }
