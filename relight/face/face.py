# SPDX-License-Identifier: Apache-2.0
"""Faces in a photo: where they are, their landmarks, head pose and crop."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.face import mesh
from relight.face.detector import Detector
from relight.geometry import Crop, roll_of, rolled, shrink

Float = NDArray[np.float32]
Image = NDArray[np.uint8]

DETECTION_SIDE = 1280
"""Photos are searched at about this size at most (longer side, pixels): halved until it is near."""
MESH_SIDE = 384
"""Faces are cut out and scaled to this for Face Mesh, which itself sees 192 pixels."""
MESH_MARGIN = 2.2
"""Side of that cut-out over the detector's box."""
FACE_LEVEL = 0.6
"""Encoded median that a darker cut-out is raised to before Face Mesh sees it,"""
LEAST_POWER = 0.35
"""by no smaller a power than this."""
SMALLEST_FACE = 24
"""Faces narrower than this many pixels of the photo are not worth a light."""
FOCAL = 1.2
"""Focal length over the photo's longer side when nothing else is known (45 degrees of view)."""
TILE_BELOW = 0.2
"""If no face is wider than this share of the photo's longer side, it is searched in tiles too,"""
ALONE = 0.12
"""but not if the only face is wider than this: that is a portrait, not a group."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo.

    Attributes:
        box: left, top, width, height of the landmarks' bounding box, pixels of the photo.
        landmarks: ``(478, 3)`` float32; x right and y down in pixels of the photo, z in the same
            scale, smaller is nearer.
        head_from_cam: ``(4, 4)`` float64, camera frame (cm, origin at the camera) to head frame.
        crop: the square around head, hair and shoulders that the models see, turned upright.
    """

    box: tuple[float, float, float, float]
    landmarks: Float
    head_from_cam: NDArray[np.float64]
    crop: Crop

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
    def from_landmarks(cls, landmarks: Float, shape: tuple[int, ...]) -> Face:
        """A face of a photo of ``shape`` (H, W, ...) from its ``(478, 3)`` landmarks."""
        low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
        width, height = high - low
        face = cls(
            (float(low[0]), float(low[1]), float(width), float(height)),
            landmarks,
            head_from_camera(landmarks, shape),
            Crop.around(landmarks),
        )
        return replace(face, crop=Crop.around(landmarks, roll_of(face.head_pose)))

    def crop_landmarks(self, resolution: int) -> Float:
        """Landmarks ``(478, 3)`` in pixels of the crop resampled to ``resolution``."""
        xy = self.crop.to_crop(self.landmarks[:, :2], resolution)
        z = self.landmarks[:, 2:] * np.float32(resolution / self.crop.size)
        return np.concatenate([xy, z], 1)


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


def find(detector: Detector, rgb: Image) -> list[Face]:
    """All faces of a photo, largest first.

    Args:
        detector: MediaPipe's models.
        rgb: ``(H, W, 3)`` uint8 sRGB.

    Returns:
        Faces at least :data:`SMALLEST_FACE` pixels wide; empty when there is none.
    """
    height, width = rgb.shape[:2]
    if min(height, width) < SMALLEST_FACE:
        return []
    small, factor = rgb, 1
    for _ in range(round(math.log2(max(height, width) / DETECTION_SIDE))):
        small, factor = shrink(small, 2), 2 * factor  # OpenCV is six times as fast at 2 as at 3
    small = np.ascontiguousarray(small)
    back = np.array([factor] * 4 + [1], np.float32)
    faces: list[Face] = []
    for search in (_search_whole, _search_dark, _search_tiles):
        widest = max((face.box[2] for face in faces), default=0.0)
        enough = (ALONE if len(faces) == 1 else TILE_BELOW) * max(height, width)
        if faces and (search is not _search_tiles or widest > enough):
            continue
        boxes = search(detector, small) * back
        for box in boxes[np.argsort(-boxes[:, 4])]:
            if box[2] >= SMALLEST_FACE and not any(_overlap(box, f.box) > 0.5 for f in faces):
                _keep(faces, _fit_mesh(detector, rgb, box), rgb.shape)
        if not faces:
            # A face that fills the frame is seen by Face Mesh's own short-range detector alone.
            for points in detector.landmarks(_brighten(small) if search is _search_dark else small):
                _keep(faces, points * np.float32(factor), rgb.shape)
    return sorted(faces, key=lambda face: -face.size)


def _keep(faces: list[Face], landmarks: Float | None, shape: tuple[int, ...]) -> None:
    """Add a face, unless it is too small or there already."""
    if landmarks is None:
        return
    face = Face.from_landmarks(landmarks, shape)
    if face.box[2] >= SMALLEST_FACE and all(_overlap(face.box, f.box) < 0.3 for f in faces):
        faces.append(face)


def _search_whole(detector: Detector, image: Image) -> Float:
    """Boxes by the full-range detector: faces down to 7 % of the frame's width."""
    return detector.boxes(image)


def _search_dark(detector: Detector, image: Image) -> Float:
    """Boxes in a photo too dark for the detector as it is."""
    return detector.boxes(_brighten(image))


def _search_tiles(detector: Detector, image: Image) -> Float:
    """Boxes of small faces: 2 x 2 then 4 x 4 overlapping tiles, each a larger part of its view."""
    height, width = image.shape[:2]
    for count in (2, 4):
        side_y, side_x = (math.ceil(side / count * 1.25) for side in (height, width))
        found = []
        for top in np.linspace(0, height - side_y, count).astype(int):
            for left in np.linspace(0, width - side_x, count).astype(int):
                tile = image[top : top + side_y, left : left + side_x]
                boxes = detector.boxes(np.ascontiguousarray(tile))
                found.append(boxes + np.array([left, top, 0, 0, 0], np.float32))
        boxes = np.concatenate(found)
        if len(boxes):
            return boxes
    return boxes


def _fit_mesh(detector: Detector, rgb: Image, box: Float) -> Float | None:
    """Landmarks of the face in a detector's box, in pixels of the photo, or ``None``."""
    left, top, width, height = (float(x) for x in box[:4])
    side = max(8, round(max(width, height) * MESH_MARGIN))
    x, y = (
        round(start + (length - side) / 2) + side / 2
        for start, length in ((left, width), (top, height))
    )
    cut = Crop(x, y, side)
    try:
        view = _lifted(cut.extract(rgb, MESH_SIDE))
    except ValueError:  # a box wholly outside the photo
        return None
    candidates = detector.landmarks(view, in_box=True) or detector.landmarks(
        _brighten(view), in_box=True
    )
    best, most = None, 0.2
    for points in candidates:
        landmarks = points * np.float32(side / MESH_SIDE)
        landmarks += np.array([cut.x - side / 2, cut.y - side / 2, 0], np.float32)
        found = (*landmarks[:, :2].min(0), *np.ptp(landmarks[:, :2], axis=0))
        share = _overlap(found, (left, top, width, height))
        if share > most:
            best, most = landmarks, share
    return best


def _lifted(image: Image) -> Image:
    """Raise the tones of a dark face, or of a half dark one, for Face Mesh's eyes only.

    Where half a face lies in shadow, it misjudges the head: on ten people of Extended Yale B in
    hard side light the mesh's normals err by 24 degrees, with the tones raised by 19.
    """
    rim = len(image) // 5
    brightest = image[rim:-rim, rim:-rim].max(-1).ravel()
    middle = np.partition(brightest, brightest.size // 2)[brightest.size // 2]
    level = min(max(int(middle), 1), 254) / 255
    power = float(np.clip(math.log(FACE_LEVEL) / math.log(level), LEAST_POWER, 1))
    if power == 1:
        return image
    table = np.floor((np.arange(256) / 255) ** power * 255 + 0.5)
    return table.astype(np.uint8)[image]


def _brighten(image: Image) -> Image:
    """Stretch a dark picture's tones, for the detector's eyes only."""
    top = float(np.percentile(image[::4, ::4], 99))
    if top >= 250:
        top = 250.0
    table = (np.arange(256) / max(top, 1.0)).clip(0, 1) ** 0.6 * 255
    return table.astype(np.uint8)[image]


def _overlap(a: Any, b: Any) -> float:
    """Intersection over the smaller of two boxes (left, top, width, height, ...)."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return float(wide * high / max(min(a[2] * a[3], b[2] * b[3]), 1e-6))
