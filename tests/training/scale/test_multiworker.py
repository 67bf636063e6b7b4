# SPDX-License-Identifier: Apache-2.0
"""Two workers learn what one learns, come what may. The long tests train a real network."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("tensorflow")

import keras
import training_worker

from data_synth.run.dataset import render_dataset
from data_synth.run.plan import Plan
from data_synth.stage.render import RenderSettings
from training.checkpoint import TrainError, first_epoch
from training.data.pair_dataset import EpochStart
from training.scale.multiworker import WorkerError, Workers, cluster, local_rank
from training.scale.supervise import Crew, supervise

ROOT = Path(__file__).parents[3]
QUIET = Console(quiet=True)
LONG = pytest.mark.skipif(
    not os.environ.get("RELIGHT_LONG_TESTS"), reason="RELIGHT_LONG_TESTS is not set; takes minutes"
)


def rows(path: Path) -> list[dict[str, float]]:
    with path.open() as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def config(addresses: list[str], index: int) -> str:
    return json.dumps(
        {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    )


def test_a_worker_finds_its_place() -> None:
    addresses = ["a:1", "a:2", "b:1", "a:3"]
    assert cluster(config(addresses, 2)) == (addresses, 2)
    assert [local_rank(addresses, i) for i in range(4)] == [0, 1, 0, 2]


@pytest.mark.parametrize(
    "text", ["", "no json", "{}", "[]", config(["a:1"], 1), config(["a:1"], -1)]
)
def test_a_wrong_cluster_is_told(text: str) -> None:
    with pytest.raises(WorkerError, match="TF_CONFIG") as told:
        cluster(text)
    assert "training.scale.supervise" in str(told.value)


def test_workers_share_the_parts_of_a_batch() -> None:
    two = [Workers(None, index, 2) for index in range(2)]
    assert sorted(part for worker in two for part in worker.shards(4)) == [0, 1, 2, 3]
    assert [worker.chief for worker in two] == [True, False]
    with pytest.raises(WorkerError, match="multiple of 2"):
        two[0].shards(3)


def test_a_folder_from_before_a_setting_goes_on(tmp_path: Path) -> None:
    stored = {"steps": 5, "data": "d", "batches": {"batch": 4}}
    defaults = {"steps": 9, "data": "d", "shards": 1, "batches": {"batch": 16, "seed": 0}}
    wanted = {"steps": 7, "data": "d", "shards": 1, "batches": {"batch": 4, "seed": 0}}
    (tmp_path / "config.json").write_text(json.dumps({"config": stored}))
    assert first_epoch(wanted, defaults, tmp_path) == 0
    with pytest.raises(TrainError, match="other settings"):
        first_epoch(wanted | {"shards": 2}, defaults, tmp_path)


@pytest.mark.slow
def test_two_workers_learn_what_one_learns_though_one_is_killed(tmp_path: Path) -> None:
    """A loss curve within 1e-5 of ``model.fit`` with both workers' samples in a batch."""
    program = [sys.executable, str(ROOT / "tests" / "training_worker.py"), str(tmp_path), "1"]
    os.environ["PYTHONPATH"] = str(ROOT)
    supervise(program, Crew.local(2), 2, tmp_path, QUIET)
    weights = [np.load(tmp_path / f"worker-{index}.npz") for index in range(2)]
    for name in weights[0].files:
        np.testing.assert_array_equal(weights[0][name], weights[1][name])
    found = rows(tmp_path / "history.csv")
    assert [row["epoch"] for row in found] == [0, 1, 2]

    model = training_worker.network()
    batches = training_worker.Batches(slice(None))
    hooks = [EpochStart(batches)]
    epochs = training_worker.EPOCHS
    done = model.fit(batches, epochs=epochs, callbacks=hooks, shuffle=False, verbose=0)
    expected = done.history
    for name in ("loss", "error"):
        np.testing.assert_allclose([row[name] for row in found], expected[name], rtol=1e-5)
    for name, value in zip(weights[0].files, model.get_weights(), strict=True):
        np.testing.assert_allclose(weights[0][name], value, atol=1e-5)
    assert expected["loss"][-1] < 0.9 * expected["loss"][0]


# --- Real networks, minutes


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five people in front of one camera, 128 pixels, 60 lights."""
    out = tmp_path_factory.mktemp("stage")
    settings = RenderSettings(size=128, samples=1)
    list(render_dataset(Plan(out=out, subjects=5, cameras=1, lights=60, settings=settings)))
    return out


def words(dataset: Path, out: Path, *more: str) -> list[str]:
    given = ["normals", "--data", dataset, "--out", out, "--batch", "4", "--shards", "2"]
    return [str(word) for word in [*given, "--epoch-steps", "20", *more]]


@pytest.mark.slow
@LONG
def test_a_training_of_two_workers(dataset: Path, tmp_path: Path) -> None:
    """The loss curve of one process, within 1 %, though a worker is killed after an epoch."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    one, two = tmp_path / "one", tmp_path / "two"
    alone = [sys.executable, "-m", "training.train", *words(dataset, one, "--steps", "60")]
    subprocess.run([*alone, "--profile"], env=environment, check=True, cwd=ROOT)
    profile = json.loads((one / "profile.json").read_text())
    assert profile["limit"] in ("input", "compute", "host")
    parts = profile["data_ms"] + profile["device_ms"] + profile["host_ms"]
    assert parts == pytest.approx(profile["step_ms"], rel=0.1)
    assert list(one.glob("tensorboard/plugins/profile/*/*.xplane.pb"))

    command = [sys.executable, "-m", "training.scale.supervise", "--workers", "2", "--"]
    command += words(dataset, two, "--steps", "60")
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as supervisor:
        killer = threading.Thread(target=kill_a_worker, args=(supervisor.pid, two))
        killer.start()
        _, told = supervisor.communicate(timeout=1200)
        killer.join()
    assert supervisor.returncode == 0, told
    assert "killed by signal 9" in told
    expected, found = rows(one / "history.csv"), rows(two / "history.csv")
    assert [row["epoch"] for row in found] == [row["epoch"] for row in expected]
    for key in ("loss", "normal_deg", "test_loss"):
        np.testing.assert_allclose(
            [row[key] for row in found], [row[key] for row in expected], rtol=0.01
        )


def kill_a_worker(supervisor: int, out: Path) -> None:
    """Kill the second worker after the first checkpoint."""
    end = time.monotonic() + 900
    while not (out / "state.json").exists() and time.monotonic() < end:
        time.sleep(0.05)
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    os.kill(int(children[1]), signal.SIGKILL)


def test_the_networks_of_a_mixed_training_keep_their_physics() -> None:
    from training.networks.normals_network import normals_network
    from training.networks.precision import mix

    plain, mixed = normals_network(), normals_network()
    mixed.set_weights(plain.get_weights())
    mix(mixed)
    rng = np.random.default_rng(0)
    photo = rng.uniform(0, 1, (1, 128, 128, 3)).astype(np.float32)
    normals = rng.normal(0, 1, (1, 128, 128, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    inputs = {"photo": photo, "mesh": np.concatenate([normals, np.ones_like(normals[..., :1])], -1)}
    wanted, found = (network(inputs)["normals"] for network in (plain, mixed))
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_allclose(found, wanted, atol=0.02)
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
