# SPDX-License-Identifier: Apache-2.0
"""What one look at a face tells: its normals, its outline and the light on it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from relight.environment import Environment
from relight.face.face import Face
from relight.face.perception import Perception
from relight.gain.guide import FaceGain, Outline
from relight.gain.reach import window
from relight.geometry import Grid, normalize, rolled
from relight.light import Light
from relight.stage import body as bodies
from relight.stage.body import Body
from relight.stage.shading import mean_irradiance
from relight.stage.silhouette import Look
from relight.stage.stages import Stages
from relight.stage.view import SEEN, View, look

Float = NDArray[np.float32]

HALF = 0.5
"""Share of a cell in the crop from which it counts as inside."""
SKIN = 0.5
"""Trust from which a pixel counts as skin."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """What one look at a face tells; enough to try many lights without looking again.

    What is named ``crop_*`` is in the crop's frame, where the head is upright, and its arrays lie
    on the face's crop; the others, made when asked for, are in camera frame and lie on the photo.

    Attributes:
        face: the face.
        view: what the stages see of it.
        crop_environment: the light already there, in the photo's units.
        crop_normals: ``(128, 128, 3)`` float32 unit normals.
        crop_confidence: ``(128, 128)`` float32 trust in the normals, [0, 1], 0 off the person.
        mean_irradiance: luminance of the existing irradiance over pi, mean over the visible face.
        photo_rgb: the photo, ``(H, W, 3)`` uint8 sRGB.
        person: ``(256, 256)`` float32 probability in [0, 1] of a person, by all that is seen of
            them; the view's outline is what the segmentation says of the crop alone.
        body: what is known of the body below the face; ``None`` where the photo shows none.
    """

    face: Face
    view: View = field(repr=False)
    crop_environment: Environment
    crop_normals: Float
    crop_confidence: Float
    mean_irradiance: float
    photo_rgb: NDArray[np.uint8] = field(repr=False)
    person: Float = field(repr=False)
    body: Body | None = field(default=None, repr=False)

    @property
    def head_pose(self) -> Float:
        """Rotation ``(3, 3)`` from head to camera frame."""
        return self.face.head_pose

    @functools.cached_property
    def environment(self) -> Environment:
        """The light already there, in the photo's units, camera frame."""
        return self.crop_environment.roll(self.face.crop.roll)

    @property
    def existing_direction(self) -> Float:
        """Unit vector ``(3,)`` towards where most of the existing light comes from."""
        return rolled(self.crop_environment.dominant_direction(), self.face.crop.roll)

    @functools.cached_property
    def mask(self) -> Float:
        """The person, ``(H, W)`` float32 in [0, 1], 0 outside the crop and the body's square."""
        return self._to_photo(self.person, None if self.body is None else self.body.person)

    @functools.cached_property
    def confidence(self) -> Float:
        """Trust in the normals, ``(H, W)`` float32 in [0, 1], 0 where :attr:`mask` is."""
        return self._to_photo(self.crop_confidence, None if self.body is None else self.body.trust)

    @functools.cached_property
    def normals(self) -> Float:
        """Unit normals ``(H, W, 3)`` float32, camera frame, NaN where nothing is known."""
        on_photo = self._to_photo(
            self.crop_normals, None if self.body is None else self.body.normals
        )
        result = normalize(rolled(on_photo, self.face.crop.roll))
        result[self.mask < SEEN] = np.nan
        return result

    @property
    def outline(self) -> Outline:
        """Where a light on this face may fall."""
        crop, inner = self.face.crop, self.view.inner_face
        if self.body is not None:
            return Outline(crop, self.person, inner, self.body.on_head, self.body.layer)
        trusted = np.maximum(self.crop_confidence, inner)  # doubt outside must not reach the face
        return Outline(crop, self.person, inner, trusted)

    def _to_photo(self, head: Float, body: Float | None) -> Float:
        """Values on the crop and on the body's square drawn on the photo, 0 elsewhere."""
        shape = self.photo_rgb.shape
        result = np.zeros((*shape[:2], *head.shape[2:]), np.float32)
        layers = [(self.face.crop, head)]
        if self.body is not None and body is not None:
            layers.insert(0, (self.body.crop, body))
        for crop, values in layers:
            rows, columns = crop.visible(shape)
            size = (rows.stop - rows.start, columns.stop - columns.start)
            grid = Grid(columns.start, rows.start, 1, *size)
            # At the square's border a cell lies halfway between its inside and its outside.
            inside = crop.onto_grid(np.ones(values.shape[:2], np.float32), grid, 0.0) >= HALF
            drawn, part = crop.onto_grid(values, grid), result[rows, columns]
            if len(layers) > 1 and values is head:  # one gives way to the other
                counts = window(crop, grid, shape).reshape(*size, *[1] * (head.ndim - 2))
                drawn = part + (drawn - part) * counts
            part[inside] = drawn[inside]
        return result


def analyze(
    detector: Perception,
    stages: Stages,
    pixels: NDArray[np.uint8],
    face: Face,
    below: Callable[[], Look | None] | None = None,
) -> Analysis:
    """Estimate normals and existing light around a face.

    Args:
        detector: MediaPipe's models.
        stages: what makes the estimates.
        pixels: the photo that the face was found in, ``(H, W, 3)`` uint8 sRGB.
        face: the face.
        below: gives what is seen of the body, if that was begun beforehand.
    """
    view = look(detector, pixels, face)
    normals, confidence = stages.normals(view)
    environment = stages.lighting(view, normals)
    seen = below() if below else bodies.see(detector, pixels, face)
    person, body = bodies.body_of(seen, face.crop, view, normals, confidence, environment)
    return Analysis(
        face=face,
        view=view,
        crop_environment=environment,
        crop_normals=normals,
        crop_confidence=confidence,
        mean_irradiance=mean_irradiance(environment, normals, view.face),
        photo_rgb=pixels,
        person=person,
        body=body,
    )


def key_gain(stages: Stages, analysis: Analysis, light: Light) -> FaceGain:
    """Key gain G of a light's direction, softness and gloss, for unit intensity, white.

    Args:
        stages: to predict it with.
        analysis: of the face.
        light: camera frame.

    Returns:
        ``(128, 128, 3)`` float32 >= 0 on the face's crop, and on the body's square if it has one.
    """
    crop = analysis.face.crop
    upright = light.rolled(-crop.roll)
    head = stages.gain(analysis.view, analysis.crop_normals, analysis.crop_environment, upright)
    return FaceGain(head) if analysis.body is None else analysis.body.gain(crop, head, upright)
