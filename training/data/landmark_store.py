# SPDX-License-Identifier: Apache-2.0
"""Face Mesh on the renders, so that networks are trained on meshes like those they will be given.

Face Mesh sees each view under a few lightings, once whole and once cropped tightly around the face:
without the face's outline its estimate of pitch, yaw and depth differs. The landmarks are stored in
the dataset's folder, in a file named after the model that found them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_synth.run.dataset import Dataset
from data_synth.run.field import Field
from data_synth.sample.illumination import EnvironmentBank, Projector
from relight.color import linear_to_srgb, luminance, to_uint8
from relight.error import RelightError
from relight.face import mesh
from relight.face.face import Face
from relight.face.landmark import LANDMARKS
from relight.face.perception import Perception
from relight.face.search import find
from relight.geometry import normalize
from relight.models.library import Models, read_manifest
from relight.stage.view import FEATURES
from relight.storage import whole_file

Float = NDArray[np.float32]

MODEL = "face_mesh"
"""The model whose landmarks are stored."""
LIGHTINGS = 3
"""Pictures of each view that are searched, under different light, and as many tight ones."""
MARGIN = (-0.12, 0.25)
"""Between a tight picture's border and the face mesh, each side, over the mesh's height."""
TIGHT_SIDE = 384
"""Longer side to which tight pictures are enlarged."""
TIGHT_PAD = (0.05, 0.4)
"""Width of the border around tight pictures, their edges repeated, over their longer side."""
DRAWN_SIDE = 384
"""Side at which a view's mesh is drawn before crops are taken from it."""
SMALLEST_CUT = 8
"""Pictures narrower than this many pixels of the view are not worth searching."""
SMALLEST_OVERLAP = 0.5
"""Least intersection over union with the true box for a face to be taken as the subject's."""


class LandmarkError(RelightError):
    """Landmarks cannot be read or stored."""


@dataclass(frozen=True)
class Sighting:
    """A face as Face Mesh finds it in a picture of a view.

    Attributes:
        landmarks: ``(478, 3)`` float32 in pixels of the view.
        head_pose: ``(3, 3)`` float32 rotation head to camera.
        cut: ``(4,)`` float32, see :class:`LandmarkStore`.
    """

    landmarks: Float
    head_pose: Float
    cut: Float


@dataclass(frozen=True)
class LandmarkStore:
    """Landmarks of a dataset's views.

    Attributes:
        names: ``(V,)`` folders of the views below the dataset's, with forward slashes.
        landmarks: ``(V, K, 478, 3)`` float32 in pixels of the view, zero where not found.
        head_poses: ``(V, K, 3, 3)`` float32 rotations head to camera.
        found: ``(V, K)`` bool.
        cuts: ``(V, K, 4)`` float32 left, top, right and bottom of the part of the view that was
            searched, in its pixels; zero for all of it.
    """

    names: NDArray[np.str_]
    landmarks: Float
    head_poses: Float
    found: NDArray[np.bool_]
    cuts: Float

    def whole(self, name: str) -> list[Sighting]:
        """A view's landmarks, one per lighting in which the face was found in all of it."""
        return [seen for seen in self._sightings(name) if not seen.cut.any()]

    def tight(self, name: str) -> list[Sighting]:
        """A view's landmarks, one per picture cut around the face in which it was found."""
        return [seen for seen in self._sightings(name) if seen.cut.any()]

    @property
    def usable(self) -> list[str]:
        """Names of the views in all of which a face was found at least once."""
        found = (self.found & ~self.cuts.any(-1)).any(1)
        return [str(name) for name in self.names[found]]

    def _sightings(self, name: str) -> list[Sighting]:
        row = int(np.flatnonzero(self.names == name)[0])
        return [
            Sighting(self.landmarks[row, i], self.head_poses[row, i], self.cuts[row, i])
            for i in np.flatnonzero(self.found[row])
        ]


def load_landmarks(
    dataset: Dataset, progress: Callable[[int, int], None] = lambda done, total: None
) -> LandmarkStore:
    """The dataset's landmarks; found and stored now for views that have none.

    Args:
        dataset: the views.
        progress: called with how many of the missing views are done, and their number.

    Raises:
        LandmarkError: if the file is corrupt or cannot be written.
    """
    path = store_path(dataset.root)
    names = [view.relative_to(dataset.root).as_posix() for view in dataset.views]
    known = _read(path) if path.exists() else None
    if known is not None and set(names) <= set(known.names.tolist()):
        return known
    old = set() if known is None else set(known.names.tolist())
    missing = [name for name in names if name not in old]
    shape = (len(missing), 2 * LIGHTINGS)
    store = LandmarkStore(
        np.array(missing),
        np.zeros((*shape, LANDMARKS, 3), np.float32),
        np.zeros((*shape, 3, 3), np.float32),
        np.zeros(shape, bool),
        np.zeros((*shape, 4), np.float32),
    )
    bank = EnvironmentBank.make(40, np.random.default_rng(0))
    detector = Perception()
    for row, name in enumerate(missing):
        field = Field.load(dataset.root / name)
        rng = np.random.default_rng([1, row])
        for column, seen in enumerate(_look(detector, field, bank, rng)):
            store.landmarks[row, column] = seen.landmarks
            store.head_poses[row, column], store.cuts[row, column] = seen.head_pose, seen.cut
            store.found[row, column] = True
        progress(row + 1, len(missing))
    detector.close()
    if known is not None:
        store = LandmarkStore(
            *(np.concatenate([getattr(known, key), getattr(store, key)]) for key in vars(store))
        )
    try:
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **vars(store))
    except OSError as error:
        raise LandmarkError(
            f"{path}: cannot be written ({error.strerror or error}); free space or copy the dataset"
        ) from error
    return store


def store_path(root: Path) -> Path:
    """Where a dataset's landmarks are stored; another version of the model has another file."""
    entry = read_manifest(Models().folder)[1][MODEL]
    return root / f"landmarks-{MODEL}-{entry.sha256[:8]}.npz"


def draw_mesh(landmarks: Float, head_pose: Float, size: int) -> Float:
    """Normals, coverage and depth of the face mesh in a view.

    Args:
        landmarks: ``(478, 3)`` in pixels of the view.
        head_pose: ``(3, 3)`` rotation head to camera.
        size: side of the view in pixels.

    Returns:
        ``(384, 384, 6)`` float32: unit normals in camera frame, 0 outside; the mask; eyes,
        eyebrows and lips; depth in pixels of the view, 0 outside.
    """
    drawn = landmarks * np.float32(DRAWN_SIDE / size)
    surface = mesh.surface(drawn, head_pose, DRAWN_SIDE)
    features = mesh.region(drawn, FEATURES, DRAWN_SIDE)
    depth = surface.depth * np.float32(size / DRAWN_SIDE)
    planes = [plane[..., None] for plane in (surface.mask, features, depth)]
    return np.concatenate([surface.normals, *planes], -1).astype(np.float32)


def _read(path: Path) -> LandmarkStore:
    try:
        with np.load(path, allow_pickle=False) as data:
            return LandmarkStore(**{key: data[key] for key in data.files})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LandmarkError(f"{path}: corrupt; delete it, and it is made again") from error


def _look(
    detector: Perception, field: Field, bank: EnvironmentBank, rng: np.random.Generator
) -> Iterator[Sighting]:
    """The subject's face under an even light and under drawn ones, whole and cut tight."""
    projector = Projector(normalize(field.lights @ field.camera_rotation.T))
    even = np.repeat(field.solid_angles[:, None], 3, 1)
    for number in range(LIGHTINGS):
        weights = even if number == 0 else projector.weights(bank.draw(rng)) + even * 0.2
        picture = _picture(field, weights)
        face = _find_subject(detector, field.face_box, picture)
        if face is None:
            continue
        yield Sighting(face.landmarks, face.head_pose, np.zeros(4, np.float32))
        seen = _look_closely(detector, field.face_box, picture, face.landmarks, rng)
        if seen is not None:
            yield seen


def _picture(field: Field, weights: Float) -> NDArray[np.uint8]:
    """A view under some light before a grey wall, ``(S, S, 3)`` sRGB."""
    picture = field.relight(weights)
    face = field.alpha > 0.9
    level = max(float(np.median(luminance(picture)[face])), 1e-6) if face.any() else 1.0
    linear = picture * (0.2 / level) + 0.25 * (1 - field.alpha)[..., None]
    return to_uint8(linear_to_srgb(linear))


def _look_closely(
    detector: Perception,
    box: Float,
    picture: NDArray[np.uint8],
    landmarks: Float,
    rng: np.random.Generator,
) -> Sighting | None:
    """The face in a tight picture, enlarged and with its edges repeated around it."""
    import cv2

    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    margins = rng.uniform(*MARGIN, 4) * (high - low)[1]
    left, top = np.maximum(np.round(low - margins[:2]), 0).astype(int)
    right, bottom = np.minimum(np.round(high + margins[2:]), len(picture)).astype(int)
    part = picture[top:bottom, left:right]
    if min(part.shape[:2]) < SMALLEST_CUT:
        return None
    scale = TIGHT_SIDE / max(part.shape[:2])
    large = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    pad = round(rng.uniform(*TIGHT_PAD) * TIGHT_SIDE)
    large = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    shift = np.array([left, top]) - pad / scale
    corners = ((box.reshape(2, 2) - shift) * scale).ravel()
    face = _find_subject(detector, corners, large)
    if face is None:
        return None
    found = face.landmarks / np.float32(scale)
    found[:, :2] += shift.astype(np.float32)
    return Sighting(found, face.head_pose, np.array([left, top, right, bottom], np.float32))


def _find_subject(detector: Perception, box: Float, picture: NDArray[np.uint8]) -> Face | None:
    """The face in a true box (left, top, right, bottom) of a picture."""
    best, most = None, SMALLEST_OVERLAP
    for candidate in find(detector, picture):
        share = _overlap(candidate, box)
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
