# SPDX-License-Identifier: Apache-2.0
"""Training end to end on a tiny dataset: batches, a run, a kill, going on; and bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from data_synth.run.dataset import render_dataset
from data_synth.run.plan import Plan
from data_synth.stage.render import RenderSettings
from relight.geometry import normalize
from training.data.block import make_block
from training.data.data_config import DataConfig
from training.data.landmark_store import store_path
from training.data.pair_dataset import PairDataset, _mirrored, tf_data
from training.data.split import Split, load_splits
from training.data.target import EMPHASIS, disturbed_normals, inputs_and_target, with_estimates
from training.networks.network import NETWORKS

CONFIG = DataConfig(batch=4, views=2, pairs=4)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people in front of one camera, 128 pixels, 60 lights."""
    out = tmp_path_factory.mktemp("stage")
    plan = Plan(
        out=out,
        subjects=3,
        cameras=1,
        source="builtin",
        assets=None,
        lights=60,
        seed=0,
        settings=RenderSettings(size=128, samples=1),
    )
    list(render_dataset(plan))
    return out


@pytest.fixture(scope="module")
def splits(dataset: Path) -> tuple[Split, Split]:
    return load_splits(dataset)


def test_no_subject_and_no_map_is_on_both_sides(splits: tuple[Split, Split]) -> None:
    learned, unseen = splits
    assert learned.names
    assert unseen.names
    assert not {n.split("/")[0] for n in learned.names} & {n.split("/")[0] for n in unseen.names}
    assert len(learned.bank.maps) + len(unseen.bank.maps) == 200
    first = {image.tobytes() for image in learned.bank.maps}
    assert not any(image.tobytes() in first for image in unseen.bank.maps)


def test_landmarks_are_found_and_kept(splits: tuple[Split, Split], dataset: Path) -> None:
    assert store_path(dataset).exists()
    whole = splits[0].landmarks.whole(splits[0].names[0])
    assert whole
    assert whole[0].landmarks.shape == (478, 3)


def test_faces_are_found_in_tight_pictures_too(splits: tuple[Split, Split]) -> None:
    store = splits[0].landmarks
    pairs = [(store.whole(n)[0], seen) for n in store.usable for seen in store.tight(n)]
    assert pairs
    for whole, tight in pairs:
        off = np.abs(tight.landmarks[:, :2] - whole.landmarks[:, :2]).mean(0)
        left, top, right, bottom = tight.cut
        assert off.max() < 0.1 * max(right - left, bottom - top)


def test_a_tight_photo_repeats_its_edges(splits: tuple[Split, Split]) -> None:
    tight = make_block(splits[0], DataConfig(batch=4, views=2, pairs=4, tight=1), 0)
    repeated = [(photo[0] == photo[1]).all() for photo in tight["photo"]]
    assert np.mean(repeated) > 0.5
    assert not tight["mask"][:, 0][repeated].any()


def test_a_block_follows_from_seed_and_number(splits: tuple[Split, Split]) -> None:
    a, b, c = (make_block(splits[0], CONFIG, number) for number in (3, 3, 4))
    for key in a:
        np.testing.assert_array_equal(a[key], b[key])
    assert (a["photo"] != c["photo"]).any()


def test_the_mesh_lies_on_the_face(splits: tuple[Split, Split]) -> None:
    config = DataConfig(batch=4, views=2, pairs=6, tight=0)
    block = make_block(splits[0], config, 0)
    mesh, normals = block["mesh"].astype(np.float32), block["normals"].astype(np.float32)
    inside = (mesh[..., 3] > 0) & (block["mask"] > 0.9)
    assert inside.mean() > 0.05
    cosine = (mesh[inside][:, :3] * normals[inside]).sum(-1)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 25


def test_a_mirrored_sample_is_that_of_the_mirrored_scene(splits: tuple[Split, Split]) -> None:
    block = make_block(splits[0], CONFIG, 0)
    chosen = np.arange(len(block["photo"])) % 2 == 0
    mirrored = _mirrored(block, chosen)
    for key, values in block.items():
        np.testing.assert_array_equal(mirrored[key][~chosen], values[~chosen])
        np.testing.assert_array_equal(_mirrored(mirrored, chosen)[key], values)
    np.testing.assert_array_equal(mirrored["photo"][0], block["photo"][0][:, ::-1])
    np.testing.assert_array_equal(mirrored["light"][0], block["light"][0] * [-1, 1, 1, 1])
    shading = np.einsum("yxc,c->yx", block["normals"][0], block["light"][0, :3])
    again = np.einsum("yxc,c->yx", mirrored["normals"][0], mirrored["light"][0, :3])
    np.testing.assert_allclose(again, shading[:, ::-1], atol=1e-3)


def test_batches_follow_from_the_step(splits: tuple[Split, Split]) -> None:
    whole = PairDataset(splits[0], "normals", CONFIG, 3)
    later = PairDataset(splits[0], "normals", CONFIG, 3, epoch=1)
    try:
        expected = whole.batch(4)
        got = later[1]
        np.testing.assert_array_equal(got[1], expected[1])
        np.testing.assert_array_equal(got[0]["photo"], expected[0]["photo"])
    finally:
        whole.close()
        later.close()


@pytest.mark.parametrize("network", ["normals", "lighting", "quotient"])
def test_tf_data_gives_the_same_batches(splits: tuple[Split, Split], network: str) -> None:
    data = PairDataset(splits[0], network, CONFIG, 2)
    try:
        inputs, target = data[0]
        first, wanted = next(iter(tf_data(data)))
        np.testing.assert_array_equal(wanted.numpy(), target)
        assert set(first) == set(inputs)
    finally:
        data.close()


def test_disturbed_normals_stay_near_the_truth() -> None:
    rng = np.random.default_rng(0)
    true = normalize(rng.normal(0, 0.2, (3, 32, 32, 3)) + np.array([0, 0, 1]))
    mask = np.ones((3, 32, 32), np.float32)
    mask[:, :5] = 0
    mesh = np.concatenate([true, mask[..., None]], -1)
    bent = disturbed_normals(true, mesh, mask, 0.35, rng)
    assert (bent[:, :5] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(bent[:, 5:], axis=-1), 1, atol=1e-5)
    assert 0.8 < (bent * true).sum(-1)[:, 5:].mean() < 0.9999


def test_clipped_pixels_have_no_weight(splits: tuple[Split, Split]) -> None:
    block = make_block(splits[0], CONFIG, 0)
    block["photo"][:, 80:160, 80:160] = 255
    _, target = inputs_and_target(block, "quotient", CONFIG, np.random.default_rng(0))
    assert (target[:, 40:80, 40:80, 6:] == 0).all()


def test_cast_shadows_on_the_face_weigh_more(splits: tuple[Split, Split]) -> None:
    """Where the key is taken away though the surface is turned to it."""
    block = make_block(splits[0], CONFIG, 0)
    rng = np.random.default_rng(0)
    light = block["light"][:, :3]
    cosine = np.einsum("nyxc,nc->nyx", block["normals"].astype(np.float32), light)
    place = np.zeros(cosine.shape, bool)
    place[:, 56:72, 56:72] = True
    block["photo"][:] = 100
    block["gain"][place] = 0
    _, target = inputs_and_target(block, "quotient", CONFIG, rng)
    weight, face, mask = target[..., 6], target[..., 7], block["mask"].astype(np.float32)
    dark = place & (cosine > 0.4) & (face == 1) & (mask == 1)
    assert dark.sum() > 20
    assert target.dtype == np.float32
    np.testing.assert_allclose(weight[dark], 1 + EMPHASIS)
    assert (weight[(face == 0) | (place & (cosine < 0.2))] <= 1).all()
    assert (weight <= 1 + EMPHASIS).all()


@pytest.mark.parametrize("network", ["lighting", "quotient"])
def test_networks_are_given_the_estimates_of_others(
    splits: tuple[Split, Split], network: str
) -> None:
    config = DataConfig(batch=4, views=2, pairs=4, told=0)
    block = make_block(splits[0], config, 0)

    def estimate(
        photo: np.ndarray, mesh: np.ndarray, mask: np.ndarray, skin: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Faces are flat, and lit evenly."""
        assert photo.shape[1:] == (128, 128, 3)
        assert mesh.shape[1:] == (128, 128, 4)
        assert skin.max() <= 1
        flat = np.array([0, 0, 1], np.float32) * mask
        return flat, np.ones((len(photo), 16, 32, 3), np.float32)

    known = with_estimates(block, estimate)
    inputs, _ = inputs_and_target(known, network, config, np.random.default_rng(0))
    covered = block["mask"].astype(np.float32)
    np.testing.assert_allclose(inputs["normals"][..., 2], covered, atol=1e-3)
    assert not inputs["normals"][..., :2].any()
    told, _ = inputs_and_target(block, network, config, np.random.default_rng(0))
    assert np.abs(told["normals"][..., :2]).max() > 0.3


def command(dataset: Path, out: Path, *more: str) -> list[str]:
    words = ["quotient", "--data", dataset, "--out", out, "--batch", "4", *more]
    return [sys.executable, "-m", "training.train", *map(str, words)]


def environment() -> dict[str, str]:
    return os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(dataset: Path, tmp_path: Path) -> None:
    """The README's example: fifty steps; killed after the first checkpoint, then run again."""
    words = command(dataset, tmp_path / "run", "--steps", "50", "--epoch-steps", "10")
    with subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        state = tmp_path / "run" / "state.json"
        end = time.monotonic() + 600
        while not state.exists() and time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        assert state.exists(), process.stdout.read().decode() if process.stdout else ""
        process.send_signal(signal.SIGKILL)
    stopped = json.loads(state.read_text())["epoch"]
    assert 1 <= stopped < 5
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(state.read_text())["epoch"] == 5
    rows = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert [int(row.split(",")[0]) for row in rows[1:]] == list(range(5))
    figures = json.loads((tmp_path / "run" / "figures.json").read_text())
    assert figures["test_loss"] > 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert config["steps"] == 50
    assert (tmp_path / "run" / "quotient.weights.h5").stat().st_size > 1e6
    again = subprocess.run(
        command(dataset, tmp_path / "run", "--steps", "50", "--seed", "3"),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 1
    assert "other settings" in again.stderr
    assert "Traceback" not in again.stderr


def test_bad_input_gets_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for data in (tmp_path / "missing", empty):
        done = subprocess.run(
            command(data, tmp_path / "run"),
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert str(data.name) in done.stderr
        assert "Traceback" not in done.stderr


def test_a_truncated_file_of_initial_weights_costs_one_line(dataset: Path, tmp_path: Path) -> None:
    path = tmp_path / "former.weights.h5"
    NETWORKS["quotient"]().save_weights(path)
    path.write_bytes(path.read_bytes()[:100_000])
    done = subprocess.run(
        command(dataset, tmp_path / "run", "--init", str(path)),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert str(path) in line
    assert "Traceback" not in done.stderr
