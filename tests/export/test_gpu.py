# SPDX-License-Identifier: Apache-2.0
"""Operations that a phone's GPU lacks: found where they are, absent from what ships."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from export import gpu
from export.model.graph import inspect
from relight.models.library import Models, read_manifest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped() -> dict[str, gpu.GpuFit]:
    return gpu.inspect_folder(Models().folder)


@pytest.mark.parametrize("name", sorted(gpu.RUN_ON_GPU))
def test_models_for_the_gpu_run_whole_there(name: str, shipped: dict[str, gpu.GpuFit]) -> None:
    assert shipped[name].unfriendly == ()
    assert shipped[name].operations["CONV_2D"] > 5


def test_the_library_gives_the_gpu_the_models_that_were_checked() -> None:
    models = ROOT / "app/android/tflite/src/main/kotlin/portrait/relight/tflite/TfliteModels.kt"
    given = re.findall(r'"(\w+)" to Accelerator\.GPU', models.read_text("utf-8"))
    assert set(given) == gpu.RUN_ON_GPU


def test_an_operation_that_the_gpu_lacks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "FRIENDLY", gpu.FRIENDLY - {"RESIZE_BILINEAR"})
    fit = gpu.inspect((Models().folder / "key.tflite").read_bytes())
    assert fit.unfriendly == ("RESIZE_BILINEAR is not an operation of the GPU delegate",)


def test_the_command_fails_where_a_model_would_be_split(monkeypatch: pytest.MonkeyPatch) -> None:
    from typer import Typer

    app = Typer()
    app.command()(gpu.main)
    assert CliRunner().invoke(app).exit_code == 0
    monkeypatch.setattr(gpu, "FRIENDLY", gpu.FRIENDLY - {"EXP"})
    assert CliRunner().invoke(app).exit_code == 1


def test_models_use_built_in_operations_alone() -> None:
    """TensorFlow Lite on Android and tflite-runtime have no others, as MediaPipe's runtime has."""
    for name, entry in read_manifest(Models().folder)[1].items():
        graph = inspect((Models().folder / entry.file).read_bytes())
        assert graph.delegated or graph.others
        for operation in graph.delegated | graph.others:
            assert re.fullmatch(r"[A-Z0-9_]+", operation), f"{name}: {operation}"


def test_an_npu_takes_what_its_compiler_lists(shipped: dict[str, gpu.GpuFit]) -> None:
    fit = shipped["normals"]
    assert {"CONV_2D", "RESIZE_BILINEAR"} <= fit.operations.keys() & gpu.NEURAL
    assert not set(fit.not_neural) & gpu.NEURAL
    assert set(fit.not_neural) <= fit.operations.keys()


def test_most_of_every_model_runs_on_xnnpack(shipped: dict[str, gpu.GpuFit]) -> None:
    for name, fit in shipped.items():
        assert "CONV_2D" not in fit.interpreted, name
        assert fit.interpreted.total() < fit.operations.total() / 2, name


def test_the_table_says_where_each_model_runs(
    shipped: dict[str, gpu.GpuFit], monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer import Typer

    monkeypatch.setenv("COLUMNS", "400")
    app = Typer()
    app.command()(gpu.main)
    output = CliRunner().invoke(app).output
    for heading in ("XNNPACK", "GPU", "NPU"):
        assert heading in output
    assert all(name in output for name in shipped)
    assert ", ".join(shipped["lighting"].not_neural) in output
