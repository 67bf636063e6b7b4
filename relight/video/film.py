# SPDX-License-Identifier: Apache-2.0
"""Relighting a clip: one setup for each take, its light steady from picture to picture.

What runs when, for each face: Face Mesh, the person's segmentation, the normals network and, for
each light, the key network in every picture; the shading network in every second; the lighting
network and a face detector twice a second; the search for faces and the choice of the setup once a
take. A picture's edges are found anew each time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from relight.face.face import Face
from relight.face.perception import Perception
from relight.photo.file import load_photo
from relight.portrait import Portrait
from relight.setup import Setup
from relight.stage.stages import NetworkStages, Stages
from relight.video.clip import Clip, Picture
from relight.video.cut import CutFinder
from relight.video.steady import SteadyStages
from relight.video.tracker import Tracker

if TYPE_CHECKING:
    from av import Packet


class Source(Protocol):
    """What a film is made from: a :class:`relight.video.clip.Clip`, or pictures in memory."""

    @property
    def rate(self) -> Fraction:
        """Pictures a second on average."""

    def parts(self) -> Iterator[Picture | Packet]:
        """Pictures, and packets of other streams."""


Choice = Callable[[Portrait], Setup]
"""Chooses the setup of a take, from a portrait of its beginning."""

LOOK_AHEAD = 8
"""Pictures at a take's beginning by which its light is judged; they wait in memory meanwhile."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A relit picture of a clip.

    Attributes:
        picture: relit.
        before: as it was.
        take: number of the take it is of, from 0.
        setup: of that take; ``None`` before a face has come into it.
        faces: those relit, the longest seen first.
    """

    picture: Picture
    before: Picture
    take: int
    setup: Setup | None
    faces: list[Face]


class Film:
    """A clip that is relit as it is read; iterate over it once.

    Holds :data:`LOOK_AHEAD` pictures and what is known of the faces in the latest; no more of a
    long clip than of a short one.
    """

    def __init__(
        self,
        source: Source,
        perception: Perception,
        stages: Stages,
        choose: Choice,
        *,
        strength: float = 1.0,
        threads: int = 1,
    ) -> None:
        """Prepare.

        Args:
            source: a clip that was opened and is not read yet.
            perception: MediaPipe's models.
            stages: the networks, nothing else.
            choose: the setup of a take.
            strength: factor on all that is done, in [0, 100].
            threads: for the full-resolution work.
        """
        if not isinstance(stages, NetworkStages):
            raise TypeError(f"a film is relit by networks, not by {type(stages).__name__}")
        self.source = source
        self._perception, self._stages, self._choose = perception, stages, choose
        self._strength, self._threads = strength, threads

    def __iter__(self) -> Iterator[Frame]:
        """The relit pictures."""
        return (part for part in self.parts() if isinstance(part, Frame))

    def parts(self) -> Iterator[Frame | Packet]:
        """Relit pictures, and packets of sound and subtitles, in the clip's order."""
        find_cut, take, number = CutFinder(), _Take(self, 0), 0
        last: float | None = None
        for part in self.source.parts():
            if not isinstance(part, Picture):
                yield part
                continue
            rgb8 = load_photo(part.rgb).rgb8
            if find_cut(rgb8) and last is not None:
                yield from take.finish()
                number += 1
                take = _Take(self, number)
                last = None
            usual = 1 / float(self.source.rate)
            step_s = usual if last is None else max(part.seconds - last, 1e-3)
            last = part.seconds
            yield from take.add(part, step_s)
        yield from take.finish()


class _Take:
    """One take: from a cut to the next."""

    def __init__(self, film: Film, number: int) -> None:
        self._film, self._number = film, number
        self._tracker = Tracker(film._perception)
        self._steady = SteadyStages(film._stages, film._perception)
        self._waiting: deque[tuple[Picture, Portrait | None]] = deque()
        self._setup: Setup | None = None

    def add(self, picture: Picture, step_s: float) -> Iterator[Frame]:
        """Take in the next picture; those relit meanwhile."""
        portrait = self._look(picture, step_s)
        self._waiting.append((picture, portrait))
        if self._setup is None:
            looks = sum(waiting is not None for _, waiting in self._waiting)
            if looks == 0:
                yield from self._flush()
                return
            if looks < LOOK_AHEAD:
                return
            self._decide()
        yield from self._flush()

    def finish(self) -> Iterator[Frame]:
        """The take is over: what waits is relit."""
        if self._setup is None and any(portrait is not None for _, portrait in self._waiting):
            self._decide()
        yield from self._flush()

    def _decide(self) -> None:
        """Choose the setup, by the latest look: it knows the light from all of them."""
        latest = next(p for _, p in reversed(self._waiting) if p is not None)
        self._setup = self._film._choose(latest)

    def _look(self, picture: Picture, step_s: float) -> Portrait | None:
        photo = load_photo(picture.rgb)
        tracks = self._tracker.update(photo.rgb8, step_s)
        self._steady.forget({track.number for track in tracks})
        analyses = [
            self._steady.look(photo.rgb8, track.number, track.face, track.level, step_s)
            for track in tracks
        ]
        if not analyses:
            return None
        analyses.sort(key=lambda analysis: -analysis.face.size)
        return Portrait(photo, analyses, self._steady, threads=self._film._threads)

    def _flush(self) -> Iterator[Frame]:
        """Relight what waits."""
        while self._waiting:
            before, portrait = self._waiting.popleft()
            after, faces = before, []
            if portrait is not None and self._setup is not None:
                result = portrait.render(self._setup, self._film._strength)
                after, faces = Picture(result.image, before.pts, before.seconds), result.faces
            yield Frame(after, before, self._number, self._setup, faces)


def relight_clip(
    clip: Clip, film: Film, path: str | Path, progress: Callable[[int], Any] | None = None
) -> list[Setup]:
    """Relight a clip into a file, whole or not at all; sound, subtitles and words are kept.

    Args:
        clip: opened.
        film: of it, not begun yet.
        path: the new file.
        progress: told the number of pictures done.

    Returns:
        The setup of each take that shows a face.

    Raises:
        NoFaceError: if no picture shows a face.
        ClipError: if the clip is damaged, or the file cannot be written.
    """
    from relight.error import NoFaceError
    from relight.video.writer import clip_writer

    setups: dict[int, Setup] = {}
    done = 0
    with clip_writer(path, clip) as write:
        for part in film.parts():
            if not isinstance(part, Frame):
                write(part)
                continue
            write(part.picture)
            if part.setup is not None:
                setups[part.take] = part.setup
            done += 1
            if progress is not None:
                progress(done)
        if not setups:
            raise NoFaceError(f"{clip.path}: no face found in this clip")
    return [setups[take] for take in sorted(setups)]
