# SPDX-License-Identifier: Apache-2.0
"""Parts of a batch: no view in two, and the same whether made together or apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.data.data_config import DataConfig
from training.data.split import DataError, Split

pytest.importorskip("keras")

from training.scale.shard import JoinedDataset, shard

NAMES = [f"subject-{i // 4:05d}/camera-{i % 4}" for i in range(40)]


def split(names: list[str] = NAMES) -> Split:
    nothing: Any = None
    return Split(Path("data"), names, nothing, nothing)


def test_one_part_of_one_is_the_data_as_it_is() -> None:
    whole, config = split(), DataConfig()
    assert shard(whole, config, 0, 1) == (whole, config)


@pytest.mark.parametrize("shards", [2, 4, 8, 16])
def test_every_view_is_in_one_part(shards: int) -> None:
    parts = [shard(split(), DataConfig(batch=16), index, shards) for index in range(shards)]
    assert sorted(name for part, _ in parts for name in part.names) == sorted(NAMES)
    assert {config.batch for _, config in parts} == {16 // shards}
    assert len({config.seed for _, config in parts}) == shards
    # A block lasts as long as that of the whole: all parts need their next one at the same time.
    whole = DataConfig(batch=16).batches_per_block
    assert {config.batches_per_block for _, config in parts} == {whole}


def test_a_part_has_views_of_all_cameras() -> None:
    part, _ = shard(split(), DataConfig(batch=16), 0, 4)
    assert len({name.split("/")[1] for name in part.names}) > 1


def test_what_cannot_be_shared_is_told() -> None:
    with pytest.raises(DataError, match="--batch a multiple of 3"):
        shard(split(), DataConfig(batch=16), 0, 3)
    with pytest.raises(DataError, match="1 views are too few for 2 shards"):
        shard(split(NAMES[:1]), DataConfig(batch=16), 0, 2)


class Part:
    """Stands for a ``PairDataset`` of two batches."""

    def __init__(self, number: int, seconds: float | None) -> None:
        self.number, self.block_seconds, self.block_batches = number, seconds, 7
        self.epoch, self.closed = 0, False

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        value = np.full((2, 1), 100 * self.epoch + 10 * self.number + index)
        return {"photo": value}, -value

    def close(self) -> None:
        self.closed = True


def test_parts_are_joined_one_after_the_other() -> None:
    parts: list[Any] = [Part(1, 3.0), Part(2, None)]
    joined = JoinedDataset(parts)
    assert len(joined) == 2
    inputs, target = joined[1]
    assert inputs["photo"].ravel().tolist() == [11, 11, 21, 21]
    assert target.ravel().tolist() == [-11, -11, -21, -21]
    joined.epoch += 1
    assert joined[0][0]["photo"].ravel().tolist() == [110, 110, 120, 120]
    assert (joined.block_seconds, joined.block_batches) == (3.0, 7)
    joined.close()
    assert all(part.closed for part in parts)
