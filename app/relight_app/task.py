# SPDX-License-Identifier: Apache-2.0
"""One photo from start to finish: read, relight, write, report. Failures become outcomes."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from relight import (
    Light,
    NoFaceError,
    Photo,
    Portrait,
    Relighter,
    RelightError,
    Result,
    Setup,
    load_photo,
    save_photo,
)
from relight.placement.rule import GROUP
from relight_app import companion
from relight_app.destination import STREAM, Job
from relight_app.light_option import LightChoice

_log = logging.getLogger("relight.app")

STDIN = "<stdin>"
_NO_FACE_CURE = "if there is one, crop closer to it"


@dataclass(frozen=True)
class Outcome:
    """What became of one photo.

    Attributes:
        name: the photo as the user wrote it.
        status: how it ended.
        message: for a failure, the photo, what went wrong and the cure; otherwise where the light
            is.
        report: the result as a JSON-ready dictionary, empty for a failure.
        files: what was written, by kind.
        warnings: what else the user should know.
    """

    name: str
    status: Literal["relit", "unchanged", "failed", "skipped"]
    message: str = ""
    report: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def account(self) -> dict[str, Any]:
        """The outcome as one JSON object; it always has ``photo``, ``status`` and ``output``."""
        head = {"photo": self.name, "status": self.status, "output": self.files.get("output")}
        rest = {**self.report, **{k: v for k, v in self.files.items() if k != "output"}}
        if self.status == "failed":
            rest["error"] = self.message
        if self.warnings:
            rest["warnings"] = list(self.warnings)
        return head | {key: value for key, value in rest.items() if key not in head}


@dataclass
class Task:
    """Relights photos, one at a time. Can be sent to another process before its first use.

    Attributes:
        choice: the light.
        strength: factor on the added light.
        fill: share of the existing light left on the person; None for what suits the photo.
        gloss: factor on every light's highlights.
        overwrite: whether existing outputs may be replaced.
        keep_profile: whether photos keep their own colours rather than become sRGB.
        keep_dates: whether outputs get the dates of their photos' files.
        threads: for the full-resolution work.
        progress: told of a clip how many pictures are done, and of how many; 0 if nobody knows.
    """

    choice: LightChoice = field(default_factory=LightChoice)
    strength: float = 1.0
    fill: float | None = None
    overwrite: bool = False
    keep_profile: bool = False
    keep_dates: bool = False
    gloss: float = 1.0
    threads: int = 1
    progress: Callable[[int, int], None] | None = field(default=None, repr=False)
    _relighter: Relighter | None = field(default=None, repr=False)
    _reference: Portrait | None = field(default=None, repr=False)

    def __call__(self, job: Job) -> Outcome:
        """Relight one photo; nothing but an interrupt or a broken pipe is raised."""
        warnings: list[str] = []
        name = STDIN if job.name == STREAM else job.name
        try:
            with _collected_warnings(warnings):
                outcome = self._work(job, name)
        except NoFaceError as error:
            outcome = Outcome(name, "failed", f"{error}; {_NO_FACE_CURE}")
        except RelightError as error:
            outcome = Outcome(name, "failed", str(error))
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f" {os.fsdecode(error.filename)}" if error.filename else ""
            reason = f"cannot write{where} ({error.strerror or error})"
            outcome = Outcome(name, "failed", f"{name}: {reason}; choose another folder or name")
        except MemoryError:
            cure = "shrink the photo or use fewer --jobs"
            outcome = Outcome(name, "failed", f"{name}: not enough memory; {cure}")
        except Exception as error:
            outcome = Outcome(name, "failed", _unexpected(name, error))
            # The failure may have left the models in a bad state: the next photo gets new ones.
            self._relighter = None
        return dataclasses.replace(outcome, warnings=tuple(warnings))

    def _work(self, job: Job, name: str) -> Outcome:
        if job.is_clip:
            return self._film(job)
        source = sys.stdin.buffer.read() if job.name == STREAM else job.name
        photo = load_photo(source, name=name, keep_profile=self.keep_profile)
        relighter = self._ready()
        result = self._relight(relighter, photo)
        try:
            original = None
            if not result.changed:
                original = source if isinstance(source, bytes) else Path(source).read_bytes()
            files = _write(job, relighter, result, original, overwrite=self.overwrite)
        except RelightError as error:  # names the output; the message should name the photo too
            return Outcome(name, "failed", f"{name}: {error}")
        self._take_along(job, files)
        lit = result.changed
        message = result.reason or " ".join(_describe(light) for light in result.lights)
        if result.strength == 0:
            message = "Strength 0 leaves every pixel unchanged."
        elif not lit and self.choice.intensity is None:
            message += " Use --pattern or --intensity to light it anyway."
        return Outcome(
            name,
            "relit" if lit else "unchanged",
            message,
            result.report(),
            files,
        )

    def _take_along(self, job: Job, files: dict[str, str]) -> None:
        """Copy what belongs to a photo's file; what cannot be copied becomes a warning."""
        if job.name == STREAM or job.output is None:
            return
        source, troubles = Path(job.name), []
        written = [job.output]
        for found, target in companion.sidecars(source, job.output):
            trouble = companion.copy_sidecar(found, target)
            if trouble is None:
                files["sidecar"] = str(target)
                written.append(target)
            troubles.append(trouble)
        if self.keep_dates:
            troubles += [companion.copy_dates(source, file) for file in written]
        for trouble in filter(None, troubles):
            _log.warning("%s: %s", job.name, trouble)

    def _relight(self, relighter: Relighter, photo: Photo) -> Result:
        lights = self._given()
        if lights is not None:
            return relighter.relight(photo, lights, self.fill, self.strength, self.gloss)
        portrait = relighter.look(photo)
        return portrait.render(self._setup(portrait), self.strength)

    def _ready(self) -> Relighter:
        """The relighter; the portrait whose light is to be copied is looked at, if there is one."""
        if self._relighter is None:
            self._relighter = Relighter(self.threads)
        if self.choice.like is not None and self._reference is None:
            self._reference = self._relighter.look(self.choice.like)
        return self._relighter

    def _given(self) -> list[Light] | None:
        """The lights, if all of them were given."""
        return None if self.choice.needs_automatic else self.choice.complete(None)

    def _setup(self, portrait: Portrait) -> Setup:
        """What was chosen, completed by what suits a portrait."""
        choice, lights = self.choice, self._given()
        if lights is not None:
            setup = Setup(tuple(lights))
        else:
            most = None if choice.everyone else GROUP
            setup = portrait.suggest(choice.pattern, like=self._reference, most=most)
        if choice.needs_automatic:
            own = tuple(choice.complete(setup.lights[0]) or ())
            setup = dataclasses.replace(setup, lights=own, reason=own[0].reason)
        return Setup.of(setup, self.fill).shining(self.gloss)

    def _film(self, job: Job) -> Outcome:
        """Relight a clip."""
        from relight.video.clip import Clip, ClipError
        from relight.video.film import relight_clip

        if job.output is None:  # the plan sees to it that there is one
            raise ClipError(f"{job.name}: a clip needs a file; name it with -o")
        if not self.overwrite and job.output.exists():
            raise ClipError(f"{job.output} exists; use --overwrite or another -o")
        relighter = self._ready()
        job.output.parent.mkdir(parents=True, exist_ok=True)
        with Clip(job.name) as clip:
            film = relighter.video(clip, self._setup, strength=self.strength)

            def tell(done: int) -> None:
                if self.progress is not None:
                    self.progress(done, clip.length)

            setups = relight_clip(clip, film, job.output, tell)
            report = {"width": clip.width, "height": clip.height}
        files = {"output": str(job.output)}
        self._take_along(job, files)
        words = " ".join(setup.reason or _describe(setup.lights[0]) for setup in setups[:1])
        if len(setups) > 1:
            words += f" {len(setups)} takes, each in its own light."
        return Outcome(job.name, "relit", words, report, files)


def _describe(light: Light) -> str:
    place = f"{light.azimuth_deg:g}° az, {light.elevation_deg:g}° el"
    return light.reason or f"Light at {place}, intensity {light.intensity:g}."


def _write(
    job: Job, relighter: Relighter, result: Result, original: bytes | None, *, overwrite: bool
) -> dict[str, str]:
    """Write all of a job's files; the relit photo last, so that it shows that all are there.

    A photo that did not change is copied byte for byte from its original file.
    """
    relit = result.photo.with_rgb(result.image)
    written: list[Path] = []
    try:
        if job.output is not None:
            job.output.parent.mkdir(parents=True, exist_ok=True)
        if job.compare is not None:
            from relight_app import comparison

            written.append(comparison.save(comparison.compare(result), job.compare))
        if job.explain is not None:
            from relight_app import comparison

            written.append(comparison.save(comparison.explain(relighter, result), job.explain))
        if job.lighting is not None:
            written.append(result.analyses[0].environment.save(job.lighting))
        if job.output is None:
            _write_stdout(relit, original)
        else:
            save_photo(relit, job.output, overwrite=overwrite, original=original)
    except BaseException:
        for file in written:
            with contextlib.suppress(OSError):
                file.unlink()
        raise
    kinds = {"output": job.output, "compare": job.compare, "explain": job.explain}
    kinds["lighting"] = job.lighting
    return {kind: str(file) for kind, file in kinds.items() if file is not None}


def _write_stdout(photo: Photo, original: bytes | None) -> None:
    buffer = io.BytesIO()
    save_photo(photo, buffer, original=original)
    sys.stdout.buffer.write(buffer.getvalue())
    sys.stdout.buffer.flush()


def _unexpected(name: str, error: Exception) -> str:
    if os.environ.get("RELIGHT_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    words = (str(error).strip() or "no message").splitlines()[0]
    return (
        f"{name}: unexpected {type(error).__name__} ({words});"
        " please report it, with what RELIGHT_DEBUG=1 shows"
    )


@contextlib.contextmanager
def _collected_warnings(messages: list[str]) -> Iterator[None]:
    """Collect the library's log messages instead of letting them reach stderr."""

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    logger, handler = logging.getLogger("relight"), Collector(logging.WARNING)
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
