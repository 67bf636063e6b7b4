# SPDX-License-Identifier: Apache-2.0
"""Which photos are relit and which files are written, settled before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WRITABLE = frozenset(
    ".jpg .jpeg .jpe .jfif .png .tif .tiff .webp .heic .heif .hif".split()  # noqa: SIM905
)
"""File types a relit photo can have."""
READABLE = WRITABLE | {".gif", ".bmp", ".avif"}
"""File types that are taken for photos in a folder."""
LIGHTING = frozenset({".hdr", ".exr"})
"""File types of a saved environment map."""
MARK = ".relit"
"""Comes before the suffix of a relit photo that stands beside its original."""
STREAM = "-"


class PlanError(ValueError):
    """The command line asks for something that cannot be meant."""


@dataclass(frozen=True)
class Job:
    """One photo to relight and the files it gives.

    Attributes:
        name: the photo as the user wrote it, or found below a folder; ``-`` is standard input.
        output: the relit photo; None is standard output.
        compare: picture of before and after, if wanted.
        explain: sheet of the intermediate results, if wanted.
        lighting: environment map of the existing light, if wanted.
        walked: whether the photo was found in a folder rather than named.
    """

    name: str
    output: Path | None
    compare: Path | None = None
    explain: Path | None = None
    lighting: Path | None = None
    walked: bool = False

    @property
    def outputs(self) -> list[Path]:
        """All files it writes, the relit photo last."""
        files = (self.compare, self.explain, self.lighting, self.output)
        return [file for file in files if file is not None]


@dataclass(frozen=True)
class Request:
    """What the command line says about files.

    Attributes:
        output: ``-o``: a file, a folder, ``-`` or nothing.
        compare: whether comparisons are wanted.
        explain: whether sheets are wanted.
        lighting: where to save the lighting.
        overwrite: whether existing outputs may be replaced.
    """

    output: str | None = None
    compare: bool = False
    explain: bool = False
    lighting: str | None = None
    overwrite: bool = False


@dataclass
class Plan:
    """What is to be done.

    Attributes:
        jobs: photos to relight, :class:`Job` or :class:`relight_app.cloud.CloudJob`.
        skipped: photos of folders that were relit before.
        failures: inputs that cannot be worked on, and why.
        single: whether one photo was named, rather than several or a folder.
    """

    jobs: list[Any] = field(default_factory=list)
    skipped: list[Any] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    single: bool = False


@dataclass(frozen=True)
class _Input:
    """A photo, and its place below the folder it was found in."""

    name: str
    below: Path
    walked: bool


def make(photos: Sequence[str], request: Request) -> Plan:
    """Settle what is to be done.

    Raises:
        PlanError: if no photo should be touched, because outputs would collide or overwrite an
            input, or because the options contradict each other.
    """
    plan = Plan(single=len(photos) == 1 and not os.path.isdir(photos[0]))
    _check_request(photos, request, plan.single)
    folder = _output_folder(request.output, plan.single)
    inputs = list(_find_photos(photos, folder, plan))
    jobs = [_make_job(found, request, folder, plan.single) for found in inputs]
    _check_collisions(jobs)
    for job in jobs:
        if request.overwrite:
            plan.jobs.append(job)
        elif job.walked and job.output is not None and job.output.exists():
            plan.skipped.append(job)
        elif not job.walked and (taken := _first_taken(job)):
            plan.failures.append(
                (job.name, f"{job.name}: {taken} exists; use --overwrite or another -o")
            )
        else:
            plan.jobs.append(job)
    return plan


def _check_request(photos: Sequence[str], request: Request, single: bool) -> None:
    if STREAM in photos and not single:
        raise PlanError("- (standard input) goes alone, without other photos")
    to_stream = request.output == STREAM or (photos[0] == STREAM and request.output is None)
    if to_stream and not single:
        raise PlanError("-o - takes one photo; name a folder for several")
    if to_stream and (request.compare or request.explain):
        raise PlanError("--compare and --explain stand beside the relit photo; name it with -o")
    check_lighting(request, single)


def check_lighting(request: Request, single: bool) -> None:
    """Whether the lighting can be saved where it is wanted.

    Raises:
        PlanError: if not.
    """
    if request.lighting is None:
        return
    lighting = Path(request.lighting)
    if lighting.suffix.lower() not in LIGHTING:
        raise PlanError(f"--save-lighting {request.lighting}: name a .hdr or .exr file")
    if not single and lighting.name != request.lighting:
        raise PlanError(
            f"--save-lighting {request.lighting}: for several photos give a name without a folder;"
            " each photo's lighting stands beside its output"
        )
    if single and not lighting.parent.is_dir():
        raise PlanError(f"--save-lighting: no folder {lighting.parent}; create it first")


def _output_folder(output: str | None, single: bool) -> Path | None:
    """The folder that outputs go to, None if ``-o`` is a file, a stream or missing."""
    if output is None or output == STREAM:
        return None
    path = Path(output)
    if path.is_dir():
        return path
    is_name = output.endswith(("/", os.sep)) or not path.suffix
    if single and not is_name:
        if path.suffix.lower() not in WRITABLE:
            raise PlanError(f"-o {output}: use .jpg, .png, .tif, .webp or .heic, or a folder")
        if not path.parent.is_dir():
            raise PlanError(f"-o {output}: no folder {path.parent}; create it first")
        return None
    if path.exists() or (path.suffix.lower() in READABLE and not output.endswith(("/", os.sep))):
        raise PlanError(f"-o {output}: is not a folder; several photos need one")
    return path


def _find_photos(photos: Sequence[str], folder: Path | None, plan: Plan) -> Iterator[_Input]:
    seen: set[str] = set()
    for name in photos:
        found: list[_Input] = []
        if name != STREAM and os.path.isdir(name):
            found = list(_walk(name, folder, plan))
        elif name == STREAM or os.path.exists(name):
            found = [_Input(name, Path(os.path.basename(name)), False)]
        else:
            plan.failures.append(
                (name, f"{name} does not exist; check the spelling and the folder")
            )
        for item in found:
            key = os.path.abspath(item.name)
            if key not in seen:  # named twice is meant once
                seen.add(key)
                yield item


def _walk(top: str, outputs: Path | None, plan: Plan) -> Iterator[_Input]:
    """Photos below a folder, in order; no hidden ones, no earlier outputs, no linked folders."""
    barred = os.path.realpath(outputs) if outputs is not None else None
    whole = barred == os.path.realpath(top)

    def note(error: OSError) -> None:
        name = error.filename or top
        plan.failures.append((name, f"{name} cannot be searched ({error.strerror}); skipped"))

    empty, before = True, len(plan.failures)
    for parent, folders, files in os.walk(top, onerror=note):
        folders[:] = sorted(
            folder
            for folder in folders
            if not folder.startswith(".")
            and (whole or os.path.realpath(os.path.join(parent, folder)) != barred)
        )
        for file in sorted(files):
            stem, suffix = os.path.splitext(file)
            if suffix.lower() not in READABLE or file.startswith("."):
                continue
            empty = False
            if f"{MARK}." in f"{stem}{suffix}":
                continue
            path = os.path.join(parent, file)
            yield _Input(path, Path(os.path.relpath(path, top)), True)
    if empty and len(plan.failures) == before:
        plan.failures.append((top, f"{top}: no photos in this folder; name one that has some"))


def _make_job(found: _Input, request: Request, folder: Path | None, single: bool) -> Job:
    suffix = found.below.suffix
    suffix = suffix if suffix.lower() in WRITABLE else ".png"
    output: Path | None
    if found.name == STREAM and (request.output is None or folder is not None):
        if folder is not None:
            raise PlanError("-o must name a file when the photo comes from standard input")
        output = None
    elif request.output == STREAM:
        output = None
    elif folder is not None:
        output = folder / found.below.with_suffix(suffix)
    elif request.output is not None:
        output = Path(request.output)
    else:
        output = Path(found.name).with_name(f"{found.below.stem}{MARK}{suffix}")
    return _complete(found, request, output, single)


def place(below: Path, request: Request, beside: bool) -> Job:
    """A job by the paths of its files below a folder.

    Args:
        below: the photo's.
        request: which files are wanted.
        beside: whether the outputs stand beside the photo; else in a folder of their own.
    """
    suffix = below.suffix if below.suffix.lower() in WRITABLE else ".png"
    output = below.with_name(f"{below.stem}{MARK if beside else ''}{suffix}")
    return _complete(_Input(below.as_posix(), below, True), request, output, single=False)


def _complete(found: _Input, request: Request, output: Path | None, single: bool) -> Job:
    lighting = Path(request.lighting) if request.lighting is not None else None
    if lighting is not None and not single and output is not None:
        lighting = output.with_name(f"{output.stem}.{lighting.name}")
    return Job(
        name=found.name,
        output=output,
        compare=output.with_name(f"{output.stem}.compare.jpg")
        if output is not None and request.compare
        else None,
        explain=output.with_name(f"{output.stem}.explain.png")
        if output is not None and request.explain
        else None,
        lighting=lighting,
        walked=found.walked,
    )


def _check_collisions(jobs: Sequence[Job]) -> None:
    inputs = {os.path.realpath(job.name): job.name for job in jobs if job.name != STREAM}
    writers: dict[str, str] = {}
    for job in jobs:
        for file in job.outputs:
            key = os.path.realpath(file)
            if key in inputs:
                cure = "leave -o away or choose another folder or name"
                raise PlanError(
                    f"{job.name}: its output {file} would overwrite the input {inputs[key]}; {cure}"
                )
            if key in writers:
                raise PlanError(
                    f"{writers[key]} and {job.name} would both be written to {file};"
                    " relight them one by one or rename one"
                )
            writers[key] = job.name


def _first_taken(job: Job) -> Path | None:
    """The first of a job's outputs that exists, a broken link too."""
    return next((file for file in reversed(job.outputs) if os.path.lexists(file)), None)
