# SPDX-License-Identifier: Apache-2.0
"""Photos in cloud folders: any URL that fsspec knows, as ``s3://bucket/photos``.

The work on a photo is the same as for local ones: it is fetched into a temporary folder, relit
there, and what came out is stored, the relit photo last.
"""

from __future__ import annotations

import dataclasses
import posixpath
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relight_app.destination import (
    MARK,
    READABLE,
    STREAM,
    Job,
    Plan,
    PlanError,
    Request,
    check_lighting,
    place,
)
from relight_app.task import Outcome, Task

CURE = "pip install 'portrait-relight[scale]'"
STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "memory"}
"""Protocols whose files appear when they are whole; elsewhere a file is renamed to its place."""


def is_cloud(photos: Sequence[str], output: str | None) -> bool:
    """Whether any of the names on the command line is a URL."""
    return any("://" in name for name in (*photos, output or ""))


@dataclass(frozen=True)
class CloudJob:
    """One photo of a cloud folder.

    Attributes:
        name: its URL.
        base: URL of the folder that the outputs' paths start from.
        place: the same job with paths below that folder.
    """

    name: str
    base: str
    place: Job

    @property
    def output(self) -> str:
        """URL of the relit photo."""
        return self.url(self.place.output)

    def url(self, path: Path | None) -> str:
        """Where a file of the job is stored."""
        return f"{self.base}/{path.as_posix()}" if path is not None else ""


def make(photos: Sequence[str], request: Request) -> Plan:
    """Settle what is to be done; as :func:`relight_app.destination.make` for folders.

    Raises:
        PlanError: if a folder cannot be listed or outputs would overwrite inputs or each other.
    """
    if STREAM in (*photos, request.output):
        raise PlanError("- (a stream) does not go with cloud folders; name files")
    check_lighting(request, single=False)
    plan = Plan()
    jobs: list[CloudJob] = []
    done: set[str] = set()
    for top in photos:
        files = [f for f in _list(top) if _is_photo(f)]
        if not files:
            plan.failures.append((top, f"{top}: no photos there; name a folder that has some"))
        base = (request.output or (_parent(top) if files == [""] else top)).rstrip("/")
        done.update(f"{base}/{name}" for name in _list(base))
        for file in files:
            below = Path(file or posixpath.basename(top))
            name = f"{top.rstrip('/')}/{file}" if file else top
            jobs.append(CloudJob(name, base, place(below, request, beside=request.output is None)))
    _check_collisions(jobs)
    for job in jobs:
        skipped = job.output in done and not request.overwrite
        (plan.skipped if skipped else plan.jobs).append(job)
    return plan


@dataclass
class CloudTask:
    """What is done to every photo of a cloud folder.

    Attributes:
        task: what is done to a local one.
    """

    task: Task

    def __call__(self, job: CloudJob) -> Outcome:
        """Do one photo; no exception but an interrupt leaves this."""
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
        paths = {kind: getattr(job.place, kind) for kind in kinds}
        local = {kind: folder / "out" / path.name for kind, path in paths.items() if path}
        source = folder / names["source"]
        fetch(job.name, source)
        outcome = self.task(dataclasses.replace(job.place, name=str(source), **local))
        urls = {kind: job.url(paths[kind]) for kind in local}
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
        raise PlanError(f"{url}: no such kind of folder ({words})") from error
    return system, path


def _is_photo(name: str) -> bool:
    hidden = any(part.startswith(".") for part in name.split("/"))
    suffix = posixpath.splitext(name)[1].lower()
    return name == "" or (suffix in READABLE and not hidden and f"{MARK}." not in name)


def _parent(url: str) -> str:
    return url.rstrip("/").rpartition("/")[0]


def _check_collisions(jobs: Sequence[CloudJob]) -> None:
    inputs = {job.name for job in jobs}
    writers: dict[str, str] = {}
    for job in jobs:
        for url in (job.url(path) for path in job.place.outputs):
            if url in inputs:
                raise PlanError(f"{job.name}: its output {url} would overwrite an input; use -o")
            if writers.setdefault(url, job.name) != job.name:
                raise PlanError(
                    f"{writers[url]} and {job.name} would both be written to {url}; rename one"
                )
