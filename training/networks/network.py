# SPDX-License-Identifier: Apache-2.0
"""The networks that are trained and shipped, by name."""

from __future__ import annotations

from collections.abc import Callable

import keras

from training.networks.lighting_network import lighting_network
from training.networks.normals_network import normals_network
from training.networks.quotient_network import quotient_network

NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "normals": normals_network,
    "lighting": lighting_network,
    "quotient": quotient_network,
}
"""How to build each network as it is shipped."""
