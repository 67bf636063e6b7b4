# SPDX-License-Identifier: Apache-2.0
"""From weights to shipped files, with narrow networks and the example instead of renders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("tensorflow")

from export_network import BUILDERS, network

from export import __main__ as command
from export import release as release_module
from export.error import ExportError
from export.model.convert import Precision, convert
from export.model.sample import EXAMPLE, SampleConfig, real_photos
from export.model.verify import Gates
from export.release import PRECISIONS, Release, ReleaseConfig, parity_table, release
from relight.models.interpreter import load_interpreter
from relight.models.library import Models
from training.networks import weight_file as weight_file_module

CACHE: dict[tuple[str, Precision], bytes] = {}


def once(model: Any, precision: Precision, calibration: Any = ()) -> bytes:
    key = model.name, precision
    if key not in CACHE:
        CACHE[key] = convert(model, precision, calibration)
    return CACHE[key]


def mirrored(root: Path, config: SampleConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    photo = real_photos(None)[EXAMPLE.name][:, ::-1]
    return {"mirrored": np.ascontiguousarray(photo)}, {"other": np.ascontiguousarray(photo)}


@pytest.fixture(scope="module", autouse=True)
def narrow() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weight_file_module, "NETWORKS", BUILDERS)
        patch.setattr(release_module, "synthetic_photos", mirrored)
        patch.setattr(release_module, "convert", once)
        yield


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    for name in BUILDERS:
        network(name).save_weights(folder / f"{name}.weights.h5")
    return folder


@pytest.fixture(scope="module")
def config(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> ReleaseConfig:
    root = tmp_path_factory.mktemp("release")
    return ReleaseConfig(weights, root / "out", root / "variants", data=root)


@pytest.fixture(scope="module")
def made(config: ReleaseConfig) -> Release:
    return release(config)


@pytest.fixture
def elsewhere(config: ReleaseConfig, tmp_path: Path) -> ReleaseConfig:
    return replace(config, out=tmp_path / "out", variants=tmp_path / "variants")


def test_what_ships_is_what_the_runtime_loads(made: Release, config: ReleaseConfig) -> None:
    adopted = ("face_full", "face_mesh", "face_short", "person")
    files = {f"{name}.tflite" for name in (*made.shipped, *adopted)}
    assert {path.name for path in config.out.iterdir()} == files | {"models.json"}
    models = Models(config.out)
    found = models.run(
        "lighting",
        {
            "photo": np.zeros((128, 128, 3)),
            "normals": np.zeros((128, 128, 3)),
            "skin": np.zeros((128, 128, 1)),
        },
    )
    assert found["log_environment"].shape == (16, 32, 3)
    manifest = json.loads((config.out / "models.json").read_text())
    assert manifest["models"]["key"]["inputs"]["light"] == [1, 4]
    details = manifest["details"]["key"]
    photo = manifest["details"]["shading"]["inputs"]["photo"]
    assert photo["space"].startswith("sRGB")
    assert details["relit_psnr_db"] == made.parity.worst_db
    assert details["outputs"]["key"]["high"] is None


def test_files_follow_keras(made: Release) -> None:
    assert made.parity.decibels.keys() == {EXAMPLE.name, "mirrored"}
    for name in BUILDERS:
        for output, error in made.reference_parity.errors[name].items():
            coarse = made.parity.errors[name][output]
            assert error.scaled <= 1e-4
            assert error.largest <= coarse.largest < 0.2  # narrow networks keep float weights
            assert error.spread > 100 * error.largest
    assert 50 <= made.parity.worst_db < made.reference_parity.worst_db


def test_variants_do_not_ship_and_only_good_int8_is_offered(
    made: Release, config: ReleaseConfig
) -> None:
    assert config.variants is not None
    names = {path.name for path in config.variants.iterdir()}
    exact = {f"{name}-{kind}.tflite" for name in BUILDERS for kind in ("float32", "float16")}
    assert names == exact | {f"{name}-int8.tflite" for name in made.offered}
    for name, parity in made.int8_parity.items():
        assert (name in made.offered) == (parity.worst_db >= Gates().int8_db)


def test_an_int8_file_from_before_is_offered_no_more(elsewhere: ReleaseConfig) -> None:
    assert elsewhere.variants is not None
    elsewhere.variants.mkdir()
    stale = elsewhere.variants / "key-int8.tflite"
    stale.write_bytes(b"from before")
    release(replace(elsewhere, gates=Gates(int8_db=1000)))
    assert not stale.exists()


@pytest.mark.parametrize(
    ("gates", "reason"),
    [
        (Gates(shipped_db=1000), "mirrored: relit by the shipped files at"),
        (Gates(float32_error=0), "key: float32 key differs from Keras by"),
        (Gates(megabytes=0.01), "the models take"),
    ],
)
def test_what_fails_a_gate_does_not_ship(
    gates: Gates, reason: str, elsewhere: ReleaseConfig
) -> None:
    with pytest.raises(ExportError, match=reason):
        release(replace(elsewhere, gates=gates))
    assert not elsewhere.out.exists()
    assert elsewhere.variants is not None
    assert not elsewhere.variants.exists()


def test_lost_weights_are_noticed(
    elsewhere: ReleaseConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = convert(network("key", seed=5), Precision.FLOAT32)
    monkeypatch.setitem(CACHE, ("key_network", Precision.FLOAT32), other)
    with pytest.raises(ExportError, match="key: float32 key differs"):
        release(elsewhere)


def test_figures_are_tabled(made: Release) -> None:
    rows = parity_table(made, Gates()).rows
    judged = sum(len(made.parity.errors[name]) for name in made.int8_parity)
    assert len(rows) == 14 + judged  # five outputs in two precisions, four in a third
    assert ("key: key", "float32") in {row[:2] for row in rows}


def test_the_command_reports_in_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(command.app, ["--weights", str(tmp_path)])
    assert done.exit_code == 1
    assert "weights.h5: no such weights; train" in done.stderr
    assert done.stderr.count("\n") == 1


def test_networks_that_a_run_lacks_are_exported_as_they_ship(tmp_path: Path) -> None:
    assert set(release_module._homes(tmp_path).values()) == {tmp_path}, "nothing is told of there"
    (tmp_path / "normals.weights.h5").touch()
    homes = release_module._homes(tmp_path)
    assert homes.pop("normals") == tmp_path
    assert set(homes.values()) == {release_module.SHIPPED}
    assert all((release_module.SHIPPED / f"{name}.weights.h5").is_file() for name in homes)


@pytest.mark.parametrize("name", sorted(PRECISIONS))
def test_what_ships_has_the_precision_that_its_description_tells(name: str) -> None:
    folder = Models().folder
    listed = json.loads((folder / "models.json").read_text())
    assert listed["details"][name]["precision"] == PRECISIONS[name]
    interpreter = load_interpreter((folder / listed["models"][name]["file"]).read_bytes())
    kinds = {t["index"]: t["dtype"] for t in interpreter.get_tensor_details()}
    nodes = [n for n in interpreter._get_ops_details() if n["op_name"] == "CONV_2D"]
    weights = {kinds[int(n["inputs"][1])] for n in nodes}
    assert (np.int8 in weights) == (PRECISIONS[name] is Precision.DYNAMIC)
    assert {kinds[int(n["outputs"][0])] for n in nodes} == {np.float32}
