# SPDX-License-Identifier: Apache-2.0
"""What one look at a face tells: its normals, its outline and the light on it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from relight import lighting, mesh, normals
from relight.color import luminance, srgb_to_linear
from relight.detector import Detector
from relight.environment import Environment
from relight.face import Face
from relight.geometry import Grid, normalize

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
        crop, shape = self.face.crop, self.photo_rgb.shape
        result = np.full((*shape[:2], *values.shape[2:]), outside, np.float32)
        rows, columns = crop.visible(shape)
        size = (rows.stop - rows.start, columns.stop - columns.start)
        result[rows, columns] = crop.onto_grid(values, Grid(columns.start, rows.start, 1, *size))
        return result


def analyze(detector: Detector, pixels: NDArray[np.uint8], face: Face) -> Analysis:
    """Estimate normals and existing light around a face.

    Args:
        detector: MediaPipe's models.
        pixels: the photo that the face was found in, ``(H, W, 3)`` uint8 sRGB.
        face: the face.
    """
    crop = face.crop.extract(pixels, CROP_SIDE)
    landmarks = face.crop_landmarks(CROP_SIDE)
    mesh_normals, face_mask = mesh.normals(landmarks, face.head_pose, CROP_SIDE)
    person = np.maximum(detector.person(crop), face_mask.astype(np.float32))
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


def _inner(face: NDArray[np.bool_]) -> Float:
    """The face mesh ``(R, R)`` without its rim, where landmarks err by a pixel or two, softened."""
    import cv2

    reach = 2 * round(face.shape[0] / 200) + 1
    eroded = cv2.erode(face.astype(np.float32), np.ones((reach, reach), np.uint8))
    return cv2.GaussianBlur(eroded, (0, 0), face.shape[0] / 200)
