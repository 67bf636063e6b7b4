# SPDX-License-Identifier: Apache-2.0
"""What is seen of a face, on its crop: all that the stages may look at."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight.color import luminance, over_channels, srgb_to_linear
from relight.face.face import Face
from relight.face.mesh import Surface, region, surface
from relight.face.mirror import Mirror, brighter_left, mirror, mirrored_landmarks
from relight.face.perception import Perception
from relight.geometry import shrink

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

SIDE = 128
"""Side of the crop that the stages work on, pixels."""
FINE = 2
"""The crop is cut at this many times :data:`SIDE`, for its outline's sake."""
RIM = 3
"""Side of the square by which the face mesh is eroded: landmarks err by a pixel at its rim."""
STRAY = 9
"""Side of the square by which it is eroded to what is a face whatever the segmentation sees."""
FACING = 0.4
"""Cosine to the camera from which the rim is trusted: there the mesh ends on skin, not on air."""
BLIND = 0.8
"""Least mean probability of a person over the face at which the segmentation is believed: in
pictures cut within a face it sees nobody (0 to 0.6), else 0.96 and more."""
SEEN = 0.5
"""Probability of a person from which the segmentation counts as seeing one."""
SOFT = SIDE / 200
"""Width in pixels over which the certain face ends: less than a pixel, against steps in its rim."""
FEATURES = ("lips", "left_eye", "right_eye", "left_eyebrow", "right_eyebrow")
"""Parts of a face that are no plain skin."""
EXPOSED = (0.002, 0.98)
"""Luminance and brightest channel, linear, between which a pixel says something about light."""


@dataclass(frozen=True, eq=False)
class View:
    """A face's crop, upright, and what is known of it before any estimate.

    All of it lies in the crop's frame: the camera frame turned about the camera's axis so that the
    head is upright.

    Attributes:
        pixels: ``(256, 256, 3)`` uint8 sRGB.
        mesh: the face mesh drawn at 128 pixels.
        inner_face: ``(128, 128)`` float32 in [0, 1], the face mesh without the part of its rim that
            is turned away or where nobody is seen, softened; all of it and a pixel around it where
            the face is all that is known of a person.
        skin: ``(128, 128)`` float32 in [0, 1], trust in a pixel as plain, well exposed skin.
        outline: ``(256, 256)`` float32 probability in [0, 1] of a person.
        landmarks: ``(478, 3)`` float32 in pixels of the crop at 128 pixels, z in the same scale,
            smaller nearer; ``None`` where only the drawn mesh is known.
    """

    pixels: NDArray[np.uint8]
    mesh: Surface
    inner_face: Float
    skin: Float
    outline: Float
    landmarks: Float | None = None

    @property
    def face(self) -> Mask:
        """The face mesh, ``(128, 128)`` bool."""
        return self.mesh.mask

    @functools.cached_property
    def photo(self) -> Float:
        """The crop at half the size, ``(128, 128, 3)`` float32 sRGB in [0, 1]."""
        return small_photo(self.pixels)

    @functools.cached_property
    def mirrored(self) -> bool:
        """Whether the networks see the face's mirror image: :func:`brighter_left`."""
        return brighter_left(self.pixels)

    @functools.cached_property
    def person(self) -> Float:
        """Probability in [0, 1] of a person, ``(128, 128)`` float32."""
        return shrink(self.outline, FINE)

    @functools.cached_property
    def images(self) -> Mirror:
        """Mirror images of the face's points; none where only the drawn mesh is known."""
        if self.landmarks is None:
            nowhere, nothing = (
                np.zeros((SIDE, SIDE, 2), np.float32),
                np.zeros((SIDE, SIDE), np.float32),
            )
            return Mirror(nowhere, nothing, nothing, nothing)
        return mirror(self.landmarks, SIDE)

    @functools.cached_property
    def linear(self) -> Float:
        """The photo in linear light, ``(128, 128, 3)`` float32."""
        return srgb_to_linear(self.photo)


def look(detector: Perception, pixels: NDArray[np.uint8], face: Face) -> View:
    """See a face as the stages do.

    Args:
        detector: MediaPipe's models, for the person's outline.
        pixels: the photo that the face was found in, ``(H, W, 3)`` uint8 sRGB.
        face: the face.
    """
    crop = face.crop.extract(pixels, FINE * SIDE)
    landmarks = face.crop_landmarks(SIDE)
    drawn, features = drawings(landmarks, face.crop_pose, mirror=brighter_left(crop))
    return view_of(crop, drawn, features, detector.person(crop), landmarks)


def drawings(landmarks: Float, head_pose: Float, *, mirror: bool) -> tuple[Surface, Mask]:
    """The face mesh, and eyes, eyebrows and lips, drawn at 128 pixels.

    The mesh's triangles are not symmetric, and a drawn polygon includes its left edge and not its
    right one: normals turn by half a degree. So a photo and its mirror image get the same drawing.

    Args:
        landmarks: ``(478, 3)`` in pixels of the crop at 128 pixels.
        head_pose: ``(3, 3)`` rotation head to crop's frame.
        mirror: whether the mirror image is drawn, and turned back.
    """
    if not mirror:
        return surface(landmarks, head_pose, SIDE), region(landmarks, FEATURES, SIDE)
    other = mirrored_landmarks(landmarks, SIDE)
    across = np.array([-1, 1, 1], np.float32)
    normals, depth, mask = surface(other, across[:, None] * head_pose * across, SIDE)
    drawn = Surface(normals[:, ::-1] * across, depth[:, ::-1], mask[:, ::-1])
    return drawn, region(other, FEATURES, SIDE)[:, ::-1]


def view_of(
    pixels: NDArray[np.uint8],
    drawn: Surface,
    features: Mask,
    person: Float,
    landmarks: Float | None = None,
) -> View:
    """A face's view, made of what is seen on its crop.

    Args:
        pixels: ``(256, 256, 3)`` uint8 sRGB.
        drawn: the face mesh drawn at 128 pixels.
        features: ``(128, 128)`` eyes, eyebrows and lips.
        person: ``(256, 256)`` probability in [0, 1] of a person.
        landmarks: see :class:`View`.
    """
    seen = shrink(person, FINE)
    blind = bool(seen[drawn.mask].sum() < BLIND * drawn.mask.sum())
    on_face = drawn.mask if blind else _on_face(drawn.mask, seen)
    fine_face = on_face.repeat(FINE, 0).repeat(FINE, 1).astype(np.float32)
    return View(
        pixels=pixels,
        mesh=drawn,
        inner_face=certain_face(drawn, on_face, fills=blind),
        skin=plain_skin(drawn.mask, features, small_photo(pixels)),
        outline=np.maximum(person, fine_face),
        landmarks=landmarks,
    )


def small_photo(pixels: NDArray[np.uint8]) -> Float:
    """A crop ``(256, 256, 3)`` uint8 sRGB at half its size, ``(128, 128, 3)`` float32 in [0, 1]."""
    return shrink(pixels, FINE).astype(np.float32) / 255


def plain_skin(face: Mask, features: Mask, photo: Float) -> Float:
    """Trust in a pixel as plain, well exposed skin, ``(128, 128)`` float32 in [0, 1].

    Args:
        face: ``(128, 128)`` the face mesh.
        features: ``(128, 128)`` eyes, eyebrows and lips.
        photo: ``(128, 128, 3)`` sRGB in [0, 1].
    """
    import cv2

    near = cv2.dilate(features.astype(np.uint8), np.ones((RIM, RIM), np.uint8))
    return _inner(face) * (near == 0) * exposed(photo)


def certain_face(mesh: Surface, on_face: Mask, *, fills: bool = False) -> Float:
    """Where a face is for certain, ``(128, 128)`` float32 in [0, 1]; see :class:`View`.

    Args:
        mesh: the face mesh drawn at 128 pixels.
        on_face: ``(128, 128)`` the mesh where it does not lie on air.
        fills: the face fills the picture, so that around its mesh is skin too.
    """
    import cv2

    if fills:
        certain = cv2.dilate(mesh.mask.astype(np.float32), np.ones((RIM, RIM), np.uint8))
    else:
        certain = np.maximum(_inner(mesh.mask), mesh.mask & (mesh.normals[..., 2] > FACING))
        certain *= on_face
    soft: Float = cv2.GaussianBlur(certain, (0, 0), SOFT)
    return soft


def _on_face(face: Mask, person: Float) -> Mask:
    """The face mesh but near its rim where nobody is seen: it draws a nose in profile too long."""
    on_face: Mask = face & ((person >= SEEN) | (_inner(face, STRAY) > 0))
    return on_face


def _inner(face: Mask, side: int = RIM) -> Float:
    """The face mesh without its rim, where landmarks err: eroded by a square."""
    import cv2

    inner: Float = cv2.erode(face.astype(np.float32), np.ones((side, side), np.uint8))
    return inner


def exposed(photo: Float) -> Mask:
    """Neither clipped nor black, ``(128, 128)``."""
    linear = srgb_to_linear(photo)
    dark, bright = EXPOSED
    exposed: Mask = (over_channels(np.maximum, linear) < bright) & (luminance(linear) > dark)
    return exposed
