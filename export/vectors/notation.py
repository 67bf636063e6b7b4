# SPDX-License-Identifier: Apache-2.0
"""How golden vectors hold lights, crops and gain maps, and the noise they are made from."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from export.vectors.vector import Vectors
from relight import Light
from relight.gain.apply import GainMap
from relight.geometry import Crop

Float = NDArray[np.float32]
Image8 = NDArray[np.uint8]


def described(light: Light) -> dict[str, Any]:
    """A light as JSON."""
    return {
        "azimuth_deg": light.azimuth_deg,
        "elevation_deg": light.elevation_deg,
        "intensity": light.intensity,
        "color": list(light.color),
        "softness_deg": light.softness_deg,
        "gloss": light.gloss,
        "reason": light.reason,
    }


def square(crop: Crop) -> dict[str, float]:
    """A crop as JSON."""
    return {"x": crop.x, "y": crop.y, "size": crop.size, "roll": crop.roll}


def add_gain_map(vectors: Vectors, name: str, added: GainMap, every: int) -> None:
    """A gain map, of whose cells every so many rows and columns are kept."""
    vectors.value(
        name,
        {
            "left": added.left,
            "top": added.top,
            "factor": added.factor,
            "rows": added.gain.shape[0],
            "columns": added.gain.shape[1],
            "every": every,
        },
    )
    vectors.array(name, added.gain[::every, ::every])


def smooth(shape: tuple[int, ...], seed: int, width: float = 3.0) -> Float:
    """Blurred noise in [0, 1]."""
    noise = np.random.default_rng(seed).random(shape).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), width)
    low, high = float(blurred.min()), float(blurred.max())
    result: Float = ((blurred - low) / (high - low)).astype(np.float32)
    return result
