# SPDX-License-Identifier: Apache-2.0
"""Which photos are relit and which files are written, decided before any work starts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from relight.video.clip import SUFFIXES

WRITABLE = frozenset(
    ".jpg .jpeg .jpe .jfif .png .tif .tiff .webp .heic .heif .hif".split()  # noqa: SIM905
)
"""File types a relit photo can have."""
CLIPS = frozenset(SUFFIXES)
"""File types of clips, which are relit where they are named, not where a folder is."""
READABLE = WRITABLE | {".gif", ".bmp", ".avif"}
"""File types that count as photos in a folder."""
LIGHTING = frozenset({".hdr", ".exr"})
"""File types of a saved environment map."""
EXR_CURE = "pip install 'portrait-relight[exr]'"
MARK = ".relit"
"""Comes before the suffix of a relit photo that is written beside its original."""
STREAM = "-"
_PHOTOS = ".jpg, .png, .tif, .webp or .heic"


class PlanError(ValueError):
    """The command line asks for files that cannot or must not be written."""


@dataclass(frozen=True)
class Job:
    """One photo to relight and the files it gives.

    Attributes:
        name: the photo as the user wrote it, or found below a folder; ``-`` is standard input.
        output: the relit photo; None is standard output.
        compare: picture of before and after, if wanted.
        explain: sheet of the intermediate results, if wanted.
        lighting: environment map of the existing light, if wanted.
        from_folder: whether the photo was found in a folder rather than named.
    """

    name: str
    output: Path | None
    compare: Path | None = None
    explain: Path | None = None
    lighting: Path | None = None
    from_folder: bool = False

    @property
    def is_clip(self) -> bool:
        """Whether it is a clip rather than a photo."""
        return Path(self.name).suffix.lower() in CLIPS

    @property
    def outputs(self) -> list[Path]:
        """All files it writes, the relit photo last."""
        files = (self.compare, self.explain, self.lighting, self.output)
        return [file for file in files if file is not None]


@dataclass(frozen=True)
class OutputOptions:
    """What the command line says about the files to write.

    Attributes:
        output: ``-o``: a file, a folder, ``-`` or nothing.
        compare: whether comparisons are wanted.
        explain: whether sheets are wanted.
        lighting: where to save the lighting.
        overwrite: whether existing outputs may be replaced.
        keep_dates: whether outputs get the dates of their photos' files.
    """

    output: str | None = None
    compare: bool = False
    explain: bool = False
    lighting: str | None = None
    overwrite: bool = False
    keep_dates: bool = False


@dataclass
class Plan:
    """What is to be done.

    Attributes:
        jobs: photos to relight, :class:`Job` or :class:`relight_app.cloud.CloudJob`.
        skipped: photos of folders that were relit by an earlier run.
        failures: inputs that cannot be relit, and why.
        single: whether one photo was named, rather than several or a folder.
    """

    jobs: list[Any] = field(default_factory=list)
    skipped: list[Any] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    single: bool = False


@dataclass(frozen=True)
class _Input:
    """A photo, and its path below the folder it was found in."""

    name: str
    below: Path
    from_folder: bool


def make_plan(photos: Sequence[str], options: OutputOptions) -> Plan:
    """Decide what is to be done.

    Raises:
        PlanError: if no photo should be touched, because an output would overwrite an input, two
            named photos would be written to one file, or the options contradict each other.
    """
    plan = Plan(single=len(photos) == 1 and not os.path.isdir(photos[0]))
    _check_options(photos, options, plan.single)
    is_clip = plan.single and Path(photos[0]).suffix.lower() in CLIPS
    folder = _output_folder(options.output, plan.single, CLIPS if is_clip else WRITABLE)
    inputs = list(_find_photos(photos, folder, plan))
    outputs = [_output(found, options, folder) for found in inputs]
    shared = shared_stems([output for output in outputs if output is not None])
    jobs = [
        _complete(found, options, output, single=plan.single, shared=shared)
        for found, output in zip(inputs, outputs, strict=True)
    ]
    for job in _without_collisions(jobs, plan):
        if options.overwrite:
            plan.jobs.append(job)
        elif job.from_folder and job.output is not None and job.output.exists():
            plan.skipped.append(job)
        elif not job.from_folder and (taken := _first_taken(job)):
            plan.failures.append(
                (job.name, f"{job.name}: {taken} exists; use --overwrite or another -o")
            )
        else:
            plan.jobs.append(job)
    return plan


def _check_options(photos: Sequence[str], options: OutputOptions, single: bool) -> None:
    if STREAM in photos and not single:
        raise PlanError("- (standard input) cannot be combined with other photos")
    to_stream = options.output == STREAM or (photos[0] == STREAM and options.output is None)
    if to_stream and not single:
        raise PlanError("-o - takes one photo; give a folder for several")
    clips = [name for name in photos if Path(name).suffix.lower() in CLIPS]
    if clips and (options.compare or options.explain or options.lighting):
        raise PlanError(
            f"{clips[0]}: --compare, --explain and --save-lighting are for photos; leave them out"
        )
    if clips and to_stream:
        raise PlanError(f"{clips[0]}: a clip needs a file; name it with -o")
    if to_stream and (options.compare or options.explain):
        raise PlanError("--compare and --explain go beside the relit photo; name it with -o")
    if options.keep_dates and (to_stream or STREAM in photos):
        raise PlanError("--keep-dates needs files; streams have no dates")
    check_lighting(options, single)


def check_lighting(options: OutputOptions, single: bool) -> None:
    """Check that the lighting can be saved where it is wanted.

    Raises:
        PlanError: if it cannot.
    """
    if options.lighting is None:
        return
    lighting = Path(options.lighting)
    if lighting.suffix.lower() not in LIGHTING:
        raise PlanError(f"--save-lighting {options.lighting}: name a .hdr or .exr file")
    if lighting.suffix.lower() == ".exr" and find_spec("OpenEXR") is None:
        raise PlanError(f"--save-lighting {options.lighting}: use .hdr, or {EXR_CURE}")
    if not single and lighting.name != options.lighting:
        raise PlanError(
            f"--save-lighting {options.lighting}: for several photos give a name without a folder;"
            " each photo's lighting is written beside its output"
        )
    if single and not lighting.parent.is_dir():
        raise PlanError(f"--save-lighting: there is no folder {lighting.parent}; create it first")


def _output_folder(output: str | None, single: bool, kinds: Container[str]) -> Path | None:
    """The folder that outputs go to, None if ``-o`` is a file, a stream or missing."""
    if output is None or output == STREAM:
        return None
    path = Path(output)
    if path.is_dir():
        return path
    is_name = output.endswith(("/", os.sep)) or not path.suffix
    if single and not is_name:
        if path.suffix.lower() not in kinds:
            usual = ".mp4, .mov, .mkv or .webm" if kinds is CLIPS else _PHOTOS
            raise PlanError(f"-o {output}: use {usual}, or a folder")
        if not path.parent.is_dir():
            raise PlanError(f"-o {output}: there is no folder {path.parent}; create it first")
        return None
    if path.exists() or (path.suffix.lower() in READABLE and not output.endswith(("/", os.sep))):
        raise PlanError(f"-o {output} is not a folder; several photos need one")
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
            if key not in seen:  # a photo that is named twice is relit once
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
        plan.failures.append((top, f"{top}: no photos in this folder; check the path"))


def _output(found: _Input, options: OutputOptions, folder: Path | None) -> Path | None:
    """The relit photo's path; None is standard output."""
    suffix = _suffix(found.below)
    if found.name == STREAM and folder is not None:
        raise PlanError("-o must name a file when the photo comes from standard input")
    if options.output == STREAM or (found.name == STREAM and options.output is None):
        return None
    if folder is not None:
        return folder / found.below.with_suffix(suffix)
    if options.output is not None:
        return Path(options.output)
    return Path(found.name).with_name(f"{found.below.stem}{MARK}{suffix}")


def relative_job(below: Path, options: OutputOptions, shared: Container[str]) -> Job:
    """A job by the paths of its files below a folder.

    Args:
        below: the photo's.
        options: which files are wanted.
        shared: what :func:`shared_stems` found among the outputs of all photos.
    """
    found = _Input(below.as_posix(), below, True)
    output = relative_output(below, options)
    return _complete(found, options, output, single=False, shared=shared)


def relative_output(below: Path, options: OutputOptions) -> Path:
    """The relit photo's path below a folder: marked if it is written beside its original."""
    mark = MARK if options.output is None else ""
    return below.with_name(f"{below.stem}{mark}{_suffix(below)}")


def _suffix(photo: Path) -> str:
    """What a relit photo's name ends in: the photo's own suffix, if it can be written."""
    return photo.suffix if photo.suffix.lower() in WRITABLE | CLIPS else ".png"


def shared_stems(outputs: Iterable[Path]) -> set[str]:
    """Paths without suffix that several outputs share, as those of ``a.bmp`` and ``a.png`` do."""
    found = Counter(_stem(output) for output in outputs)
    return {stem for stem, count in found.items() if count > 1}


def _stem(output: Path) -> str:
    return os.path.join(os.path.realpath(output.parent), output.stem)


def _complete(
    found: _Input,
    options: OutputOptions,
    output: Path | None,
    *,
    single: bool,
    shared: Container[str],
) -> Job:
    """A job with all its files; full names keep apart those that would share a stem."""
    stem = output.stem if output is not None else ""
    if output is not None and found.from_folder and _stem(output) in shared:
        if output.suffix != found.below.suffix:
            output = output.with_name(found.below.name + output.name[len(found.below.stem) :])
        stem = output.name
    lighting = Path(options.lighting) if options.lighting is not None else None
    if lighting is not None and not single and output is not None:
        lighting = output.with_name(f"{stem}.{lighting.name}")
    return Job(
        name=found.name,
        output=output,
        compare=output.with_name(f"{stem}.compare.jpg")
        if output is not None and options.compare
        else None,
        explain=output.with_name(f"{stem}.explain.png")
        if output is not None and options.explain
        else None,
        lighting=lighting,
        from_folder=found.from_folder,
    )


def _without_collisions(jobs: Sequence[Job], plan: Plan) -> Iterator[Job]:
    """Jobs whose files are theirs alone; of photos in folders the others become failures."""
    inputs = {os.path.realpath(job.name): job.name for job in jobs if job.name != STREAM}
    writers: dict[str, str] = {}
    alone: list[Job] = []
    for job in jobs:
        files = {os.path.realpath(file): file for file in job.outputs}
        for key, file in files.items():
            if key in inputs:
                cure = "leave out -o, or choose another folder or name"
                raise PlanError(
                    f"{job.name}: its output {file} would overwrite the input {inputs[key]}; {cure}"
                )
        taken = next((key for key in files if key in writers), None)
        if taken is None:
            writers.update(dict.fromkeys(files, job.name))
            alone.append(job)
            continue
        text = (
            f"{writers[taken]} and {job.name} would both be written to {files[taken]};"
            " relight them one by one or rename one"
        )
        if not job.from_folder:
            raise PlanError(text)
        plan.failures.append((job.name, text))
    yield from alone


def _first_taken(job: Job) -> Path | None:
    """The first of a job's outputs that exists, a broken link too."""
    return next((file for file in reversed(job.outputs) if os.path.lexists(file)), None)
