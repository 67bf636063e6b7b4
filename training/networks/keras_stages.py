# SPDX-License-Identifier: Apache-2.0
"""The Keras networks behind the runtime's interface, to judge weights before they are exported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from relight.stage.stages import NetworkStages

if TYPE_CHECKING:
    import keras

Float = NDArray[np.float32]


class KerasStages(NetworkStages):
    """The stages by Keras networks in memory."""

    def __init__(self, networks: Mapping[str, keras.Model]) -> None:
        """Prepare.

        Args:
            networks: ``normals``, ``lighting``, ``shading`` and ``key``.
        """
        self._networks = networks

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """Outputs of a network by name; no array has a batch axis.

        Raises:
            WeightsError: if its weights are to be loaded, and are missing or fit another network.
        """
        batch = {key: np.asarray(x, np.float32)[None] for key, x in inputs.items()}
        outputs = self._networks[name](batch, training=False)
        return {key: np.asarray(found)[0] for key, found in outputs.items()}

    def close(self) -> None:
        """Do nothing: the networks belong to the caller."""


class KerasModels(KerasStages):
    """The four networks with the weights of training runs, each built when first used."""

    def __init__(self, folder: Path) -> None:
        """Prepare.

        Args:
            folder: holds ``<network>.weights.h5`` of each.
        """
        self._loaded = _Loaded(folder)
        super().__init__(self._loaded)

    def close(self) -> None:
        """Free the networks; a later call builds them again."""
        self._loaded.clear()


class _Loaded(dict[str, Any]):
    """A folder's networks, each loaded when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, name: str) -> keras.Model:
        from training.networks.weight_file import load_network  # Keras itself takes seconds to load

        network = self[name] = load_network(name, self._folder)
        return network
