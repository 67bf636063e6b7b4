# SPDX-License-Identifier: Apache-2.0
"""Narrow networks with random weights, quick to convert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from training.networks.inset import InsetConfig
from training.networks.lighting_network import LightingConfig, lighting_network
from training.networks.normals_network import normals_network
from training.split.split_network import KeyConfig, ShadingConfig, key_network, shading_network

NORMALS = InsetConfig(face_widths=(4, 4, 6, 6), crop_widths=(4, 6), head_width=4)
SHADING = ShadingConfig(widths=(4, 4, 6, 6), head_width=4)
KEY = KeyConfig(widths=(4, 4, 6, 6), head_width=4, light_width=4)
LIGHTING = LightingConfig(widths=(4, 4))
BUILDERS: dict[str, Callable[[], Any]] = {
    "normals": lambda: normals_network(NORMALS),
    "lighting": lambda: lighting_network(LIGHTING),
    "shading": lambda: shading_network(SHADING),
    "key": lambda: key_network(KEY),
}


def network(name: str, seed: int = 0) -> Any:
    """With no weight left at zero, so that every layer counts."""
    rng = np.random.default_rng(seed)
    model = BUILDERS[name]()
    model.set_weights([rng.normal(0, 0.15, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def inputs(model: Any, seed: int = 1) -> dict[str, np.ndarray]:
    """Noise in [0, 1] with a batch axis of 1."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.random((1, *tensor.shape[1:]), np.float32) for name, tensor in model.input.items()
    }
