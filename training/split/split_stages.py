# SPDX-License-Identifier: Apache-2.0
"""The split networks behind the runtime's interface, to judge their weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from relight.environment import Environment
from relight.stage.stages import Stages
from relight.stage.view import View
from training.networks.keras_stages import KerasStages

if TYPE_CHECKING:
    import keras

Float = NDArray[np.float32]


class SplitStages(KerasStages):
    """Shading and key networks of a run, with the normals and the light of other stages.

    Args:
        base: estimates normals and the light already there.
        networks: ``shading`` and ``key``.
    """

    def __init__(self, base: Stages, networks: Mapping[str, keras.Model]) -> None:
        super().__init__(networks)
        self._base = base

    def normals(self, view: View) -> tuple[Float, Float]:
        """Those of the stages given."""
        return self._base.normals(view)

    def lighting(self, view: View, normals: Float) -> Environment:
        """That of the stages given."""
        return self._base.lighting(view, normals)

    def close(self) -> None:
        """Close the stages given."""
        self._base.close()


def split_stages(base: Stages, folder: Path) -> SplitStages:
    """Stages with the networks that :mod:`training.split.run` left in a folder.

    Args:
        base: estimates normals and the light already there.
        folder: holds ``shading.weights.h5`` and ``key.weights.h5``.

    Raises:
        WeightsError: if a file is missing or fits no such network.
    """
    from training.networks.weight_file import load_network

    return SplitStages(base, {name: load_network(name, folder) for name in ("shading", "key")})
