# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's face detector, Face Mesh and selfie segmentation; nothing else here knows MediaPipe.

Reference: Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile
GPUs" (Face Mesh).
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import re
import sys
import threading
import types
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.models.stderr import muffled

Float = NDArray[np.float32]
Image = NDArray[np.uint8]

LANDMARKS = 478
"""468 points of the face's surface and 5 of each iris."""

_NOISE = re.compile(
    rb"^(INFO: Created TensorFlow Lite XNNPACK|WARNING: All log messages before absl"
    rb"|[IW]\d{4} .*\.cc:\d+\])"
)
_import_lock = threading.Lock()


class _Package(types.ModuleType):
    """A package whose ``__init__`` runs only when something is asked of it that it lacks."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__version__", "__all__"):
            raise AttributeError(name)
        self.__class__ = types.ModuleType  # type: ignore[assignment]
        spec = self.__spec__
        if spec is None or spec.loader is None:
            raise AttributeError(name)
        spec.loader.exec_module(self)
        return getattr(self, name)


def solution(name: str) -> Any:
    """Import one of MediaPipe's solutions without the rest of MediaPipe.

    ``mediapipe/__init__.py`` imports every task and drawing aid, and with them TensorFlow or JAX,
    matplotlib and sounddevice: 2 to 12 seconds. The modules used here need none of that, so their
    parent packages stand in unexecuted; anybody's later use of ``mediapipe`` completes them.
    """
    with _import_lock:
        for package in ("mediapipe", "mediapipe.python", "mediapipe.python.solutions"):
            if package in sys.modules:
                continue
            spec = importlib.util.find_spec(package)
            if spec is None:
                raise ImportError("MediaPipe is missing: pip install mediapipe==0.10.21")
            module = _Package(package)
            module.__spec__ = spec
            module.__path__ = spec.submodule_search_locations or []
            module.__file__, module.__package__ = spec.origin, package
            sys.modules[package] = module
            parent, _, child = package.rpartition(".")
            if parent:
                setattr(sys.modules[parent], child, module)
        # Face Mesh's module brings the message types that all graphs here need: without them the
        # face detector starts all the same, but leaves its boxes unmerged.
        importlib.import_module("mediapipe.python.solutions.face_mesh")
        return importlib.import_module(f"mediapipe.python.solutions.{name}")


class _Session:
    """One MediaPipe solution, made on first use and again after a failure.

    An exception leaves a solution's graph unusable for good, so it is thrown away then. Its log
    lines come while it starts and with its first result, so only those calls are muffled.
    """

    def __init__(self, module: str, name: str, **options: Any) -> None:
        self._module, self._name, self._options = module, name, options
        self._solution: Any = None
        self._quiet = False

    def process(self, image: Image, answered: str) -> Any:
        """Run on ``(H, W, 3)`` uint8 RGB; ``answered`` names the result's list."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            # MediaPipe aborts the whole process on an empty picture.
            raise ValueError(f"expected uint8 HxWx3, got {image.dtype} {image.shape}")
        try:
            if self._quiet:
                return self._solution.process(image)
            with muffled(_NOISE):
                if self._solution is None:
                    module = solution(self._module)
                    self._solution = getattr(module, self._name)(**self._options)
                result = self._solution.process(image)
                self._quiet = getattr(result, answered) is not None
                return result
        except (RuntimeError, ValueError):
            self.close()
            raise

    def close(self) -> None:
        """Free the graph; the next call starts a new one."""
        graph, self._solution, self._quiet = self._solution, None, False
        if graph is not None:
            with contextlib.suppress(RuntimeError, ValueError), muffled(_NOISE):
                graph.close()


class Detector:
    """Finds faces and people in sRGB bytes. Reusable; not for two threads at once."""

    def __init__(self, confidence: float = 0.5) -> None:
        """Prepare the three models; none is loaded before its first use.

        Args:
            confidence: detection score below which a face is ignored.
        """
        self._boxes = _Session(
            "face_detection",
            "FaceDetection",
            model_selection=1,
            min_detection_confidence=confidence,
        )
        self._mesh, self._mesh_in_box = (
            _Session(
                "face_mesh",
                "FaceMesh",
                static_image_mode=True,
                max_num_faces=most,
                refine_landmarks=True,
                min_detection_confidence=least,
            )
            for most, least in ((1, confidence), (3, 0.6 * confidence))
        )
        self._person = _Session("selfie_segmentation", "SelfieSegmentation", model_selection=0)

    def boxes(self, image: Image) -> Float:
        """Faces by the full-range detector: ``(N, 5)`` left, top, width, height (pixels), score."""
        height, width = image.shape[:2]
        found = self._boxes.process(image, "detections").detections or []
        rows = []
        for item in found:
            box = item.location_data.relative_bounding_box
            rows.append(
                (
                    box.xmin * width,
                    box.ymin * height,
                    box.width * width,
                    box.height * height,
                    item.score[0],
                )
            )
        return np.array(rows, np.float32).reshape(-1, 5)

    def landmarks(self, image: Image, *, in_box: bool = False) -> list[Float]:
        """Landmarks ``(478, 3)`` of the most certain face; with ``in_box`` of up to three.

        ``in_box`` says that :meth:`boxes` saw a face here: less certainty is asked for, and its
        neighbours are found too, so that the caller can choose. x right and y down in pixels of
        ``image``; z in the same scale, smaller is nearer.
        """
        height, width = image.shape[:2]
        scale = np.array([width, height, width], np.float32)
        session = self._mesh_in_box if in_box else self._mesh
        found = session.process(image, "multi_face_landmarks").multi_face_landmarks or []
        faces = [np.array([(p.x, p.y, p.z) for p in f.landmark], np.float32) for f in found]
        return [f * scale for f in faces if f.shape == (LANDMARKS, 3) and np.isfinite(f).all()]

    def person(self, image: Image) -> Float:
        """Probability in [0, 1] that a pixel is part of a person, ``(H, W)`` float32.

        The model sees 256 x 256 pixels, so a square image of that size loses nothing.
        """
        mask = self._person.process(image, "segmentation_mask").segmentation_mask
        return np.clip(np.asarray(mask, np.float32), 0, 1)

    def close(self) -> None:
        """Free the models; the next call loads them again."""
        for session in (self._boxes, self._mesh, self._mesh_in_box, self._person):
            session.close()
