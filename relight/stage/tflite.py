# SPDX-License-Identifier: Apache-2.0
"""The stages as the package's TFLite models make them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.models.library import Models
from relight.stage.stages import NetworkStages

Float = NDArray[np.float32]


class TfliteStages(NetworkStages):
    """The four networks as TFLite models.

    Args:
        models: what runs them; ``None`` for those that come with the package.
    """

    def __init__(self, models: Models | None = None) -> None:
        self.models = models or Models()

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """Outputs of a network by name; no array has a batch axis."""
        return self.models.run(name, inputs)

    def close(self) -> None:
        """Free the models; a later call loads them again."""
        self.models.close()
