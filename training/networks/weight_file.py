# SPDX-License-Identifier: Apache-2.0
"""Networks with the weights of a training run."""

from __future__ import annotations

import warnings
from pathlib import Path

import keras
import numpy as np

import training
from relight.error import RelightError
from training.networks.network import NETWORKS

SHIPPED = Path(training.__file__).with_name("weights")
"""Weights of the networks that ship."""


class WeightsError(RelightError):
    """Weights are missing, damaged, or another network's."""


def load_network(name: str, folder: Path) -> keras.Model:
    """A trained network.

    Args:
        name: of :data:`training.networks.network.NETWORKS`.
        folder: holds ``<name>.weights.h5``, as training writes it.

    Raises:
        WeightsError: if the file is missing or fits another network.
    """
    path = folder / f"{name}.weights.h5"
    if not path.is_file():
        maker = "split.run" if name in ("shading", "key") else f"train {name}"
        raise WeightsError(
            f"{path}: no such weights; train them: python -m training.{maker} --out {folder}"
        )
    network = NETWORKS[name]()
    load_weights(network, path)
    return network


def load_weights(network: keras.Model, path: Path) -> None:
    """Give a network the weights of a file.

    Raises:
        WeightsError: if the file is missing or damaged, fits another network, or holds numbers
            that are not finite.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # else layers missing in the file would stay untrained
            network.load_weights(path)
    except (OSError, RuntimeError, ValueError, KeyError, UserWarning) as error:  # h5py raises all
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"{path}: not this network's weights ({reason}); train it again"
        ) from error
    if not all(np.isfinite(w).all() for w in network.get_weights()):
        raise WeightsError(f"{path}: holds numbers that are not finite; train it again")
