# SPDX-License-Identifier: Apache-2.0
"""How a head is turned, from its landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relight.face import mesh

Float = NDArray[np.float32]

FOCAL = 1.2
"""Focal length over the photo's longer side when nothing else is known (45 degrees of view)."""


def head_from_camera(landmarks: Float, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Fit the mean face, in centimetres, to a face's landmarks.

    Args:
        landmarks: ``(468+, 2+)`` pixels of the photo.
        shape: the photo's (H, W, ...); its middle is taken as the camera's axis.

    Returns:
        ``(4, 4)`` float64 transform from camera to head frame, under the assumed focal length.

    Reference: perspective-n-point by SQPnP (Terzakis & Lourakis 2020), then Levenberg-Marquardt.
    """
    import cv2

    focal = FOCAL * max(shape[:2])
    camera = np.array([[focal, 0, shape[1] / 2], [0, focal, shape[0] / 2], [0, 0, 1]])
    model = mesh.template().vertices_cm.astype(np.float64)
    image = np.ascontiguousarray(landmarks[: mesh.POINTS, :2], np.float64)
    _, rotation, translation = cv2.solvePnP(model, image, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    rotation, translation = cv2.solvePnPRefineLM(model, image, camera, None, rotation, translation)
    flip = np.diag([1.0, -1.0, -1.0])  # OpenCV's camera has y down and z forward
    camera_from_head = np.eye(4)
    camera_from_head[:3, :3] = flip @ cv2.Rodrigues(rotation)[0]
    camera_from_head[:3, 3] = flip @ translation[:, 0]
    inverse: NDArray[np.float64] = np.linalg.inv(camera_from_head)
    return inverse
