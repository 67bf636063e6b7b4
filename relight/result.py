# SPDX-License-Identifier: Apache-2.0
"""A relit photo and how it came about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from relight.color import srgb_to_linear
from relight.face.face import Face
from relight.geometry import head_angles
from relight.light import Light
from relight.photo.picture import Photo
from relight.photo.pixel import to_8_bit
from relight.placement.cheek import cheeks
from relight.setup import Setup
from relight.stage.analysis import Analysis
from relight.stage.view import FINE, SIDE, small_photo


@dataclass(frozen=True, eq=False)
class Result:
    """A relit photo and how it came about.

    Attributes:
        image: ``(H, W, 3)`` sRGB of the photo's dtype, or in the photo's own colours where those
            are kept; of a preview uint8 sRGB.
        photo: the photo it was made from, at its own size.
        faces: the faces found, largest first.
        setup: what was done; a light of intensity 0, with a reason, when none was needed.
        analyses: one per face.
        strength: factor that all of this was scaled by.
        timings: seconds per stage.
    """

    image: NDArray[Any]
    photo: Photo
    faces: list[Face]
    setup: Setup
    analyses: list[Analysis]
    strength: float
    timings: dict[str, float]

    @property
    def lights(self) -> list[Light]:
        """The lights added."""
        return list(self.setup.lights)

    @property
    def fill(self) -> float:
        """Share of the existing light that was left on the person."""
        return self.setup.fill

    @property
    def reason(self) -> str:
        """Why this was done; empty for a user's own lights."""
        return self.setup.reason

    @property
    def changed(self) -> bool:
        """Whether any pixel may differ from the photo's."""
        shares = self.setup.shares_of(len(self.analyses))
        return self.strength > 0 and self.setup.changes and max(shares) > 0

    @property
    def relit(self) -> Photo:
        """The photo with the relit pixels, ready to be saved."""
        if self.image.shape == self.photo.shape and self.image.dtype == self.photo.rgb.dtype:
            return self.photo.with_rgb(self.image)
        import cv2

        alpha = self.photo.alpha
        if alpha is not None:
            size = self.image.shape[1::-1]
            alpha = cv2.resize(to_8_bit(alpha), size, interpolation=cv2.INTER_AREA)
        return replace(self.photo, rgb=self.image, alpha=alpha, gamut=None)

    def to_pil(self) -> Image.Image:
        """The relit photo as a Pillow image: RGB or RGBA, 8 bits, sRGB."""
        return self.relit.to_pil()

    def report(self) -> dict[str, Any]:
        """All that is worth knowing, JSON-ready; angles in degrees, seconds, pixels."""
        return {
            "photo": self.photo.name,
            "width": self.photo.width,
            "height": self.photo.height,
            "profile": self.photo.gamut.name if self.photo.gamut else "sRGB",
            "strength": self.strength,
            "fill": round(self.fill, 4),
            "reason": self.reason,
            "lights": [
                {
                    "azimuth_deg": round(light.azimuth_deg, 2),
                    "elevation_deg": round(light.elevation_deg, 2),
                    "intensity": round(light.intensity, 4),
                    "color": list(light.color),
                    "softness_deg": round(light.softness_deg, 2),
                    "gloss": round(light.gloss, 4),
                    "reason": light.reason,
                }
                for light in self.lights
            ],
            "faces": [
                self._face_report(analysis) | {"share": round(share, 4)}
                for analysis, share in zip(
                    self.analyses, self.setup.shares_of(len(self.analyses)), strict=True
                )
            ],
            "timings_s": {name: round(value, 4) for name, value in self.timings.items()},
        }

    def _face_report(self, analysis: Analysis) -> dict[str, Any]:
        yaw, pitch, roll = head_angles(analysis.head_pose)
        existing = Light.from_direction(analysis.existing_direction)
        return {
            "box": [round(value, 1) for value in analysis.face.box],
            "yaw_deg": round(yaw, 1),
            "pitch_deg": round(pitch, 1),
            "roll_deg": round(roll, 1),
            "existing_light": {
                "azimuth_deg": round(existing.azimuth_deg, 1),
                "elevation_deg": round(existing.elevation_deg, 1),
            },
            "key_to_fill_before": round(cheeks(analysis.view).ratio(analysis.view.linear), 3),
            "key_to_fill_after": round(self._key_to_fill(analysis), 3),
        }

    def _key_to_fill(self, analysis: Analysis) -> float:
        """Brighter over darker cheek, measured on the result's pixels."""
        scale = max(self.image.shape[:2]) / max(self.photo.width, self.photo.height)
        crop = analysis.face.crop.scaled(scale)
        # Cut out first: to bring all of a large photo into sRGB would take long.
        cut = replace(self.relit, rgb=crop.extract(self.image, FINE * SIDE), alpha=None)
        return cheeks(analysis.view).ratio(srgb_to_linear(small_photo(cut.rgb8)))
