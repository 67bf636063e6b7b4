# SPDX-License-Identifier: Apache-2.0
"""The networks, by name: those that ship, and the quotient network, which teaches."""

from __future__ import annotations

from collections.abc import Callable

import keras

from training.networks.lighting_network import lighting_network
from training.networks.normals_network import normals_network
from training.networks.quotient_network import quotient_network
from training.split.split_network import key_network, shading_network

NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "normals": normals_network,
    "lighting": lighting_network,
    "shading": shading_network,
    "key": key_network,
    "quotient": quotient_network,
}
"""How to build each network at its full size."""
