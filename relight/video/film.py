# SPDX-License-Identifier: Apache-2.0
"""Relighting a clip: one setup for each take, its light steady from picture to picture.

What runs when, for each face: Face Mesh, the person's segmentation, the normals network and, for
each light, the key network in every picture; the shading network in every second; the lighting
network and a face detector twice a second; the search for faces and the choice of the setup once a
take. A picture's edges are found anew each time.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from relight.face.face import Face
from relight.face.perception import Perception
from relight.photo.file import Photo, load_photo
from relight.portrait import Portrait
from relight.setup import Setup
from relight.stage.stages import NetworkStages, Stages
from relight.video.clip import Clip, Picture
from relight.video.cut import Change, CutFinder
from relight.video.steady import PictureStages, SteadyLook
from relight.video.tracker import Tracker

if TYPE_CHECKING:
    from av import Packet


class Source(Protocol):
    """What a film is made from: a :class:`relight.video.clip.Clip`, or pictures in memory."""

    @property
    def rate(self) -> Fraction:
        """Pictures a second on average."""

    def parts(self) -> Iterator[Picture | Packet[Any]]:
        """Pictures, and packets of other streams."""


Choice = Callable[[Portrait], Setup]
"""Chooses the setup of a take, from a portrait of its beginning."""

LOOK_AHEAD = 8
"""Pictures at a take's beginning by which its light is judged; they wait in memory meanwhile."""
IN_WORK = 1
"""Pictures that are relit while the next is looked at: one thread, so that memory stays flat."""
LEAST_STEP_S = 1e-3
"""Seconds between two pictures at least, whatever a broken file says."""


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

    Holds :data:`LOOK_AHEAD` pictures, what is known of the faces in the latest, and no more of a
    long clip than of a short one.

    Attributes:
        source: the clip.
        perception: MediaPipe's models.
        stages: the networks.
        choose: the setup of a take.
        strength: factor on all that is done.
        threads: for the full-resolution work.
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
        self.perception, self.stages, self.choose = perception, stages, choose
        self.strength, self.threads = strength, threads

    def __iter__(self) -> Iterator[Frame]:
        """The relit pictures."""
        return (part for part in self.parts() if isinstance(part, Frame))

    def parts(self) -> Iterator[Frame | Packet[Any]]:
        """Relit pictures, and packets of sound and subtitles, in the clip's order."""
        find_cut, take, number = CutFinder(), _Take(self, 0), 0
        last: float | None = None
        # One picture is relit while the next one is looked at.
        with ThreadPoolExecutor(1) as pool:
            line: deque[Future[Frame] | Packet[Any]] = deque()
            try:
                for part in self.source.parts():
                    if not isinstance(part, Picture):
                        line.append(part)
                        continue
                    photo = load_photo(part.rgb)
                    change = find_cut(photo.rgb8)
                    if change is Change.DISSOLVE:
                        take.leave()
                    if last is not None and (change is Change.CUT or take.is_over):
                        line.extend(pool.submit(work) for work in take.finish())
                        number += 1
                        gradual = change is not Change.CUT
                        take, last = _Take(self, number, gradual), None
                    usual = 1 / float(self.source.rate)
                    step_s = usual if last is None else max(part.seconds - last, LEAST_STEP_S)
                    last = part.seconds
                    line.extend(pool.submit(work) for work in take.add(part, photo, step_s))
                    yield from _ready(line, IN_WORK)
                line.extend(pool.submit(work) for work in take.finish())
                yield from _ready(line, 0)
            finally:
                pool.shutdown(cancel_futures=True)


def _ready(line: deque[Future[Frame] | Packet[Any]], left: int) -> Iterator[Frame | Packet[Any]]:
    """Take from the line's head what is done, until so many pictures are in work."""
    working = sum(isinstance(part, Future) for part in line)
    while line and (working > left or not isinstance(line[0], Future)):
        part = line.popleft()
        if isinstance(part, Future):
            working -= 1
            yield part.result()
        else:
            yield part


Work = Callable[[], Frame]
"""Relights a picture."""


class _Take:
    """One take: from a cut or a dissolve to the next.

    Args:
        film: that it is of.
        number: of the take.
        gradual: whether the light comes up on its first faces, too, as after a dissolve.
    """

    def __init__(self, film: Film, number: int, gradual: bool = False) -> None:
        self._film, self._number = film, number
        self._tracker = Tracker(film.perception, gradual)
        self._steady = SteadyLook(film.stages, film.perception)
        self._waiting: deque[tuple[Picture, Portrait | None]] = deque()
        self._setup: Setup | None = None

    def add(self, picture: Picture, photo: Photo, step_s: float) -> Iterator[Work]:
        """Take in the next picture, and the photo of it; what can be relit now."""
        self._waiting.append((picture, self._look(photo, step_s)))
        if self._setup is None:
            looks = sum(portrait is not None for _, portrait in self._waiting)
            if 0 < looks < LOOK_AHEAD:
                return
            if looks:
                self._decide()
        yield from self._flush()

    def leave(self) -> None:
        """Another take shines through: let the light go down."""
        self._tracker.leave()

    @property
    def is_over(self) -> bool:
        """Whether it was left and its light is down."""
        return self._tracker.is_over

    def finish(self) -> Iterator[Work]:
        """The take is over: all that waits can be relit."""
        if self._setup is None and any(portrait is not None for _, portrait in self._waiting):
            self._decide()
        yield from self._flush()

    def _decide(self) -> None:
        """Choose the setup, by the latest look: it knows the light from all of them."""
        latest = next(p for _, p in reversed(self._waiting) if p is not None)
        self._setup = self._film.choose(latest)

    def _look(self, photo: Photo, step_s: float) -> Portrait | None:
        tracks = self._tracker.update(photo.rgb8, step_s)
        self._steady.forget({track.number for track in tracks})
        seen = [
            self._steady.look(photo.rgb8, track.number, track.face, track.level, step_s)
            for track in tracks
        ]
        if not seen:
            return None
        seen.sort(key=lambda one: -one[0].face.size)
        stages = PictureStages(self._film.stages, {one.view: there for one, there in seen})
        return Portrait(photo, [one for one, _ in seen], stages, threads=self._film.threads)

    def _flush(self) -> Iterator[Work]:
        while self._waiting:
            before, portrait = self._waiting.popleft()
            yield functools.partial(self._relight, before, portrait, self._setup)

    def _relight(self, before: Picture, portrait: Portrait | None, setup: Setup | None) -> Frame:
        if portrait is None or setup is None:
            return Frame(before, before, self._number, setup, [])
        result = portrait.render(setup, self._film.strength)
        after = Picture(result.image, before.pts, before.seconds)
        return Frame(after, before, self._number, setup, result.faces)


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
