# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from training.split.real.portrait_sample import ARRAYS  # noqa: E402
from training.split.real.refine import (  # noqa: E402
    RefineConfig,
    batches,
    prepared,
)


def write(path: Path, count: int, keys: int, value: int = 0) -> None:
    arrays = {
        name: np.full((count, *(keys if side == -1 else side for side in shape)), value, kind)
        for name, (kind, shape) in ARRAYS.items()
    }
    np.savez(path, **arrays)


def test_batches_hold_all_keys_of_each_face(tmp_path: Path) -> None:
    write(tmp_path / "a.npz", 3, 2, 1)
    write(tmp_path / "none.npz", 0, 2)
    write(tmp_path / "b.npz", 2, 2, 2)
    config = RefineConfig(faces=2, kept=4)
    source = batches(tmp_path, config)
    seen = set()
    for _ in range(6):
        batch = next(source)
        assert batch["photo"].shape == (2, 128, 128, 3)
        assert batch["light"].shape == (4, 4)
        np.testing.assert_array_equal(np.repeat(batch["belief"][:, 0], 2), batch["light"][:, 0])
        seen |= set(batch["belief"][:, 0].tolist())
    assert seen == {1.0, 2.0}
    inputs, truth = prepared(batch)
    assert float(inputs["photo"].max()) < 0.01
    assert set(truth) == {"key", "linear", "weight", "face", "cosine"}
    assert all(len(values) == 4 for values in truth.values())


@pytest.mark.parametrize("empty", [False, True])
def test_a_folder_without_samples_is_told(tmp_path: Path, empty: bool) -> None:
    if empty:
        write(tmp_path / "none.npz", 0, 2)
    with pytest.raises(FileNotFoundError, match="no sample"):
        next(batches(tmp_path, RefineConfig()))
