# SPDX-License-Identifier: Apache-2.0
"""Loading weights: the right ones, and what is said of the wrong ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from export_network import BUILDERS, network

import training.networks.weight_file as weight_file_module
from training.networks.weight_file import WeightsError, load_network


def test_weights_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_file_module, "NETWORKS", BUILDERS)
    trained = network("lighting", seed=3)
    trained.save_weights(tmp_path / "lighting.weights.h5")
    loaded = load_network("lighting", tmp_path)
    for ours, theirs in zip(loaded.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


FAULTS = ["missing", "garbage", "truncated", "another network", "not finite"]


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_weights_cost_one_line(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_file_module, "NETWORKS", BUILDERS)
    path = tmp_path / "lighting.weights.h5"
    if fault == "garbage":
        path.write_bytes(b"no weights")
    elif fault == "truncated":
        network("lighting").save_weights(path)
        path.write_bytes(path.read_bytes()[:-1000])
    elif fault == "another network":
        network("normals").save_weights(path)
    elif fault == "not finite":
        broken = network("lighting")
        broken.set_weights([w * np.nan for w in broken.get_weights()])
        broken.save_weights(path)
    with pytest.raises(WeightsError, match=r"lighting.weights.h5: .*; train") as caught:
        load_network("lighting", tmp_path)
    assert "\n" not in str(caught.value)
