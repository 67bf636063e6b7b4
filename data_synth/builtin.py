# SPDX-License-Identifier: Apache-2.0
"""placeholder."""

from __future__ import annotations

import numpy as np

from data_synth.head import Head
from data_synth.trait import Traits


def make_head(traits: Traits, deviation: float, rng: np.random.Generator) -> Head:
    raise NotImplementedError
