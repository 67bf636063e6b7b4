# SPDX-License-Identifier: Apache-2.0
"""How a phone's camera turns light into a photo: exposure, white balance, tone, blur, noise, JPEG.

Reference:
    Healey and Kondepudy 1994, "Radiometric CCD Camera Calibration and Noise Estimation" (shot and
    read noise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight.color import linear_to_srgb, luminance, to_uint8

Float = NDArray[np.float32]


@dataclass(frozen=True)
class CameraRanges:
    """What is drawn for each photo.

    Attributes:
        face_level: linear brightness of the mean face, drawn evenly in logarithm.
        scene_level: the same of a white surface in the light on the face.
        scene_metered: chance that the exposure follows the scene's level, not the face's: dark
            skin then looks dark.
        neutral: how much of the light's colour the white balance takes away.
        white_balance: further error, as a factor on red and blue.
        contrast: strength of the S-curve on encoded values; negative flattens.
        shoulder: linear value above which highlights are rolled off; from 1 on they clip.
        blur_px: Gaussian sigma.
        shrink: how far the picture may have been scaled down and up again.
        shot: variance of noise per unit of light.
        read: standard deviation of noise in the dark.
        jpeg: quality.
        jpeg_chance: share of photos that pass through JPEG.
    """

    face_level: tuple[float, float] = (0.06, 0.45)
    scene_level: tuple[float, float] = (0.4, 1.1)
    scene_metered: float = 0.5
    neutral: tuple[float, float] = (0.3, 1.0)
    white_balance: tuple[float, float] = (0.9, 1.1)
    contrast: tuple[float, float] = (-0.15, 0.4)
    shoulder: tuple[float, float] = (0.55, 1.2)
    blur_px: tuple[float, float] = (0.0, 0.7)
    shrink: tuple[float, float] = (0.65, 1.0)
    shot: tuple[float, float] = (2e-5, 6e-4)
    read: tuple[float, float] = (3e-4, 3e-3)
    jpeg: tuple[int, int] = (55, 97)
    jpeg_chance: float = 0.7


@dataclass(frozen=True)
class CameraModel:
    """How one camera turns light into a photo.

    Attributes:
        gain: ``(3,)`` factor on linear light, exposure and white balance.
        contrast: strength of the S-curve.
        shoulder: linear value where the roll-off begins.
        blur_px: Gaussian sigma.
        shrink: scale that the picture passes through.
        shot: variance of noise per unit of light.
        read: standard deviation of noise in the dark.
        jpeg: quality, 0 for none.
    """

    gain: Float
    contrast: float = 0.0
    shoulder: float = 1.0
    blur_px: float = 0.0
    shrink: float = 1.0
    shot: float = 0.0
    read: float = 0.0
    jpeg: int = 0

    @classmethod
    def draw(
        cls, ranges: CameraRanges, face: float, light: Float, rng: np.random.Generator
    ) -> CameraModel:
        """A camera whose exposure and white balance are set for a scene.

        Args:
            ranges: what to draw from.
            face: mean luminance of the face before exposure.
            light: ``(3,)`` mean irradiance of the face.
            rng: draws.
        """
        level, metered = ranges.face_level, max(face, 1e-9)
        if rng.random() < ranges.scene_metered:
            level, metered = ranges.scene_level, max(float(luminance(light)) / np.pi, 1e-9)
        level = np.exp(rng.uniform(*np.log(level)))
        balance = (light.mean() / np.maximum(light, 1e-6)) ** rng.uniform(*ranges.neutral)
        balance = np.clip(balance / balance[1], 0.25, 4)
        balance[[0, 2]] *= rng.uniform(*ranges.white_balance, 2)
        gain = balance * level / metered
        return cls(
            gain=gain.astype(np.float32),
            contrast=float(rng.uniform(*ranges.contrast)),
            shoulder=float(rng.uniform(*ranges.shoulder)),
            blur_px=float(rng.uniform(*ranges.blur_px)),
            shrink=float(rng.uniform(*ranges.shrink)) if rng.random() < 0.3 else 1.0,
            shot=float(np.exp(rng.uniform(*np.log(ranges.shot)))),
            read=float(np.exp(rng.uniform(*np.log(ranges.read)))),
            jpeg=int(rng.integers(*ranges.jpeg)) if rng.random() < ranges.jpeg_chance else 0,
        )

    def expose(self, light: Float) -> Float:
        """Scene light ``(..., 3)`` to the photo's linear units."""
        return light * self.gain

    def tone(self, linear: Float) -> Float:
        """The photo's linear units to sRGB floats in [0, 1]: roll-off, encoding, S-curve."""
        x = linear
        if self.shoulder < 1:
            room = np.float32(1 - self.shoulder)
            over = np.maximum(x - self.shoulder, 0) / room
            x = np.where(x > self.shoulder, self.shoulder + room * (1 - np.exp(-over)), x)
        encoded = np.minimum(linear_to_srgb(x), 1)
        curve = encoded * encoded * (3 - 2 * encoded)
        return encoded + np.float32(self.contrast) * (curve - encoded)

    def develop(self, linear: Float) -> NDArray[np.uint8]:
        """The photo without blur, noise and compression, sRGB bytes."""
        return to_uint8(self.tone(linear))

    def shoot(self, linear: Float, rng: np.random.Generator) -> NDArray[np.uint8]:
        """The photo with everything that happens to it, ``(H, W, 3)`` sRGB bytes.

        Args:
            linear: ``(H, W, 3)`` in the photo's linear units, see :meth:`expose`.
            rng: noise.
        """
        import cv2

        height, width = linear.shape[:2]
        x = linear
        if self.shrink < 1:
            small = (max(8, round(width * self.shrink)), max(8, round(height * self.shrink)))
            x = np.asarray(cv2.resize(x, small, interpolation=cv2.INTER_AREA), np.float32)
        if self.blur_px > 0.2:
            x = np.asarray(cv2.GaussianBlur(x, (0, 0), self.blur_px), np.float32)
        # Noise arises before white balance: channels that were raised are noisier.
        raised = self.gain / self.gain[1]
        sigma = np.sqrt(np.maximum(x, 0) * (self.shot * raised) + (self.read * raised) ** 2)
        x = x + sigma * rng.standard_normal(x.shape, np.float32)
        encoded = to_uint8(self.tone(x.astype(np.float32)))
        if self.jpeg:
            options = [cv2.IMWRITE_JPEG_QUALITY, self.jpeg]
            _, data = cv2.imencode(".jpg", encoded[..., ::-1], options)
            encoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
        if encoded.shape[:2] != (height, width):
            encoded = cv2.resize(
                np.ascontiguousarray(encoded), (width, height), interpolation=cv2.INTER_LINEAR
            ).astype(np.uint8)
        return np.ascontiguousarray(encoded)
