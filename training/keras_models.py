# SPDX-License-Identifier: Apache-2.0
"""The Keras networks behind the runtime's interface, to judge weights before they are exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from relight.stage import NetworkStages
from training.trained import load_network

Float = NDArray[np.float32]


class KerasModels(NetworkStages):
    """The three networks with the weights of a training run; each is built at its first use."""

    def __init__(self, folder: Path) -> None:
        """Prepare.

        Args:
            folder: holds ``normals.weights.h5``, ``lighting.weights.h5`` and
                ``quotient.weights.h5``.
        """
        self._folder = folder
        self._networks: dict[str, keras.Model] = {}

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """Outputs of a network by name; no array has a batch axis.

        Raises:
            WeightsError: if its weights are missing or fit another network.
        """
        if name not in self._networks:
            self._networks[name] = load_network(name, self._folder)
        batches = {key: np.asarray(x, np.float32)[None] for key, x in inputs.items()}
        outputs = self._networks[name].predict_on_batch(batches)
        return {key: np.asarray(found)[0] for key, found in outputs.items()}

    def close(self) -> None:
        """Free the networks; a later call builds them again."""
        self._networks.clear()
