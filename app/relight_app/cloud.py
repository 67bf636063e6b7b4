# SPDX-License-Identifier: Apache-2.0
"""Photos in cloud folders: any URL that fsspec knows, as ``s3://bucket/photos``.

Each photo is fetched into a temporary folder, relit there as a local one is, and what comes out is
stored, the relit photo last.
"""

from __future__ import annotations

import dataclasses
import posixpath
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relight_app.companion import SIDECAR
from relight_app.destination import (
    MARK,
    READABLE,
    STREAM,
    Job,
    OutputOptions,
    Plan,
    PlanError,
    check_lighting,
    relative_job,
    relative_output,
    shared_stems,
)
from relight_app.task import Outcome, Task

CURE = "pip install 'portrait-relight[scale]'"
STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "memory"}
"""Protocols whose files appear only when they are complete; on others we write and then rename."""


def is_cloud(photos: Sequence[str], output: str | None) -> bool:
    """Whether any of the names on the command line is a URL."""
    return any("://" in name for name in (*photos, output or ""))


@dataclass(frozen=True)
class CloudJob:
    """One photo of a cloud folder.

    Attributes:
        name: its URL.
        base: URL of the folder that the outputs' paths start from.
        relative: the same job with paths below that folder.
        sidecars: URLs of XMP files beside the photo, which may be its sidecars.
    """

    name: str
    base: str
    relative: Job
    sidecars: tuple[str, ...] = ()

    @property
    def output(self) -> str:
        """URL of the relit photo."""
        return self.url(self.relative.output)

    def url(self, path: Path | None) -> str:
        """Where a file of the job is stored."""
        return f"{self.base}/{path.as_posix()}" if path is not None else ""


def make_plan(photos: Sequence[str], options: OutputOptions) -> Plan:
    """Decide what is to be done, as :func:`relight_app.destination.make_plan` does for folders.

    Raises:
        PlanError: if a folder cannot be listed or an output would overwrite an input.
    """
    if STREAM in (*photos, options.output):
        raise PlanError("- (a stream) does not go with cloud folders; name files")
    if options.keep_dates:
        raise PlanError("--keep-dates does not go with cloud folders, which date files themselves")
    check_lighting(options, single=False)
    plan = Plan()
    jobs: list[CloudJob] = []
    done: set[str] = set()
    for top in photos:
        listed = _list(top)
        files = [f for f in listed if _is_photo(f)]
        beside = _sidecars(listed)
        if not files:
            plan.failures.append((top, f"{top}: no photos there; check the address"))
        base = (options.output or (_parent(top) if files == [""] else top)).rstrip("/")
        done.update(f"{base}/{name}" for name in _list(base))
        names = {file: f"{top.rstrip('/')}/{file}" if file else top for file in files}
        below = {file: Path(file or posixpath.basename(top)) for file in files}
        shared = shared_stems(relative_output(path, options) for path in below.values())
        jobs += [
            CloudJob(
                names[file],
                base,
                relative_job(path, options, shared),
                tuple(f"{top.rstrip('/')}/{found}" for found in beside.get(_stem(file), ())),
            )
            for file, path in below.items()
        ]
    for job in _without_collisions(jobs, plan):
        skipped = job.output in done and not options.overwrite
        (plan.skipped if skipped else plan.jobs).append(job)
    return plan


@dataclass
class CloudTask:
    """Relights the photos of a cloud folder.

    Attributes:
        task: relights a local one.
    """

    task: Task

    def __call__(self, job: CloudJob) -> Outcome:
        """Relight one photo; nothing but an interrupt is raised."""
        try:
            with tempfile.TemporaryDirectory(prefix="relight-") as folder:
                return self._work(job, Path(folder))
        except Exception as error:  # every store has its own
            words = (str(error).strip() or type(error).__name__).splitlines()[0]
            text = f"{job.name}: cannot be fetched or stored ({words}); check access, run again"
            return Outcome(job.name, "failed", text)

    def _work(self, job: CloudJob, folder: Path) -> Outcome:
        names = {"source": posixpath.basename(job.name)}
        kinds = ("compare", "explain", "lighting", "output")  # the relit photo last
        paths = {kind: getattr(job.relative, kind) for kind in kinds}
        local = {kind: folder / "out" / path.name for kind, path in paths.items() if path}
        source = folder / names["source"]
        fetch(job.name, source)
        for url in job.sidecars:
            fetch(url, folder / posixpath.basename(url))
        outcome = self.task(dataclasses.replace(job.relative, name=str(source), **local))
        urls = {kind: job.url(paths[kind]) for kind in local}
        if "sidecar" in outcome.files:
            local = {"sidecar": Path(outcome.files["sidecar"]), **local}
            urls["sidecar"] = f"{_parent(job.output)}/{local['sidecar'].name}"
        if outcome.status in ("relit", "unchanged"):
            for kind, path in local.items():
                if path.exists():
                    store(path, urls[kind])

        def renamed(text: str) -> str:
            for kind, path in local.items():
                text = text.replace(str(path), urls[kind])
            return text.replace(str(source), job.name)

        return dataclasses.replace(
            outcome,
            name=job.name,
            message=renamed(outcome.message),
            files={kind: urls[kind] for kind in outcome.files},
            warnings=tuple(map(renamed, outcome.warnings)),
        )


def fetch(url: str, path: Path) -> None:
    """Copy a file from a cloud folder."""
    system, source = _open(url)
    system.get_file(source, str(path))


def store(path: Path, url: str) -> None:
    """Copy a file to a cloud folder, where it appears whole or not at all."""
    system, target = _open(url)
    system.makedirs(_parent(target), exist_ok=True)
    protocol = system.protocol if isinstance(system.protocol, str) else system.protocol[0]
    if protocol in STORES:
        system.put_file(str(path), target)
        return
    temporary = f"{_parent(target)}/.{posixpath.basename(target)}.part"
    system.put_file(str(path), temporary)
    system.mv(temporary, target)


def _list(url: str) -> list[str]:
    """Paths of all files below a folder, relative to it; "" for a file, nothing for no folder."""
    system, top = _open(url)
    try:
        files = system.find(top)
    except FileNotFoundError:
        return []
    except Exception as error:  # every store has its own
        words = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise PlanError(f"{url} cannot be listed ({words}); check address and access") from error
    top = top.rstrip("/")
    return sorted("" if file == top else file[len(top) :].lstrip("/") for file in files)


def _open(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise PlanError(f"{url}: cloud folders need fsspec: {CURE}") from error
    try:
        system, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        words = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise PlanError(f"{url}: unknown kind of folder ({words})") from error
    return system, path


def _is_photo(name: str) -> bool:
    hidden = any(part.startswith(".") for part in name.split("/"))
    suffix = posixpath.splitext(name)[1].lower()
    return name == "" or (suffix in READABLE and not hidden and f"{MARK}." not in name)


def _sidecars(files: Sequence[str]) -> dict[str, list[str]]:
    """XMP files by the stems of the photos that they may belong to."""
    found: dict[str, list[str]] = {}
    for file in files:
        if file.lower().endswith(SIDECAR):
            for stem in {_stem(file), _stem(_stem(file))}:
                found.setdefault(stem, []).append(file)
    return found


def _stem(name: str) -> str:
    return posixpath.splitext(name)[0]


def _parent(url: str) -> str:
    return url.rstrip("/").rpartition("/")[0]


def _without_collisions(jobs: Sequence[CloudJob], plan: Plan) -> list[CloudJob]:
    """Jobs whose files are theirs alone; the others become failures."""
    inputs = {job.name for job in jobs}
    writers: dict[str, str] = {}
    alone: list[CloudJob] = []
    for job in jobs:
        urls = [job.url(path) for path in job.relative.outputs]
        for url in urls:
            if url in inputs:
                raise PlanError(f"{job.name}: its output {url} would overwrite an input; use -o")
        taken = next((url for url in urls if url in writers), None)
        if taken is None:
            writers.update(dict.fromkeys(urls, job.name))
            alone.append(job)
        else:
            text = f"{writers[taken]} and {job.name} would both be written to {taken}; rename one"
            plan.failures.append((job.name, text))
    return alone
