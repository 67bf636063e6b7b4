# SPDX-License-Identifier: Apache-2.0
"""Our own perception against MediaPipe's: the same models, run by MediaPipe's Face Landmarker."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("mediapipe")

from export.model.mediapipe_package import schemas
from export.model.metadata import attach
from relight.face import landmark
from relight.face.detector import SHORT
from relight.face.perception import Perception
from relight.models.library import Models

SIDE = 255
"""Photos are shown at this size, where neither side has anything to average."""
CERTAIN = 0.99
"""Presence of faces that are compared: where the network hesitates, so does its answer."""
Reference = Callable[[np.ndarray], list[np.ndarray]]


def normalized(content: bytes, mean: float, std: float) -> bytes:
    """A model that tells MediaPipe how to scale its input; without that it refuses to run it."""
    _, schema = schemas()
    unit = schema.ProcessUnitT()
    unit.optionsType = schema.ProcessUnitOptions.NormalizationOptions
    unit.options = schema.NormalizationOptionsT()
    unit.options.mean, unit.options.std = [mean], [std]
    tensor, graph, model = (
        schema.TensorMetadataT(),
        schema.SubGraphMetadataT(),
        schema.ModelMetadataT(),
    )
    tensor.processUnits = [unit]
    graph.inputTensorMetadata, model.subgraphMetadata = [tensor], [graph]
    return attach(content, model)


@pytest.fixture(scope="module")
def mediapipes(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Landmarks ``(478, 3)`` of a photo's faces, by MediaPipe on the package's own models."""
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    task = tmp_path_factory.mktemp("task") / "face_landmarker.task"
    folder = Models().folder
    with zipfile.ZipFile(task, "w", zipfile.ZIP_STORED) as archive:
        short = (folder / "face_short.tflite").read_bytes()
        archive.writestr("face_detector.tflite", normalized(short, 127.5, 127.5))
        archive.writestr(
            "face_landmarks_detector.tflite", (folder / "face_mesh.tflite").read_bytes()
        )
    options = vision.FaceLandmarkerOptions(BaseOptions(model_asset_path=str(task)), num_faces=8)
    landmarker = vision.FaceLandmarker.create_from_options(options)

    def find(photo: np.ndarray) -> list[np.ndarray]:
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=photo)
        height, width = photo.shape[:2]
        scale = np.array([width, height, width])
        faces = landmarker.detect(image).face_landmarks
        return [np.array([(p.x, p.y, p.z) for p in face]) * scale for face in faces]

    return find


def apart(perception: Perception, photo: np.ndarray, mediapipes: Reference) -> list[float]:
    """Mean distance of each face's landmarks from MediaPipe's, in pixels of the network's input."""
    others, found = mediapipes(photo), []
    for detection in perception.boxes(photo, layout=SHORT):
        region = landmark.region_of(detection)
        fit = perception.landmarks(photo, region)
        if fit is not None and fit.presence > CERTAIN:
            step = region.side / landmark.SIDE
            nearest = [np.abs(other - fit.landmarks)[:, :2] for other in others]
            found.append(min(float(np.hypot(*xy.T).mean()) / step for xy in nearest))
    return found


def shrunk(photo: np.ndarray) -> np.ndarray:
    scale = SIDE / max(photo.shape[:2])
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("turn", [-30, 0, 20])
def test_landmarks_are_mediapipes(
    detector: Perception, astronaut: np.ndarray, mediapipes: Reference, turn: float
) -> None:
    matrix = cv2.getRotationMatrix2D((225, 130), turn, 1.0)
    tilted = cv2.warpAffine(astronaut, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    (found,) = apart(detector, shrunk(tilted[:400, 50:450]), mediapipes)
    assert found < 0.1


def test_landmarks_on_real_photos_are_mediapipes(
    detector: Perception, mediapipes: Reference, real_photos: Path
) -> None:
    found = []
    for path in sorted(real_photos.iterdir()):
        pixels = cv2.imread(str(path))
        if pixels is not None:
            found += apart(detector, shrunk(np.ascontiguousarray(pixels[..., ::-1])), mediapipes)
    assert len(found) > 10
    print(f"{len(found)} faces: mean {np.mean(found):.3f}, largest {max(found):.3f}")  # noqa: T201
    assert max(found) < 0.5
