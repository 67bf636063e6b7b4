# SPDX-License-Identifier: Apache-2.0
"""The one place that orders the stages: photo in, relit photo out."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from relight.error import NoFaceError
from relight.face import search
from relight.face.face import Face
from relight.face.perception import Perception
from relight.gain.canvas import Canvas, Ground
from relight.gain.reach import Reach
from relight.light import BRIGHTEST, Light
from relight.models.library import Models
from relight.photo.file import Photo, Source, load_photo
from relight.placement.rule import suggest
from relight.portrait import PREVIEW_SIDE, Portrait, Preview
from relight.result import Result
from relight.setup import Setup
from relight.stage import body
from relight.stage.analysis import Analysis, analyze, key_gain
from relight.stage.stages import Stages
from relight.stage.tflite import TfliteStages

if TYPE_CHECKING:
    from relight.video.clip import Clip
    from relight.video.film import Film

Float = NDArray[np.float32]
T = TypeVar("T")


class Relighter:
    """Relights photos; loads each model once and keeps it. May be shared by threads.

    Example:
        >>> with Relighter() as relighter:
        ...     result = relighter.relight(load_photo("portrait.jpg"))
    """

    def __init__(
        self,
        threads: int = 1,
        *,
        detector: Perception | None = None,
        models: Stages | None = None,
    ) -> None:
        """Prepare; models are loaded at their first use.

        Args:
            threads: for the full-resolution work; the networks are too small to be shared out.
            detector: to share one with others, or to measure it; ``None`` makes one.
            models: what estimates normals, light and gain; ``None`` takes the networks that come
                with the package.
        """
        if threads < 1:
            raise ValueError(f"threads is >= 1, got {threads}")
        self.threads = threads
        shared = Models()
        self._detector = detector or Perception(shared)
        self._stages = models or TfliteStages(shared)

    def __enter__(self) -> Relighter:
        """Use as a context manager: the models are freed at its end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Free the models."""
        self.close()

    def close(self) -> None:
        """Free the models; a later call loads them again."""
        self._detector.close()
        self._stages.close()

    def look(self, photo: Photo | Source, faces: Sequence[Face] | None = None) -> Portrait:
        """Look at a photo once: find its faces, and estimate each one's normals and light.

        Args:
            photo: a path, a file's bytes, a PIL image, sRGB pixels as
                :func:`relight.load_photo` takes them, or a photo.
            faces: those to look at, the most important first; ``None`` finds all.

        Raises:
            NoFaceError: if the photo shows no face.
            ModelError: if a model is missing or damaged.
            PhotoError: if the photo cannot be read.
        """
        return self._look(_as_photo(photo), faces, _Helper(False))

    def relight(
        self,
        photo: Photo | Source,
        lights: Setup | Light | Iterable[Light] | None = None,
        fill: float | None = None,
        strength: float = 1.0,
        gloss: float = 1.0,
    ) -> Result:
        """Relight every face of a photo.

        Args:
            photo: as :meth:`look` takes it.
            lights: the lights to add; ``None`` places one automatically.
            fill: share in (0, 1] of the existing light that stays on the person; ``None`` for what
                suits the setup: all of it for the caller's own lights.
            strength: factor on all that is done, in [0, 100]; 0 gives the photo bit for bit.
            gloss: factor in [0, 100] on the highlights of every light; 0 is matte.

        Raises:
            NoFaceError: if the photo shows no face.
            ValueError: for a fill, strength or gloss out of range.
        """
        if not 0 <= strength <= BRIGHTEST:  # before the work, not after it
            raise ValueError(f"strength lies in [0, {BRIGHTEST:g}], got {strength}")
        if not 0 <= gloss <= BRIGHTEST:
            raise ValueError(f"gloss lies in [0, {BRIGHTEST:g}], got {gloss}")
        setup = None if lights is None else Setup.of(lights, fill)
        # The photo's edges are found beside the networks' work.
        with _Helper(self.threads > 1) as helper:
            portrait = self._look(_as_photo(photo), None, helper)
            helper.start(portrait.prepare)
            made = setup or Setup.of(portrait.suggest(), fill)
            return portrait.render(made.shining(gloss), strength)

    def find_faces(self, photo: Photo | Source) -> list[Face]:
        """All faces of a photo, largest first; an empty list when there is none.

        Args:
            photo: as :meth:`look` takes it.

        Raises:
            TypeError: for an array of another dtype.
            ValueError: for an array of another shape.
        """
        return search.find(self._detector, _as_photo(photo).rgb8)

    def analyze(self, photo: Photo | Source, face: Face) -> Analysis:
        """Estimate normals and existing light around a face.

        Args:
            photo: the photo that the face was found in.
            face: one of :meth:`find_faces`.

        Raises:
            ModelError: if a model is missing or damaged.
        """
        return analyze(self._detector, self._stages, _as_photo(photo).rgb8, face)

    def place(self, analysis: Analysis) -> Light:
        """The automatic key of one face, without its fill; its intensity is 0 if none is needed.

        See :meth:`Portrait.suggest` for all of the setup.
        """

        def gains(light: Light) -> list[Float]:
            return [key_gain(self._stages, analysis, light).head]

        return suggest([analysis], gains).lights[0]

    def key_gain(self, analysis: Analysis, light: Light) -> Float:
        """Key gain G of a light's direction, softness and gloss, for unit intensity, white.

        Returns:
            ``(H, W, 3)`` float32 >= 0 at the photo's resolution.
        """
        photo = load_photo(analysis.photo_rgb)
        return Portrait(photo, [analysis], self._stages).gain(light).expand(photo.shape)

    def preview(self, photo: Photo | Source, side: int = PREVIEW_SIDE) -> Preview:
        """Look at a photo once, to move lights by hand at preview size.

        Args:
            photo: as :meth:`look` takes it.
            side: longer side of the preview at most, pixels.

        Raises:
            NoFaceError: if the photo shows no face.
        """
        return Preview(self.look(photo), side)

    def video(
        self,
        source: str | Path | Clip,
        setup: Setup | Light | Iterable[Light] | Callable[[Portrait], Setup] | None = None,
        fill: float | None = None,
        strength: float = 1.0,
    ) -> Film:
        """Relight a clip, picture by picture, each take in one setup.

        Args:
            source: a video file, or a clip that was opened and is not read yet.
            setup: for all takes, or what chooses one for each from a picture of its beginning;
                ``None`` for what suits them.
            fill: as :meth:`relight` takes it.
            strength: likewise.

        Returns:
            What yields a :class:`relight.video.film.Frame` for each picture, and can be written
            with its sound by :func:`relight.video.film.relight_clip`. Iterate over it once.

        Raises:
            ClipError: if the clip cannot be read, or PyAV is not installed.
            ValueError: for a fill or strength out of range.
        """
        from relight.video.clip import Clip
        from relight.video.film import Film

        if not 0 <= strength <= BRIGHTEST:
            raise ValueError(f"strength lies in [0, {BRIGHTEST:g}], got {strength}")
        chooser = setup if callable(setup) else Portrait.suggest
        made = None if setup is None or callable(setup) else Setup.of(setup, fill)

        def choose(portrait: Portrait) -> Setup:
            return made or Setup.of(chooser(portrait), fill)

        clip = source if isinstance(source, Clip) else Clip(source)
        return Film(
            clip, self._detector, self._stages, choose, strength=strength, threads=self.threads
        )

    def _look(self, photo: Photo, faces: Sequence[Face] | None, helper: _Helper) -> Portrait:
        """Look at a photo; a helper that is real shrinks it and finds its edges meanwhile."""
        timings: dict[str, float] = {}
        ground = helper.start(functools.partial(Ground.of_all, photo.rgb8))
        with _timed(timings, "faces"):
            chosen = self.find_faces(photo) if faces is None else list(faces)
        if not chosen:
            raise NoFaceError(f"{photo.name}: no face found in this photo")
        see = functools.partial(body.see, self._detector, photo.rgb8)
        bodies = [helper.start(functools.partial(see, face)) for face in chosen]
        canvas = helper.start(
            lambda: Canvas(
                photo.rgb8,
                [Reach.of(face.crop, photo.shape) for face in chosen],
                ground and ground(),
            )
        )
        with _timed(timings, "analysis"):
            analyses = [
                analyze(self._detector, self._stages, photo.rgb8, *each)
                for each in zip(chosen, bodies, strict=True)
            ]
        return Portrait(
            photo, analyses, self._stages, threads=self.threads, timings=timings, canvas=canvas
        )


class _Helper:
    """A thread for work beside this one's, or none."""

    def __init__(self, real: bool) -> None:
        self._pool = ThreadPoolExecutor(1) if real else None

    def __enter__(self) -> _Helper:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def start(self, work: Callable[[], T]) -> Callable[[], T] | None:
        """Begin with some work; what is given back waits for its result. ``None``: not begun."""
        return None if self._pool is None else self._pool.submit(work).result


def _as_photo(source: Photo | Source) -> Photo:
    return source if isinstance(source, Photo) else load_photo(source)


@contextmanager
def _timed(timings: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings[name] = time.perf_counter() - start
