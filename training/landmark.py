# SPDX-License-Identifier: Apache-2.0
"""Face Mesh on the renders: the networks are trained on the mesh that they will be given.

Each view is shown to Face Mesh under a few lightings, once; the landmarks are kept in
``landmarks.npz`` in the dataset's folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_synth.dataset import Dataset
from data_synth.environment import EnvironmentBank, Projector
from data_synth.field import Field
from relight import mesh
from relight.color import linear_to_srgb, luminance, to_uint8
from relight.detector import LANDMARKS, Detector
from relight.error import RelightError
from relight.face import Face, find
from relight.geometry import normalize
from relight.storage import whole_file
from relight.view import FEATURES

Float = NDArray[np.float32]

FILE = "landmarks.npz"
LIGHTINGS = 3
"""Pictures of each view that are searched, under different light."""
DRAWN_SIDE = 384
"""Side at which a view's mesh is drawn before crops are taken from it."""
SMALLEST_OVERLAP = 0.5
"""A face is taken for the subject's if it shares this much of its true box."""


class LandmarkError(RelightError):
    """Landmarks cannot be found or stored."""


@dataclass(frozen=True)
class LandmarkStore:
    """Landmarks of a dataset's views.

    Attributes:
        names: ``(V,)`` folders of the views below the dataset's, with forward slashes.
        landmarks: ``(V, 3, 478, 3)`` float32 in pixels of the view, zero where not found.
        head_poses: ``(V, 3, 3, 3)`` float32 rotations head to camera.
        found: ``(V, 3)`` bool.
    """

    names: NDArray[np.str_]
    landmarks: Float
    head_poses: Float
    found: NDArray[np.bool_]

    def choices(self, name: str) -> list[tuple[Float, Float]]:
        """Landmarks and head poses of a view, one per lighting in which the face was found."""
        row = int(np.flatnonzero(self.names == name)[0])
        return [
            (self.landmarks[row, i], self.head_poses[row, i])
            for i in np.flatnonzero(self.found[row])
        ]

    @property
    def usable(self) -> list[str]:
        """Names of the views in which a face was found at least once."""
        return [str(name) for name in self.names[self.found.any(1)]]


def load_landmarks(
    dataset: Dataset, progress: Callable[[int, int], None] = lambda done, total: None
) -> LandmarkStore:
    """The dataset's landmarks; found and stored now for views that lack them.

    Args:
        dataset: the views.
        progress: told how many of the missing views are done, of how many.

    Raises:
        LandmarkError: if the file is corrupt or cannot be written.
    """
    path = dataset.root / FILE
    names = [view.relative_to(dataset.root).as_posix() for view in dataset.views]
    known = _read(path) if path.exists() else None
    if known is not None and set(names) <= set(known.names.tolist()):
        return known
    old = set() if known is None else set(known.names.tolist())
    missing = [name for name in names if name not in old]
    landmarks = np.zeros((len(missing), LIGHTINGS, LANDMARKS, 3), np.float32)
    poses = np.zeros((len(missing), LIGHTINGS, 3, 3), np.float32)
    found = np.zeros((len(missing), LIGHTINGS), bool)
    bank = EnvironmentBank.make(40, np.random.default_rng(0))
    detector = Detector()
    for row, name in enumerate(missing):
        field = Field.load(dataset.root / name)
        rng = np.random.default_rng([1, row])
        for column, face in enumerate(_look(detector, field, bank, rng)):
            if face is not None:
                landmarks[row, column], poses[row, column] = face.landmarks, face.head_pose
                found[row, column] = True
        progress(row + 1, len(missing))
    detector.close()
    store = LandmarkStore(np.array(missing), landmarks, poses, found)
    if known is not None:
        store = LandmarkStore(
            *(
                np.concatenate([getattr(known, key), getattr(store, key)])
                for key in ("names", "landmarks", "head_poses", "found")
            )
        )
    try:
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **vars(store))
    except OSError as error:
        raise LandmarkError(
            f"{path}: cannot be written ({error.strerror or error}); free space or give a copy"
        ) from error
    return store


def draw_mesh(landmarks: Float, head_pose: Float, size: int) -> Float:
    """Normals and coverage of the face mesh in a view.

    Args:
        landmarks: ``(478, 3)`` in pixels of the view.
        head_pose: ``(3, 3)`` rotation head to camera.
        size: side of the view in pixels.

    Returns:
        ``(384, 384, 5)`` float32: unit normals in camera frame, 0 outside; the mask; eyes,
        eyebrows and lips.
    """
    drawn = landmarks * np.float32(DRAWN_SIDE / size)
    normals, mask = mesh.normals(drawn, head_pose, DRAWN_SIDE)
    features = mesh.region(drawn, FEATURES, DRAWN_SIDE)
    return np.concatenate([normals, mask[..., None], features[..., None]], -1).astype(np.float32)


def _read(path: Path) -> LandmarkStore:
    try:
        with np.load(path, allow_pickle=False) as data:
            return LandmarkStore(**{key: data[key] for key in data.files})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LandmarkError(f"{path}: corrupt; delete it, it is made again") from error


def _look(
    detector: Detector, field: Field, bank: EnvironmentBank, rng: np.random.Generator
) -> list[Face | None]:
    """The subject's face under an even light and under drawn ones."""
    projector = Projector(normalize(field.lights @ field.camera_rotation.T))
    even = np.repeat(field.solid_angles[:, None], 3, 1)
    weights = [even] + [
        projector.weights(bank.draw(rng)) + even * 0.2 for _ in range(LIGHTINGS - 1)
    ]
    return [_find_subject(detector, field, w) for w in weights]


def _find_subject(detector: Detector, field: Field, weights: Float) -> Face | None:
    picture = field.relight(weights)
    face = field.alpha > 0.9
    level = max(float(np.median(luminance(picture)[face])), 1e-6) if face.any() else 1.0
    linear = picture * (0.2 / level) + 0.25 * (1 - field.alpha)[..., None]
    best, most = None, SMALLEST_OVERLAP
    for candidate in find(detector, to_uint8(linear_to_srgb(linear))):
        share = _overlap(candidate, field.face_box)
        if share > most:
            best, most = candidate, share
    return best


def _overlap(face: Face, box: Float) -> float:
    """Intersection over union of a face's box and the true one (left, top, right, bottom)."""
    left, top, width, height = face.box
    wide = min(left + width, box[2]) - max(left, box[0])
    high = min(top + height, box[3]) - max(top, box[1])
    if wide <= 0 or high <= 0:
        return 0.0
    union = width * height + (box[2] - box[0]) * (box[3] - box[1]) - wide * high
    return float(wide * high / union)
