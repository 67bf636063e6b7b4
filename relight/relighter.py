# SPDX-License-Identifier: Apache-2.0
"""The one place that orders the stages: photo in, relit photo out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from relight import light as light_stage
from relight.error import NoFaceError
from relight.face import search
from relight.face.face import Face
from relight.face.perception import Perception
from relight.gain import apply as quotient
from relight.gain.guide import Canvas, Guide, upsample
from relight.light import Light
from relight.models.library import Models
from relight.photo.file import Photo, load_photo
from relight.portrait import PREVIEW_SIDE, Preview
from relight.result import Result
from relight.stage.analysis import Analysis, added_gain, analyze
from relight.stage.stages import Stages
from relight.stage.tflite import TfliteStages

Float = NDArray[np.float32]
T = TypeVar("T")


class Relighter:
    """Relights photos; loads each model once and keeps it. One per thread.

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

    def find_faces(self, rgb: NDArray[Any] | Photo) -> list[Face]:
        """All faces of a photo, largest first; an empty list when there is none.

        Args:
            rgb: ``(H, W, 3)`` uint8 sRGB, or a photo.

        Raises:
            TypeError: for another dtype.
            ValueError: for another shape.
        """
        return search.find(self._detector, _as_photo(rgb).rgb8)

    def analyze(self, rgb: NDArray[Any] | Photo, face: Face) -> Analysis:
        """Estimate normals and existing light around a face.

        Args:
            rgb: the photo that the face was found in.
            face: one of :meth:`find_faces`.

        Raises:
            ModelError: if a model is missing or damaged.
        """
        return analyze(self._detector, self._stages, _as_photo(rgb).rgb8, face)

    def place(self, analysis: Analysis) -> Light:
        """Place a key light automatically; its intensity is 0 when none is needed."""
        return light_stage.place(
            analysis.crop_environment,
            analysis.face.crop_pose,
            mean_irradiance=analysis.mean_irradiance,
            headroom=analysis.headroom,
            roll=analysis.face.crop.roll,
        )

    def key_gain(self, analysis: Analysis, light: Light) -> Float:
        """Key gain G of a light's direction and softness, for unit intensity and white light.

        Returns:
            ``(H, W, 3)`` float32 >= 0 at the photo's resolution.
        """
        unit = replace(light, intensity=1.0, color=(1.0, 1.0, 1.0))
        gain = added_gain(self._stages, analysis, [unit])
        added = upsample(analysis.photo_rgb, [analysis.outline], [gain])
        return added.expand(analysis.photo_rgb.shape)

    def preview(self, rgb: NDArray[Any] | Photo, side: int = PREVIEW_SIDE) -> Preview:
        """Look at a photo once, to move lights by hand at preview size.

        Args:
            rgb: ``(H, W, 3)`` uint8 or uint16 sRGB, or a photo.
            side: longer side of the preview at most, pixels.

        Raises:
            NoFaceError: if the photo shows no face.
        """
        photo = _as_photo(rgb)
        analyses = [self.analyze(photo, face) for face in self.find_faces(photo)]
        return Preview(self._stages, _some(analyses, photo), side, self.threads)

    def relight(
        self,
        rgb: NDArray[Any] | Photo,
        lights: Light | Iterable[Light] | None = None,
        *,
        strength: float = 1.0,
        analyses: Sequence[Analysis] | None = None,
    ) -> Result:
        """Relight every face of a photo.

        Args:
            rgb: ``(H, W, 3)`` uint8 or uint16 sRGB, or a photo.
            lights: the lights to add; ``None`` places one automatically.
            strength: factor on the added light in [0, 100]; 0 gives the photo bit for bit.
            analyses: of this photo's faces, from an earlier result or :meth:`analyze`: to try
                another light without looking at the photo again.

        Raises:
            NoFaceError: if the photo shows no face.
            ValueError: for a strength out of range, or analyses of a photo of another size.
        """
        if not 0 <= strength <= light_stage.BRIGHTEST:  # catches NaN too
            raise ValueError(f"strength lies in [0, {light_stage.BRIGHTEST:g}], got {strength}")
        given = _as_lights(lights)
        photo, strength = _as_photo(rgb), float(strength)
        timings: dict[str, float] = {}
        if analyses is None:
            with _timed(timings, "faces"):
                faces = _some(self.find_faces(photo), photo)
        else:
            faces = [analysis.face for analysis in _some(analyses, photo)]
            if any(analysis.photo_rgb.shape != photo.rgb.shape for analysis in analyses):
                raise ValueError("these analyses belong to another photo")
        # The photo's edges are found beside the networks' work.
        with _Helper(self.threads > 1) as helper:
            canvas = helper.start(Canvas, photo.rgb8, [face.crop for face in faces])
            with _timed(timings, "analysis"):
                if analyses is None:
                    analyses = [self.analyze(photo, face) for face in faces]
            chosen = self._placed(analyses) if given is None else given
            with _timed(timings, "gain"):
                outlines = [analysis.outline for analysis in analyses]
                guide = helper.start(lambda: Guide(canvas(), outlines))
                gains = [added_gain(self._stages, analysis, chosen) for analysis in analyses]
                added = guide().fit(gains)
        with _timed(timings, "apply"):
            image = quotient.apply(photo.rgb, added, strength=strength, threads=self.threads)
        return Result(image, photo, faces, chosen, list(analyses), strength, timings)

    def _placed(self, analyses: Sequence[Analysis]) -> list[Light]:
        """The one light that suits a photo's faces best."""
        placed = [self.place(analysis) for analysis in analyses]
        sizes = [analysis.face.size for analysis in analyses]
        return [light_stage.place_group(placed, sizes, analyses[0].face.crop.roll)]


class _Helper:
    """A thread for work beside this one's, or none: then work is done when it is given."""

    def __init__(self, real: bool) -> None:
        self._pool = ThreadPoolExecutor(1) if real else None

    def __enter__(self) -> _Helper:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def start(self, work: Callable[..., T], *given: Any) -> Callable[[], T]:
        """Begin with some work; what is given back waits for its result."""
        if self._pool is None:
            found = work(*given)
            return lambda: found
        return self._pool.submit(work, *given).result


def _some(found: Sequence[T], photo: Photo) -> list[T]:
    """Faces or analyses, of which there is at least one."""
    if not found:
        raise NoFaceError(f"{photo.name}: no face found in this photo")
    return list(found)


def _as_lights(lights: Light | Iterable[Light] | None) -> list[Light] | None:
    """One light or several as a list; ``None`` stays: it asks for automatic placement."""
    if lights is None:
        return None
    given: list[Any] = list(lights) if isinstance(lights, Iterable) else [lights]
    if not all(isinstance(light, Light) for light in given):
        raise TypeError(f"lights are Light objects, got {lights!r:.80}")
    return given


def _as_photo(rgb: NDArray[Any] | Photo) -> Photo:
    return rgb if isinstance(rgb, Photo) else load_photo(rgb)


@contextmanager
def _timed(timings: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings[name] = time.perf_counter() - start
