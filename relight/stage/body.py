# SPDX-License-Identifier: Apache-2.0
"""Neck, shoulders, chest and arms: their shape from the person's outline, and the key on them.

No network has learned a body's shape. Its outline tells enough for soft light: the surface is
blown up like a balloon that is tied down at the outline, round where the person is narrow and flat,
facing the camera, where it is wide. The key gain there is K / S as on the face, at the level that
the head's has where both meet, and dies away with the distance from the face.

Reference: Johnston 2002, "Lumo: Illumination for Cel Animation" (shape from an outline).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight.environment import Environment
from relight.face.face import Face
from relight.face.perception import Perception
from relight.gain.guide import BODY_SIDE, FaceGain, Layer
from relight.gain.reach import Reach
from relight.geometry import CROP_SCALE, Crop, normalize, shrink, smoothstep
from relight.light import Light
from relight.stage.key import diffuse
from relight.stage.quotient import is_grey
from relight.stage.shading import belief, shading
from relight.stage.silhouette import SEEN_SIDE, Look, settled, silhouette
from relight.stage.view import BLIND, View

Float = NDArray[np.float32]

TRUST_SIDE = 128
"""Side of the square on which it is told where the key's light falls, pixels."""
INSIDE = (0.3, 0.7)
"""Probability of a person between which the surface rises from the outline."""
ROUND = 0.5
"""Face heights from the outline within which a surface turns towards the camera: a shoulder's."""
DEPTH = 0.8
"""Depth of a round part over its half width: bodies are flatter than cylinders."""
UPWARDS = 0.15
"""Tangent by which a chest leans back, so that light from above falls on it."""
LEVELS = (16, 32, 64)
"""Sides of the squares that the surface is solved on, coarse to fine,"""
STEPS = 24
"""in so many steps on each."""
TIED = 0.02
"""Least height, in parts of the highest, that the surface's slope is taken at: at the outline
itself it would be upright."""
LIT = (0.7, 2.7)
"""Face heights from the middle of the face between which the light dies away: from the chin to two
face heights below it."""
SHADED = (0.4, 2.5)
"""Darkest and lightest existing light on a body, over the face's mean, that is divided by."""
LEVEL = (0.5, 2.0)
"""Factors between which the body's gain is brought to the head's level where both meet."""
NECK = (0.55, 0.9)
"""Face heights below the middle of the face between which that begins, as the body's light does:
under the chin."""
UNKNOWN = 1e-6
"""Trust that counts as none, so that shares of it stay finite."""
SPREAD = 0.6
"""Face heights over which that factor follows the head's gain from place to place, and"""
NEAR = 1e-3
"""weight of its mean there, against a pixel's."""
MEETING = 1.0
"""Pixels on which they meet that pull that factor halfway back to 1."""


@dataclass(frozen=True, eq=False)
class Body:
    """What one look at a body tells; all of it on its square, in the head's crop's frame.

    Attributes:
        crop: the square.
        person: ``(256, 256)`` float32 probability in [0, 1] of a person.
        normals: ``(64, 64, 3)`` float32 unit normals.
        existing: ``(64, 64, 3)`` float32 light already there, over the face's mean.
        trust: ``(128, 128)`` float32 in [0, 1], how much of the key's light falls on them.
        meeting: ``(64, 64)`` float32 >= 0, weight with which the head's gain sets the level.
        width: pixels over which that level may change.
        share: ``(128, 128)`` float32 in [0, 1] on the head's crop, how far the light there is this
            body's: below the chin, where little is known of the surface.
        on_head: ``(128, 128)`` float32 in [0, 1], trust in the light there that is made of both.
    """

    crop: Crop
    person: Float
    normals: Float
    existing: Float
    trust: Float
    meeting: Float
    width: int
    share: Float
    on_head: Float

    @property
    def layer(self) -> Layer:
        """Where light on this body may fall."""
        return Layer(self.crop, self.person, self.trust)

    def gain(self, head: Crop, head_gain: Float, light: Light) -> FaceGain:
        """Key gain of a light's direction, for unit intensity and white light, of head and body.

        Args:
            head: the face's crop.
            head_gain: ``(128, 128, 3)`` the same light's gain there.
            light: the key, its direction in the crop's frame.
        """
        free = np.ones((BODY_SIDE, BODY_SIDE), np.float32)
        gain = diffuse(self.normals, free, light.direction)[..., None] / self.existing
        there = head.onto_crop(head_gain, self.crop, BODY_SIDE)
        met, own = there * self.meeting[..., None], gain * self.meeting[..., None]
        # Near the head its level is followed place by place, further away on average.
        level = (_spread(met, self.width) + NEAR * (met.sum((0, 1)) + MEETING)) / (
            _spread(own, self.width) + NEAR * (own.sum((0, 1)) + MEETING)
        )
        gain = np.asarray(gain * np.clip(level, *LEVEL), np.float32)
        around = self.crop.onto_crop(gain, head, len(head_gain))
        return FaceGain(head_gain + self.share[..., None] * (around - head_gain), gain)


def _spread(values: Float, width: int) -> Float:
    """Values averaged over a square twice."""
    import cv2

    return cv2.blur(cv2.blur(values, (width, width)), (width, width))


def see(detector: Perception, pixels: NDArray[np.uint8], face: Face) -> Look | None:
    """See the person below a face; ``None`` where the photo shows no more than the head's crop.

    Args:
        detector: MediaPipe's models.
        pixels: the photo that the face was found in, ``(H, W, 3)`` uint8 sRGB.
        face: the face.
    """
    crop = Reach.of(face.crop, pixels.shape).body
    if crop is None:
        return None
    seen = crop.extract(pixels, SEEN_SIDE)
    return Look(crop, seen, _within_photo(detector.person(seen), crop, pixels.shape))


def body_of(
    seen: Look | None,
    head: Crop,
    view: View,
    normals: Float,
    confidence: Float,
    environment: Environment,
) -> tuple[Float, Body | None]:
    """A person on the head's crop, ``(256, 256)``, and their body; ``None`` where none is seen.

    Args:
        seen: the square around the body and what is seen there, if there is one; where the face is
            not seen, it tells nothing.
        head: the face's crop.
        view: what the stages see of it.
        normals: ``(128, 128, 3)`` of the head, crop's frame.
        confidence: ``(128, 128)`` trust in them.
        environment: the light already there, crop's frame.
    """
    if seen is None or _is_blind(seen, head, view):
        return settled(view.pixels, view.outline), None
    on_head, person = silhouette(Look(head, view.pixels, view.outline), seen)
    crop, small = seen.crop, shrink(person, SEEN_SIDE // BODY_SIDE)
    height = head.size / CROP_SCALE / crop.size * BODY_SIDE
    surface = inflated(smoothstep(small, *INSIDE), ROUND * height)
    _, below = _around_face(head, crop, BODY_SIDE)
    trust = 1 - smoothstep(np.hypot(*_around_face(head, crop, TRUST_SIDE)), *LIT)
    meeting = small * head.onto_crop(confidence, crop, BODY_SIDE, 0.0) * smoothstep(below, *NECK)
    existing = _existing(surface, normals, view, environment)
    width = 2 * round(SPREAD * height / 2) + 1
    known = np.maximum(confidence, view.inner_face)
    _, below = _around_face(head, head, len(known))
    lent = (1 - known) * crop.onto_crop(trust, head, len(known)) * smoothstep(below, *NECK)
    both = known + lent
    share = lent / np.maximum(both, np.float32(UNKNOWN))
    return on_head, Body(crop, person, surface, existing, trust, meeting, width, share, both)


def _is_blind(seen: Look, head: Crop, view: View) -> bool:
    """Whether the face is not seen on the square around the body."""
    on_face = head.onto_crop(view.face.astype(np.float32), seen.crop, BODY_SIDE, 0.0)
    small = shrink(seen.person, SEEN_SIDE // BODY_SIDE)
    return bool((small * on_face).sum() < BLIND * on_face.sum())


def inflated(person: Float, radius: float) -> Float:
    """Normals of a surface blown up inside an outline.

    Its height is the root of a solution of Poisson's equation, screened, so that a narrow part is
    round and a wide one is flat in the middle.

    Args:
        person: ``(R, R)`` in [0, 1], 1 inside; R is the last of :data:`LEVELS`.
        radius: pixels from the outline within which the surface turns towards the camera.

    Returns:
        ``(R, R, 3)`` float32 unit normals, x right, y up, z towards the camera.
    """
    import cv2

    height = np.zeros((LEVELS[0],) * 2, np.float32)
    around = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)
    for side in LEVELS:
        height = cv2.resize(height, (side, side), interpolation=cv2.INTER_LINEAR)
        inside = shrink(person, LEVELS[-1] // side)
        pull = np.float32(1 / (1 + 4 * (radius * side / LEVELS[-1]) ** 2))
        pulled, kept = inside * pull, inside * (1 - pull)
        for _ in range(STEPS):
            mean = cv2.filter2D(height, -1, around / 4, borderType=cv2.BORDER_REPLICATE)
            height = cv2.add(cv2.multiply(mean, kept), pulled)
    down, right = np.gradient(height)
    steep = np.float32(DEPTH * radius) / np.sqrt(2 * np.maximum(height, np.float32(TIED)))
    return normalize(np.stack([-right * steep, down * steep + UPWARDS, np.ones_like(steep)], -1))


def _existing(surface: Float, normals: Float, view: View, environment: Environment) -> Float:
    """The light already there on a surface, ``(R, R, 3)``, over its mean on the face."""
    head = (normals * view.person[..., None]).reshape(-1, 1, 3)
    both = np.concatenate([head, surface.reshape(-1, 1, 3)])
    face = np.zeros(both.shape[:2], bool)
    face[: len(head), 0] = view.face.ravel()
    log_light = shading(environment, both, face)
    log_light *= np.float32(belief(log_light, face))
    if is_grey(view):
        log_light = np.repeat(log_light.mean(-1, keepdims=True), 3, -1)  # it stays grey
    light = np.exp(log_light)
    mean = light[face].mean() if face.any() else np.float32(1)
    return np.clip(light[len(head) :].reshape(surface.shape) / mean, *SHADED)


def _around_face(head: Crop, crop: Crop, side: int) -> tuple[Float, Float]:
    """How far right of and below a face's middle pixels are, ``(side, side)``, in its heights."""
    middle = head.shares(np.array([[crop.x, crop.y]]))[0] - 0.5
    along = ((np.arange(side) + 0.5) / side - 0.5) * (crop.size / head.size)
    x, y = (CROP_SCALE * (along + middle[axis]).astype(np.float32) for axis in range(2))
    right, below = np.meshgrid(x, y)
    return right, below


def _within_photo(values: Float, crop: Crop, shape: tuple[int, ...]) -> Float:
    """Values on a square, those beyond the photo's border replaced by the nearest within."""
    import cv2

    side = len(values)
    along = (np.arange(side) + 0.5) / side
    points = np.stack(np.meshgrid(along, along), -1).reshape(-1, 2)
    at = crop.to_photo(points)
    inside = np.clip(at, 0.5, (shape[1] - 0.5, shape[0] - 0.5))
    x, y = (crop.to_crop(inside, side) - np.float32(0.5)).reshape(side, side, 2).transpose(2, 0, 1)
    within: Float = cv2.remap(
        values,
        np.ascontiguousarray(x),
        np.ascontiguousarray(y),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return within
