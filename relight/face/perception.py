# SPDX-License-Identifier: Apache-2.0
"""What MediaPipe's models see of a photo, as one object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relight.face import detector, landmark, segmentation
from relight.face.detector import FULL, Detection, Layout
from relight.face.landmark import Fit
from relight.face.region import Pyramid, Region, whole
from relight.face.tone import Tones
from relight.models.library import Models

Float = NDArray[np.float32]
Image = NDArray[np.uint8]


class Perception:
    """MediaPipe's models. Threads may share it: they take turns at a model."""

    def __init__(self, models: Models | None = None) -> None:
        """Prepare; no model is loaded before its first use.

        Args:
            models: what runs them; ``None`` for those that come with the package.
        """
        self.models = models or Models()

    def boxes(
        self,
        photo: Image | Pyramid,
        region: Region | None = None,
        *,
        layout: Layout = FULL,
        tones: Tones | None = None,
        repeat: bool = False,
    ) -> list[Detection]:
        """Faces by a detector, the most certain first.

        Args:
            photo: ``(H, W, 3)`` uint8 sRGB, or its pyramid.
            region: where to look; ``None`` for the whole photo.
            layout: which detector.
            tones: changes what it sees.
            repeat: whether the photo's edge repeats outside it; else it is black there.
        """
        pyramid = _pyramid(photo)
        where = whole(pyramid.shape) if region is None else region
        return detector.detect(self.models, layout, pyramid, where, tones, repeat=repeat)

    def landmarks(
        self, photo: Image | Pyramid, region: Region, *, tones: Tones | None = None
    ) -> Fit | None:
        """Landmarks of the face in a region, or ``None``.

        Args:
            photo: ``(H, W, 3)`` uint8 sRGB, or its pyramid.
            region: the face, upright, with a quarter of its side as margin all round.
            tones: changes what the network sees.
        """
        return landmark.fit(self.models, _pyramid(photo), region, tones)

    def person(self, image: Image) -> Float:
        """Probability in [0, 1] that a pixel is part of a person, ``(H, W)`` float32.

        The model sees 256 x 256 pixels, so a square image of that size loses nothing.
        """
        return segmentation.person(self.models, image)

    def close(self) -> None:
        """Free the models; the next call loads them again."""
        self.models.close()


def _pyramid(photo: Image | Pyramid) -> Pyramid:
    return photo if isinstance(photo, Pyramid) else Pyramid(photo)
