# SPDX-License-Identifier: Apache-2.0
"""A person's photos as they are judged, and how captures are brought onto the face's crop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight import Analysis, Relighter
from relight.face.face import Face
from relight.geometry import Grid
from relight.stage.view import SIDE
from training.judge import yaleb
from training.judge.yaleb import Capture

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CapturedFace:
    """One photo of a subject and what the stages see in it.

    Attributes:
        kind: of the photo, one of :meth:`yaleb.Capture.photos`.
        linear: ``(H, W)`` float32 the photo, linear.
        photo: ``(H', W', 3)`` uint8 sRGB, enlarged and with margins (:func:`yaleb.as_photo`).
        analysis: of the face in it.
        mesh_normals: ``(H, W, 3)`` float32 the face mesh's (:func:`yaleb.drawn_mesh`).
        mask: ``(H, W)`` bool, the face mesh.
    """

    kind: str
    linear: Float
    photo: NDArray[np.uint8]
    analysis: Analysis
    mesh_normals: Float
    mask: Mask

    def on_crop(self, values: Float) -> Float:
        """Values ``(H, W[, C])`` on the captures, on the face's crop ``(128, 128[, C])``."""
        seen: Float = self.analysis.face.crop.extract(yaleb.onto_photo(values), SIDE)
        return seen

    def from_crop(self, values: Float) -> Float:
        """Values ``(128, 128[, C])`` on the face's crop, on the captures ``(H, W[, C])``."""
        grid = Grid(0, 0, 1, *self.photo.shape[:2])
        return yaleb.from_photo(self.analysis.face.crop.onto_grid(values, grid))

    def usable(self, lamp: Float) -> Mask:
        """Where a capture ``(H, W)`` shows the face and is not clipped."""
        return self.mask & (lamp < yaleb.BRIGHTEST)

    def usable_on_crop(self, lamp: Float) -> Mask:
        """The same on the face's crop, ``(128, 128)``."""
        seen = self.usable(lamp)
        seen[[0, -1]] = seen[:, [0, -1]] = False  # the border is repeated beyond the capture
        return self.analysis.view.face & (self.on_crop(seen.astype(np.float32)) > 0.5)


def captured_faces(relighter: Relighter, capture: Capture) -> Iterator[CapturedFace]:
    """A subject's photos of all kinds, each analysed.

    Args:
        relighter: finds and analyses the face. Where it finds none, the ambient photo's is taken.
        capture: the subject.

    Raises:
        yaleb.DatasetError: if no face is found even in the ambient photo.
    """
    reference: Face | None = None
    for kind, linear in capture.photos().items():
        photo = yaleb.as_photo(linear)
        faces = relighter.find_faces(photo)
        reference = faces[0] if faces and reference is None else reference
        if reference is None:
            raise yaleb.DatasetError(f"{capture.name}: no face found in the ambient photo")
        face = faces[0] if faces else reference
        drawn, mask = yaleb.drawn_mesh(face, linear.shape)
        yield CapturedFace(kind, linear, photo, relighter.analyze(photo, face), drawn, mask)
