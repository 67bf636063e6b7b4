# SPDX-License-Identifier: Apache-2.0
"""Skin as MakeHuman's textures have it: photographed, without brows, in the tone that was drawn.

A texture gives the pattern: spots, folds, lips, redness. A factor for each channel brings its mean
to the drawn tone, from a picture that needs little of it. Scalps, on which these textures have
stubble or black hair, are left to the skin made in code.

Reference:
    https://github.com/makehumancommunity/makehuman-assets (CC0), ``base/skins/textures``.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError
from data_synth.given.makehuman_mesh import CHARTS, CURE, DATA_FOLDERS
from data_synth.hair.hair_style import hairline_height
from data_synth.head.head import Part
from data_synth.noise import smoothstep
from data_synth.skin.atlas import Atlas
from data_synth.skin.skin import skin_color
from data_synth.trait import Traits
from relight.color import LUMINANCE, srgb_to_linear

Float = NDArray[np.float32]

FOLDERS = ("makehuman-assets/base", "base", *DATA_FOLDERS)
"""Where skins may lie below the folder that is given."""
_NAME = re.compile(r"(young|middleage|old)_(light|dark)skinned_(female|male)_diffuse\d*\.png")
AGES = {"young": (0.0, 35.0), "middleage": (35.0, 58.0), "old": (58.0, 200.0)}
DARK = 0.22
"""Luminance of skin below which a dark photograph is taken: between the two kinds'."""
EDGE_CM = (-1.2, 0.2)
"""Heights over the hairline between which photographed skin ends."""
BEHIND_CM, NAPE_CM = (-3.5, -2.0), (-4.0, -6.0)
"""Depth behind which, over these heights of the nape, photographed skin ends too."""
FRONT_CM, TALL_CM = (6.0, 8.0), (8.5, 7.0)
"""Depth and height over which the face's mean colour is taken, on the mean head."""


def skin_files(root: Path) -> list[Path]:
    """All skins below MakeHuman's folder.

    Raises:
        AssetError: if there are none.
    """
    for below in FOLDERS:
        found = sorted((root / below / "skins" / "textures").glob("*_diffuse*.png"))
        found = [path for path in found if _NAME.fullmatch(path.name)]
        if found:
            return found
    raise AssetError(f"{root}: no MakeHuman skins here (skins/textures is missing); {CURE}")


def choose_skin(files: list[Path], traits: Traits, rng: np.random.Generator) -> Path:
    """A picture of the person's age and sex, and of about their tone."""
    luminance = float(skin_color(traits.melanin, traits.blood) @ LUMINANCE)
    wanted = (
        next(name for name, (low, high) in AGES.items() if low <= traits.age_years < high),
        "dark" if luminance < DARK else "light",
        "female" if traits.femininity > 0.5 else "male",
    )

    def misfit(path: Path) -> int:
        match = _NAME.fullmatch(path.name)
        assert match is not None  # noqa: S101 - skin_files has looked at the names
        return sum(
            weight * (a != b)
            for weight, a, b in zip((1, 4, 2), match.groups(), wanted, strict=True)
        )

    least = min(misfit(path) for path in files)
    fitting = [path for path in files if misfit(path) == least]
    return fitting[int(rng.integers(len(fitting)))]


def read_picture(path: Path) -> Float:
    """A skin ``(H, W, 3)``, linear.

    Raises:
        AssetError: if it cannot be read.
    """
    from PIL import Image

    try:
        with Image.open(path) as file:
            encoded = np.asarray(file.convert("RGB"), np.float32) / 255
    except (OSError, ValueError) as error:
        raise AssetError(f"{path}: not a readable picture ({error}); {CURE}") from error
    return np.asarray(srgb_to_linear(encoded), np.float32)


def photographed_skin(picture: Float, atlas: Atlas, traits: Traits) -> tuple[Float, Float]:
    """A skin on our texture.

    Args:
        picture: from :func:`read_picture`.
        atlas: of the head.
        traits: whose tone is wanted.

    Returns:
        Albedo ``(H, W, 3)`` and how far it is to be taken ``(H, W)``, in [0, 1].
    """
    height, width = atlas.part.shape
    albedo = np.zeros((height, width, 3), np.float32)
    for chart in CHARTS:
        left, lower, right, upper = chart.place
        rows = slice(round((1 - upper) * height), round((1 - lower) * height))
        columns = slice(round(left * width), round(right * width))
        u, v = np.meshgrid(
            (np.arange(columns.start, columns.stop) + 0.5) / width,
            1 - (np.arange(rows.start, rows.stop) + 0.5) / height,
        )
        u, v = np.moveaxis(chart.origin(np.stack([u, v], -1)), -1, 0)
        x, y = u * picture.shape[1] - 0.5, (1 - v) * picture.shape[0] - 0.5
        albedo[rows, columns] = cv2.remap(
            picture,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
    p = atlas.canonical
    bare = smoothstep(p[..., 2], *FRONT_CM) * smoothstep(np.abs(p[..., 1] - 1.0), *TALL_CM)
    face = (bare * (atlas.part == Part.FACE))[..., None]
    mean = (albedo * face).sum((0, 1)) / max(float(face.sum()), 1e-6)
    wanted = skin_color(traits.melanin, traits.blood)
    albedo *= (wanted / np.maximum(mean, 1e-3)).astype(np.float32)
    share = 1 - smoothstep(hairline_height(p, 0.0), *EDGE_CM)
    share *= np.maximum(smoothstep(p[..., 2], *BEHIND_CM), smoothstep(p[..., 1], *NAPE_CM))
    return np.clip(albedo, 0.004, 0.9), np.asarray(share, np.float32)
