# SPDX-License-Identifier: Apache-2.0
"""Work in several processes, here and on a cluster: nothing is lost, nothing is done twice."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from conftest import RAY
from engine_work import Note

from relight.storage import remove_unfinished, whole_file
from relight.work.factory import make_runner
from relight.work.pool import Pool
from relight.work.runner import Lost, RunnerError


def done(folder: Path) -> set[int]:
    return {int(path.name.removeprefix("done-")) for path in folder.glob("done-*")}


def test_a_killed_process_is_replaced_and_its_item_done_again(tmp_path: Path) -> None:
    pool = Pool(2, retries=2)
    results = list(pool.run(range(8), Note(tmp_path, {3: 2, 5: 1})))
    assert {item for item, _ in results} == set(range(8))
    assert done(tmp_path) == set(range(8))
    assert pool.retried == 3


def test_what_kills_each_process_is_given_up_and_the_rest_done(tmp_path: Path) -> None:
    pool = Pool(1, retries=1)
    results = list(pool.run(range(3), Note(tmp_path, {1: 9})))
    (lost,) = [r for r in results if isinstance(r, Lost)]
    assert lost.item == 1
    assert "was killed" in lost.cause
    assert done(tmp_path) == {0, 2}
    assert len(list(tmp_path.glob("death-*"))) == 2


def test_one_process_keeps_its_work_from_item_to_item(tmp_path: Path) -> None:
    results = list(Pool(1).run(range(4), Note(tmp_path, {})))
    assert len({process for _, process in results}) == 1


def test_an_unknown_runner_is_named() -> None:
    with pytest.raises(RunnerError, match="--runner slurm: unknown, give one of local, ray"):
        make_runner("slurm", None, None, 0)
    with pytest.raises(RunnerError, match="add --runner ray"):
        make_runner("local", 2, "auto", 0)


def test_a_missing_engine_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RunnerError, match=r"pip install 'portrait-relight\[scale\]'"):
        make_runner("ray", 1, None, 0)


@RAY
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_does_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # where Note is found
    cluster = make_runner("ray", 2, None, retries=2)
    assert cluster.workers == 2
    results = list(cluster.run(range(8), Note(tmp_path, {3: 2, 5: 1, 6: 9})))
    (lost,) = [r for r in results if isinstance(r, Lost)]
    assert lost.item == 6
    told = [item for item, _ in (r for r in results if not isinstance(r, Lost))]
    assert sorted(told) == [0, 1, 2, 3, 4, 5, 7]
    assert done(tmp_path) == set(told)
    assert cluster.retried == 5


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path) -> None:
    with whole_file(tmp_path / "photo.jpg") as temporary:
        temporary.write_bytes(b"x")
        left = tmp_path / temporary.name.replace("photo", "other")
        left.write_bytes(b"half")
    (tmp_path / ".hidden.part.jpg").write_bytes(b"somebody's own")
    remove_unfinished(tmp_path)
    assert left.exists(), "written to just now"
    time.sleep(0.05)
    remove_unfinished(tmp_path, idle_s=0.01)
    assert not left.exists()
    assert (tmp_path / "photo.jpg").exists()
    assert (tmp_path / ".hidden.part.jpg").exists()
    remove_unfinished(tmp_path / "gone")
