# SPDX-License-Identifier: Apache-2.0
"""The one place that orders the stages: photo in, relit photo out."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight import face as face_stage
from relight import light as light_stage
from relight import lighting, mesh, normals, quotient
from relight.color import luminance, srgb_to_linear
from relight.detector import Detector
from relight.environment import Environment
from relight.error import NoFaceError
from relight.face import Face
from relight.geometry import normalize
from relight.light import Light
from relight.photo import Photo, load_photo

Float = NDArray[np.float32]

CROP_SIDE = 256
"""The models see a face's crop at this size."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """What one look at a face tells; enough to try many lights without looking again.

    Arrays named ``crop_*`` lie on the face's crop; the others, made when asked for, on the photo.

    Attributes:
        face: the face.
        environment: the light already there, in the photo's units.
        crop_normals: ``(256, 256, 3)`` float32 unit normals, camera frame.
        crop_person: ``(256, 256)`` float32 probability in [0, 1] of a person.
        crop_face: ``(256, 256)`` float32 in [0, 1], the inner part of the face mesh.
        crop_confidence: ``(256, 256)`` float32 trust in the normals, [0, 1].
        crop_irradiance: ``(256, 256, 3)`` float32 irradiance over pi of the existing light.
        mean_irradiance: its luminance, mean over the visible face.
        headroom: largest intensity of a key that burns no highlights.
        photo_rgb: the photo, ``(H, W, 3)`` uint8 sRGB.
    """

    face: Face
    environment: Environment
    crop_normals: Float
    crop_person: Float
    crop_face: Float
    crop_confidence: Float
    crop_irradiance: Float
    mean_irradiance: float
    headroom: float
    photo_rgb: NDArray[np.uint8] = field(repr=False)

    @property
    def head_pose(self) -> Float:
        """Rotation ``(3, 3)`` from head to camera frame."""
        return self.face.head_pose

    @functools.cached_property
    def mask(self) -> Float:
        """The person, ``(H, W)`` float32 in [0, 1], 0 outside the crop."""
        return self._to_photo(self.crop_person, 0.0)

    @functools.cached_property
    def confidence(self) -> Float:
        """Trust in the normals, ``(H, W)`` float32 in [0, 1], 0 outside the crop."""
        return self._to_photo(self.crop_confidence, 0.0)

    @functools.cached_property
    def normals(self) -> Float:
        """Unit normals ``(H, W, 3)`` float32, camera frame, NaN where nothing is known."""
        result = normalize(self._to_photo(self.crop_normals, np.nan))
        result[self.mask < 0.5] = np.nan
        return result

    def _to_photo(self, values: Float, outside: float) -> Float:
        import cv2

        crop, shape = self.face.crop, self.photo_rgb.shape
        result = np.full((*shape[:2], *values.shape[2:]), outside, np.float32)
        rows, columns = crop.visible(shape)
        scale = values.shape[0] / crop.size
        matrix = np.array(
            [
                [scale, 0, (columns.start - crop.left + 0.5) * scale - 0.5],
                [0, scale, (rows.start - crop.top + 0.5) * scale - 0.5],
            ]
        )
        result[rows, columns] = cv2.warpAffine(
            values,
            matrix,
            (columns.stop - columns.start, rows.stop - rows.start),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return result


@dataclass(frozen=True, eq=False)
class Result:
    """A relit photo and how it came about.

    Attributes:
        image: ``(H, W, 3)`` sRGB of the photo's dtype.
        photo: the photo it was made from.
        faces: the faces found, largest first.
        lights: the lights added; one with intensity 0 and a reason when none was needed.
        analyses: one per face.
        strength: factor that the added light was scaled by.
        timings: seconds per stage.
    """

    image: NDArray[Any]
    photo: Photo
    faces: list[Face]
    lights: list[Light]
    analyses: list[Analysis]
    strength: float
    timings: dict[str, float]

    def report(self) -> dict[str, Any]:
        """All that is worth knowing, JSON-ready; angles in degrees, seconds, pixels."""
        return {
            "photo": self.photo.name,
            "width": self.photo.width,
            "height": self.photo.height,
            "strength": self.strength,
            "lights": [
                {
                    "azimuth_deg": round(light.azimuth_deg, 2),
                    "elevation_deg": round(light.elevation_deg, 2),
                    "intensity": round(light.intensity, 4),
                    "color": list(light.color),
                    "reason": light.reason,
                }
                for light in self.lights
            ],
            "faces": [self._face_report(analysis) for analysis in self.analyses],
            "timings_s": {name: round(value, 4) for name, value in self.timings.items()},
        }

    def _face_report(self, analysis: Analysis) -> dict[str, Any]:
        yaw, pitch, roll = light_stage.head_angles(analysis.head_pose)
        existing = Light.from_direction(analysis.environment.dominant_direction())
        return {
            "box": [round(value, 1) for value in analysis.face.box],
            "yaw_deg": round(yaw, 1),
            "pitch_deg": round(pitch, 1),
            "roll_deg": round(roll, 1),
            "existing_light": {
                "azimuth_deg": round(existing.azimuth_deg, 1),
                "elevation_deg": round(existing.elevation_deg, 1),
            },
            "key_to_fill_before": round(analysis.environment.key_to_fill(analysis.head_pose), 3),
            "key_to_fill_after": round(
                light_stage.key_to_fill_with(
                    analysis.environment,
                    analysis.head_pose,
                    self.lights,
                    analysis.mean_irradiance * self.strength,
                ),
                3,
            ),
        }


class Relighter:
    """Relights photos; loads each model once and keeps it. One per thread.

    Example:
        >>> with Relighter() as relighter:
        ...     result = relighter.relight(load_photo("portrait.jpg"))
    """

    def __init__(self, threads: int = 1) -> None:
        """Prepare; models are loaded at their first use.

        Args:
            threads: for the full-resolution work.
        """
        if threads < 1:
            raise ValueError(f"threads is >= 1, got {threads}")
        self.threads = threads
        self._detector = Detector()

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

    def find_faces(self, rgb: NDArray[Any] | Photo) -> list[Face]:
        """All faces of a photo, largest first; an empty list when there is none.

        Args:
            rgb: ``(H, W, 3)`` uint8 sRGB, or a photo.

        Raises:
            TypeError: for another dtype.
            ValueError: for another shape.
        """
        return face_stage.find(self._detector, _as_photo(rgb).rgb8)

    def analyze(self, rgb: NDArray[Any] | Photo, face: Face) -> Analysis:
        """Estimate normals and existing light around a face.

        Args:
            rgb: the photo that the face was found in.
            face: one of :meth:`find_faces`.
        """
        pixels = _as_photo(rgb).rgb8
        crop = face.crop.extract(pixels, CROP_SIDE)
        landmarks = face.crop_landmarks(CROP_SIDE)
        mesh_normals, face_mask = mesh.normals(landmarks, face.head_pose, CROP_SIDE)
        person = np.maximum(self._detector.person(crop), face_mask.astype(np.float32))
        crop_normals, confidence = normals.estimate(mesh_normals, face_mask, person)
        linear = srgb_to_linear(crop)
        skin = skin_weights(landmarks, face_mask, linear)
        environment = lighting.estimate(linear[::2, ::2], mesh_normals[::2, ::2], skin[::2, ::2])
        irradiance = environment.irradiance(crop_normals[::2, ::2])
        visible = face_mask[::2, ::2]
        mean = float(luminance(irradiance[visible].mean(0))) if visible.any() else 1.0
        bright = luminance(linear)[skin > 0.5]
        peak = float(np.percentile(bright, 95)) if bright.size else 0.5
        return Analysis(
            face=face,
            environment=environment,
            crop_normals=crop_normals,
            crop_person=person,
            crop_face=_inner(face_mask),
            crop_confidence=confidence,
            crop_irradiance=irradiance,
            mean_irradiance=mean,
            headroom=max(0.0, 1.1 / max(peak, 1e-3) - 1),
            photo_rgb=pixels,
        )

    def place(self, analysis: Analysis) -> Light:
        """Place a key light automatically; its intensity is 0 when none is needed."""
        return light_stage.place(
            analysis.environment,
            analysis.head_pose,
            mean_irradiance=analysis.mean_irradiance,
            headroom=analysis.headroom,
        )

    def key_gain(self, analysis: Analysis, light: Light) -> Float:
        """Key gain G of a light's direction, for unit intensity and white light.

        Returns:
            ``(H, W, 3)`` float32 >= 0 at the photo's resolution.
        """
        unit = replace(light, intensity=1.0, color=(1.0, 1.0, 1.0))
        part = _part(analysis, [unit])
        return quotient.upsample(analysis.photo_rgb, [part]).expand(analysis.photo_rgb.shape)

    def relight(
        self,
        rgb: NDArray[Any] | Photo,
        lights: Light | Sequence[Light] | None = None,
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
                faces = self.find_faces(photo)
            with _timed(timings, "analysis"):
                analyses = [self.analyze(photo, face) for face in faces]
        if not analyses:
            raise NoFaceError(f"{photo.name}: no face found in this photo")
        if any(analysis.photo_rgb.shape != photo.rgb.shape for analysis in analyses):
            raise ValueError("these analyses belong to another photo")
        faces = [analysis.face for analysis in analyses]
        if given is None:
            placed = [self.place(analysis) for analysis in analyses]
            chosen = [light_stage.place_group(placed, [face.size for face in faces])]
        else:
            chosen = given
        with _timed(timings, "gain"):
            parts = [_part(analysis, chosen) for analysis in analyses]
            added = quotient.upsample(photo.rgb8, parts)
        with _timed(timings, "apply"):
            image = quotient.apply(photo.rgb, added, strength=strength, threads=self.threads)
        return Result(image, photo, faces, chosen, list(analyses), strength, timings)


def skin_weights(landmarks: Float, face: NDArray[np.bool_], linear: Float) -> Float:
    """Trust in each pixel of a crop as plain, well exposed skin: ``(R, R)`` in [0, 1].

    Args:
        landmarks: ``(478, 3)`` in pixels of the crop.
        face: ``(R, R)`` mask of the face mesh.
        linear: ``(R, R, 3)`` linear sRGB.
    """
    import cv2

    side = face.shape[0]
    names = ("lips", "left_eye", "right_eye", "left_eyebrow", "right_eyebrow")
    other = mesh.region(landmarks, names, side).astype(np.uint8)
    reach = 2 * round(side / 128) + 1
    other = cv2.dilate(other, np.ones((reach, reach), np.uint8))
    inner = cv2.erode(face.astype(np.uint8), np.ones((reach, reach), np.uint8))
    exposed = (linear.max(-1) < 0.98) & (luminance(linear) > 0.002)
    return ((inner > 0) & (other == 0) & exposed).astype(np.float32)


def _part(analysis: Analysis, lights: Sequence[Light]) -> quotient.Part:
    """Sum of ``k c G`` over lights, on a face's crop."""
    small = analysis.crop_normals[::2, ::2]
    total = np.zeros_like(small)
    for light in lights:
        gain = quotient.predict(
            quotient.visibility(small, light.direction),
            analysis.crop_irradiance,
            analysis.mean_irradiance,
        )
        total += gain * np.float32(light.intensity) * np.array(light.color, np.float32)
    return quotient.Part(
        crop=analysis.face.crop,
        gain=total,
        person=analysis.crop_person,
        face=analysis.crop_face,
        confidence=analysis.crop_confidence,
    )


def _inner(face: NDArray[np.bool_]) -> Float:
    """The face mesh ``(R, R)`` without its rim, where landmarks err by a pixel or two, softened."""
    import cv2

    reach = 2 * round(face.shape[0] / 200) + 1
    eroded = cv2.erode(face.astype(np.float32), np.ones((reach, reach), np.uint8))
    return cv2.GaussianBlur(eroded, (0, 0), face.shape[0] / 200)


def _as_lights(lights: Light | Sequence[Light] | None) -> list[Light] | None:
    """One light or several as a list; ``None`` stays: it asks for automatic placement."""
    if lights is None:
        return None
    given = list(lights) if isinstance(lights, Sequence) else [lights]
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
