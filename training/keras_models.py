# SPDX-License-Identifier: Apache-2.0
"""The Keras networks behind the runtime's interface, to judge weights before they are exported."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from relight.models import ModelError
from relight.stage import NetworkStages
from training.networks import NETWORKS

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
            ModelError: if its weights are missing or fit another network.
        """
        if name not in self._networks:
            self._networks[name] = self._load(name)
        batches = {key: np.asarray(x, np.float32)[None] for key, x in inputs.items()}
        outputs = self._networks[name].predict_on_batch(batches)
        return {key: np.asarray(found)[0] for key, found in outputs.items()}

    def close(self) -> None:
        """Free the networks; a later call builds them again."""
        self._networks.clear()

    def _load(self, name: str) -> keras.Model:
        path = self._folder / f"{name}.weights.h5"
        if not path.is_file():
            raise ModelError(
                f"{path}: no such weights; train them: python -m training.train {name}"
            )
        network = NETWORKS[name]()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Keras only warns of layers it finds no weights for
                network.load_weights(path)
        except (OSError, ValueError, KeyError, UserWarning) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"{path}: not this network's weights ({reason}); train again") from (
                error
            )
        return network
