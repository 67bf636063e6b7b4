# SPDX-License-Identifier: Apache-2.0
"""Whether the shipped models give the same numbers elsewhere.

``python -m export.portability runtime`` installs another TFLite runtime into a folder of its own
and runs the models there. ``python -m export.portability arm64`` runs them on 64-bit Arm: Debian's
Python and the runtime's wheel for Arm, under QEMU, which says nothing about speed. It needs Debian
or a derivative and ``apt-get install qemu-user-static``; other packages are unpacked into the work
folder, not installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

from export.measure.figure_table import FigureTable, document
from export.measure.latency import read_models
from export.model.convert import Precision
from export.model.sample import real_photos
from export.model.verify import LIGHTS, scaled_errors
from export.release import PRECISIONS
from relight import Relighter
from relight.error import RelightError, plain_errors
from relight.models.library import Models
from relight.stage.tflite import TfliteStages

TOLERANCE = 1e-3
"""Largest allowed scaled difference of a float network; sums in another order differ by less."""
QUANTISED_TOLERANCE = 0.02
"""Allowed mean scaled difference of a network with 8-bit weights: what it quantises on its way is
rounded otherwise here and there. Keras's own numbers are as far away from those of one machine."""
EMULATOR = "qemu-aarch64-static"
ARM_PACKAGES = ("python3", "libstdc++6")
ARM_WHEELS = ("tflite-runtime==2.14.0", "numpy==1.26.4")
ARM_PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_34_aarch64")
STANDALONE = Path(__file__).with_name("measure") / "standalone.py"

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
_Folder = Annotated[Path | None, typer.Option("--models", help="Folder of models.json.")]
_Work = Annotated[
    Path | None, typer.Option(help="Folder to keep downloads in; without it they are removed.")
]
_Document = Annotated[Path | None, typer.Option("--document", help="Markdown file to update.")]


@app.callback()
def _root() -> None:
    """Run the shipped models elsewhere and compare."""


@app.command("runtime")
def runtime_command(
    package: Annotated[str, typer.Option(help="Requirement of pip.")] = "ai-edge-litert",
    models: _Folder = None,
    work: _Work = None,
    write_tables: _Document = None,
) -> None:
    """Another TFLite runtime, installed into a folder of its own."""
    with plain_errors(), _folder(work) as place:
        python = place / "venv" / "bin" / "python"
        if not python.exists():
            venv.create(place / "venv", with_pip=True)
            _run([str(python), "-m", "pip", "install", "-q", package, "numpy"])
        _report("runtime", models, [str(python)], {}, place, write_tables)


@app.command("arm64")
def arm64_command(
    models: _Folder = None, work: _Work = None, write_tables: _Document = None
) -> None:
    """64-bit Arm, emulated."""
    with plain_errors(), _folder(work) as place:
        emulator = which(EMULATOR)
        if emulator is None:
            raise RelightError(f"{EMULATOR} is missing: apt-get install qemu-user-static")
        root = place / "arm64"
        if not root.exists():
            _unpack_arm(place)
        python = max(root.glob("usr/bin/python3.*[0-9]"))
        wheels = place / f"wheels-{python.name}"
        if not wheels.exists():
            _fetch_wheels(wheels, python.name.removeprefix("python"))
        command = [emulator, "-L", str(root), str(python)]
        environment = {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": str(wheels)}
        _report("arm64", models, command, environment, place, write_tables)


class Difference(NamedTuple):
    """How far two machines are apart, over the value where that is above 1."""

    largest: float
    mean: float

    def too_large(self, precision: Precision) -> bool:
        """Whether rounding does not explain it; NaN does not."""
        if precision is Precision.DYNAMIC:
            return not self.mean <= QUANTISED_TOLERANCE
        return not self.largest <= TOLERANCE


def compare(
    contents: Mapping[str, bytes],
    calls: Sequence[tuple[str, Mapping[str, NDArray[Any]]]],
    command: Sequence[str],
    environment: Mapping[str, str],
    work: Path,
) -> tuple[str, dict[str, Difference]]:
    """Run calls here and in another Python, and compare.

    Args:
        contents: of the models by name.
        calls: model and inputs by name, with batch axis.
        command: that starts the other Python.
        environment: variables added to this process's for it.
        work: folder for the files that pass between them.

    Returns:
        What the models ran on there, and the difference by ``model: output``.

    Raises:
        RelightError: if they do not run there.
    """
    arrays = {f"model/{name}": np.frombuffer(data, np.uint8) for name, data in contents.items()}
    for i, (name, inputs) in enumerate(calls):
        arrays |= {f"call/{i}/{name}/{key}": np.asarray(x) for key, x in inputs.items()}
    source = work / "calls.npz"
    np.savez(source, **arrays)
    said = ""
    results = []
    for side, words, extra in (
        ("here", [sys.executable], {}),
        ("there", command, environment),
    ):
        target = work / f"{side}.npz"
        said = _run([*words, str(STANDALONE), str(source), str(target)], extra)
        with np.load(target) as stored:
            results.append(dict(stored))
    here, there = results
    differences: dict[str, list[NDArray[Any]]] = {}
    for key, expected in here.items():
        _, _, model, output = key.split("/")
        error = scaled_errors(there[key], expected)
        differences.setdefault(f"{model}: {output}", []).append(error)
    found = {
        label: Difference(float(np.max(errors)), float(np.mean(errors)))
        for label, errors in differences.items()
    }
    return said.strip().splitlines()[-1], found


class _Recorder(TfliteStages):
    """The shipped models, recording what they are given."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(Models(folder))
        self.calls: list[tuple[str, dict[str, NDArray[Any]]]] = []

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Remember and run."""
        batches = {key: np.asarray(x, np.float32)[None] for key, x in inputs.items()}
        self.calls.append((name, batches))
        return super().run(name, inputs)


def _report(
    name: str,
    models: Path | None,
    command: Sequence[str],
    environment: Mapping[str, str],
    work: Path,
    write_tables: Path | None,
) -> None:
    recorder = _Recorder(models)
    with Relighter(models=recorder) as relighter:
        for photo in real_photos(None).values():
            relighter.relight(photo, LIGHTS)
    there, found = compare(read_models(models), recorder.calls, command, environment, work)
    rows = [(label, f"{far.largest:.1e}", f"{far.mean:.1e}") for label, far in found.items()]
    table = FigureTable(
        name,
        f"Difference on {there}",
        ("output", "largest", "mean"),
        rows,
        f"Over the value where that is above 1. Allowed is {TOLERANCE:g} at most, of networks with"
        f" 8-bit weights {QUANTISED_TOLERANCE:g} on average.",
    )
    Console().print(table.as_rich())
    wrong = [
        label for label, far in found.items() if far.too_large(PRECISIONS[label.split(":")[0]])
    ]
    if wrong:
        raise RelightError(f"{there}: {', '.join(wrong)} differ by more than rounding does")
    if write_tables is not None:
        document(write_tables, [table])


def _unpack_arm(work: Path) -> None:
    """Debian's Python for Arm and what it depends on, from the mirrors this machine uses."""
    state = work / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    settings = {
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "true",
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    _run(["apt-get", *options, "-qq", "update"])
    install = ["-qq", "-y", "--no-install-recommends", "--download-only", "install"]
    _run(["apt-get", *options, *install, *ARM_PACKAGES])
    root = work / "arm64.part"
    for package in sorted((state / "cache" / "archives").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(root)])
    root.rename(work / "arm64")


def _fetch_wheels(folder: Path, version: str) -> None:
    """Unpack the wheels for Arm and that Python."""
    fetched = folder.with_name("downloads")
    platforms = [word for name in ARM_PLATFORMS for word in ("--platform", name)]
    choice = ["--only-binary=:all:", "--python-version", version, *platforms]
    _run([sys.executable, "-m", "pip", "download", "-q", *choice, "-d", str(fetched), *ARM_WHEELS])
    for wheel in fetched.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What a program prints; a failure is one line."""
    done = subprocess.run(  # noqa: S603
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RelightError(f"{' '.join(command[:3])} ... failed: {lines[-1][:300]}")
    return done.stdout


@contextmanager
def _folder(work: Path | None) -> Iterator[Path]:
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
        yield work.resolve()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    app()
