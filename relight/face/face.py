# SPDX-License-Identifier: Apache-2.0
"""One face of a photo: its landmarks, head pose and crop."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from relight.face import mesh
from relight.face.pose import head_from_camera
from relight.geometry import Crop, roll_of, rolled

Float = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo.

    Attributes:
        box: left, top, width, height of the landmarks' bounding box, pixels of the photo.
        landmarks: ``(478, 3)`` float32; x right and y down in pixels of the photo, z in the same
            scale, smaller is nearer.
        head_from_cam: ``(4, 4)`` float64, camera frame (cm, origin at the camera) to head frame.
        crop: the square around head, hair and shoulders that the models see, turned upright.
        presence: how sure Face Mesh is that a face is there, in [0, 1].
    """

    box: tuple[float, float, float, float]
    landmarks: Float
    head_from_cam: NDArray[np.float64]
    crop: Crop
    presence: float = 1.0

    @property
    def head_pose(self) -> Float:
        """Rotation ``(3, 3)`` from head to camera frame, as if the camera looked straight at it.

        Its columns are the head's axes as they look. Away from the photo's middle that differs
        from the rotation in ``head_from_cam``, whose line of sight rests on the assumed focal
        length and on the photo not having been cropped; what the face looks like does not.
        """
        camera_from_head = np.linalg.inv(self.head_from_cam)
        face = camera_from_head[:3, :3] @ mesh.template().vertices_cm.mean(0)
        back = -(face + camera_from_head[:3, 3])
        x, y, z = back / np.linalg.norm(back)
        # The smallest turn of +z, towards the viewer, onto the line of sight.
        sight = np.array(
            [
                [1 - x * x / (1 + z), -x * y / (1 + z), x],
                [-x * y / (1 + z), 1 - y * y / (1 + z), y],
                [-x, -y, z],
            ]
        )
        return (sight.T @ camera_from_head[:3, :3]).astype(np.float32)

    @property
    def crop_pose(self) -> Float:
        """:attr:`head_pose` in the crop's frame, where the head is upright."""
        return rolled(self.head_pose.T, -self.crop.roll).T

    @property
    def size(self) -> float:
        """Geometric mean of the box's sides, pixels."""
        return math.sqrt(self.box[2] * self.box[3])

    @classmethod
    def from_landmarks(
        cls, landmarks: Float, shape: tuple[int, ...], presence: float = 1.0
    ) -> Face:
        """A face of a photo of ``shape`` (H, W, ...) from its ``(478, 3)`` landmarks."""
        low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
        width, height = high - low
        face = cls(
            (float(low[0]), float(low[1]), float(width), float(height)),
            landmarks,
            head_from_camera(landmarks, shape),
            Crop.around(landmarks),
            presence,
        )
        return replace(face, crop=Crop.around(landmarks, roll_of(face.head_pose)))

    def crop_landmarks(self, resolution: int) -> Float:
        """Landmarks ``(478, 3)`` in pixels of the crop resampled to ``resolution``."""
        xy = self.crop.to_crop(self.landmarks[:, :2], resolution)
        z = self.landmarks[:, 2:] * np.float32(resolution / self.crop.size)
        return np.concatenate([xy, z], 1)
