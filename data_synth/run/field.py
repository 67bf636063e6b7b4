# SPDX-License-Identifier: Apache-2.0
"""A reflectance field on disk: one folder per view, complete and checked, or not there at all.

The OLAT stack keeps only covered pixels, in 8 bits: ``value = scale * (code / 255)^2`` with one
scale per pixel and colour, the largest value under any light. The square root suits both dark
shadows and highlights: relit pictures differ by less than a thousandth of white.

Files of a view: ``olat.npy`` (3, P, L) uint8, ``scale.npy`` (3, P) float32, ``alpha.npy`` (S, S)
uint8, ``normals.npy`` (S, S, 3) float16 in camera frame, ``albedo.npy`` (S, S, 3) float16,
``depth.npy`` (S, S) float16 cm, ``hair.npy`` (S, S) uint8, and ``metadata.json``, written last,
with the SHA-256 of each.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import FieldError
from data_synth.run.light_sum import FULL, Arrays, LightSum, find_arrays
from data_synth.sample.illumination import HEIGHT as MAP_HEIGHT
from data_synth.sample.illumination import Projector
from data_synth.stage.render import View
from relight.color import luminance
from relight.environment import Environment
from relight.geometry import normalize

Float = NDArray[np.float32]

VERSION = 1
METADATA = "metadata.json"
ARRAYS = ("olat", "scale", "alpha", "normals", "albedo", "depth", "hair")
TEMPORARY = ".part-"
"""Start of the name of a folder that is being written."""


@dataclass(frozen=True)
class Field:
    """The reflectance field of one view: its pixels under each light of the rig.

    Radiance of covered pixels is premultiplied by coverage. Units as in
    :mod:`data_synth.stage.render`.

    Attributes:
        codes: ``(3, P, L)`` uint8.
        scale: ``(3, P)`` float32.
        pixels: ``(P,)`` flat indices of the covered pixels, ascending.
        alpha: ``(S, S)`` float32 coverage in [0, 1].
        normals: ``(S, S, 3)`` float32 unit, camera frame; zero outside.
        albedo: ``(S, S, 3)`` float32 linear, not premultiplied; zero outside.
        depth: ``(S, S)`` float32 cm along the camera's axis; zero outside.
        hair: ``(S, S)`` float32 share of fibres in what covers the pixel.
        metadata: JSON-ready: subject, camera, rig, renderer, version.
    """

    codes: NDArray[np.uint8]
    scale: Float
    pixels: NDArray[np.int64]
    alpha: Float
    normals: Float
    albedo: Float
    depth: Float
    hair: Float
    metadata: dict[str, Any]

    @classmethod
    def encode(cls, view: View, metadata: dict[str, Any]) -> Field:
        """Pack a rendered view."""
        scale = view.olat.max(2)
        root = np.sqrt(view.olat / np.maximum(scale, 1e-12)[..., None])
        codes = np.rint(root * 255, out=root).astype(np.uint8)
        return cls(
            codes,
            scale,
            view.pixels,
            view.alpha,
            view.normals,
            view.albedo,
            view.depth,
            view.hair,
            metadata
            | {
                "version": VERSION,
                "size": view.alpha.shape[0],
                "face_box_px": list(view.face_box),
                "face_irradiance": [round(float(x), 6) for x in view.face_irradiance],
            },
        )

    @property
    def size(self) -> int:
        """Side of the picture in pixels."""
        return self.alpha.shape[0]

    @property
    def lights(self) -> Float:
        """``(L, 3)`` unit vectors towards the lights, camera frame."""
        return np.asarray(self.metadata["lights_camera_frame"], np.float32)

    @property
    def solid_angles(self) -> Float:
        """``(L,)`` steradians of the lights' cells."""
        return np.asarray(self.metadata["solid_angles_sr"], np.float32)

    @property
    def face_box(self) -> Float:
        """Left, top, right, bottom of the face in pixels, as its landmarks span it."""
        return np.asarray(self.metadata["face_box_px"], np.float32)

    @property
    def face_irradiance(self) -> Float:
        """``(L,)`` mean irradiance of the visible face per unit irradiance of each light."""
        return np.asarray(self.metadata["face_irradiance"], np.float32)

    @property
    def camera_rotation(self) -> Float:
        """``(3, 3)``: columns are the camera's right, up and back in the head frame."""
        return np.asarray(self.metadata["camera"]["rotation_right_up_back"], np.float32)

    def decode(self, part: slice | NDArray[Any] = slice(None)) -> Float:
        """OLAT values ``(3, P, L)`` float32 of all or some of the covered pixels."""
        root = self.codes[:, part] / FULL
        values: Float = root * root
        values *= self.scale[:, part, None]
        return values

    def light_sum(self, arrays: Arrays | None = None) -> LightSum:
        """Adds up the lights of the covered pixels, many lightings at a time."""
        return LightSum(self.codes, self.scale, arrays or find_arrays())

    def weights(self, environment: Environment | str | os.PathLike[str]) -> Float:
        """Weights ``(L, 3)`` of the lights that stand for an environment map.

        Args:
            environment: in the head's frame: its middle column is what the subject looks at, its
                left half lies to the subject's left; or a lat-long .hdr or .exr file.

        Raises:
            EnvironmentFileError: if the file cannot be read.
        """
        if not isinstance(environment, Environment):
            environment = Environment.load(environment, MAP_HEIGHT)
        lights = normalize(self.lights @ self.camera_rotation.T)
        return Projector(lights).weights(environment.resample(MAP_HEIGHT).data)

    def exposure(self, weights: NDArray[Any]) -> float:
        """Factor on a relit picture that brings the face to a middle brightness.

        Dark skin stays darker than light skin, as photographers leave it: the irradiance counts
        more than what comes back.
        """
        irradiance = float(luminance(self.face_irradiance @ weights)) / np.pi
        return 0.75 / max(irradiance, 1e-6)

    def lit(
        self, environment: Environment | str | os.PathLike[str], *, exposed: bool = True
    ) -> Float:
        """The subject in an environment, before black.

        Args:
            environment: see :meth:`weights`.
            exposed: scale to :meth:`exposure`; else the picture is in the map's own units.

        Returns:
            ``(S, S, 3)`` float32 linear, premultiplied by coverage.
        """
        weights = self.weights(environment)
        if exposed:
            weights = weights * np.float32(self.exposure(weights))
        return self.relight(weights)

    def relight(self, weights: NDArray[Any]) -> Float:
        """The subject under any light.

        Args:
            weights: ``(..., L, 3)`` radiance of the environment integrated over each light's cell,
                per colour.

        Returns:
            ``(..., S, S, 3)`` float32 linear, premultiplied by coverage.
        """
        weights = np.asarray(weights, np.float32)
        count = self.size * self.size
        flat = weights.reshape(-1, *weights.shape[-2:])
        result = np.zeros((len(flat), count, 3), np.float32)
        result[:, self.pixels] = self.light_sum()(flat)
        return result.reshape(*weights.shape[:-2], self.size, self.size, 3)

    def save(self, folder: Path) -> Path:
        """Write the view as ``folder``, completely or not at all; an older one is replaced.

        Raises:
            FieldError: if it cannot be written.
        """
        temporary = folder.with_name(f"{TEMPORARY}{folder.name}-{secrets.token_hex(4)}")
        try:
            temporary.mkdir(parents=True)
            arrays: dict[str, NDArray[Any]] = {
                "olat": self.codes,
                "scale": self.scale,
                "alpha": np.rint(self.alpha * 255).astype(np.uint8),
                "normals": self.normals.astype(np.float16),
                "albedo": self.albedo.astype(np.float16),
                "depth": self.depth.astype(np.float16),
                "hair": np.rint(self.hair * 255).astype(np.uint8),
            }
            # A covered pixel stays covered in 8 bits.
            arrays["alpha"].flat[self.pixels] = np.maximum(arrays["alpha"].flat[self.pixels], 1)
            checksums = {}
            for name in ARRAYS:
                buffer = io.BytesIO()
                np.save(buffer, arrays[name], allow_pickle=False)
                data = buffer.getvalue()
                checksums[f"{name}.npy"] = hashlib.sha256(data).hexdigest()
                _write(temporary / f"{name}.npy", data)
            document = self.metadata | {"sha256": checksums}
            _write(temporary / METADATA, (json.dumps(document, indent=1) + "\n").encode())
            _put(temporary, folder, json.loads(json.dumps(document)))
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise FieldError(
                f"{folder}: cannot be written ({error.strerror or error});"
                " free space or choose another folder, then run again to continue"
            ) from error
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return folder

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Field:
        """Read a view and check every file.

        Raises:
            FieldError: if anything is missing or differs from what was written.
        """
        folder = Path(folder)
        metadata = read_metadata(folder)
        arrays = {}
        for name in ARRAYS:
            path = folder / f"{name}.npy"
            try:
                data = path.read_bytes()
            except OSError as error:
                raise _broken(folder, f"{path.name}: {error.strerror}") from error
            if hashlib.sha256(data).hexdigest() != metadata["sha256"].get(path.name):
                raise _broken(folder, f"{path.name} is corrupt")
            arrays[name] = np.load(io.BytesIO(data), allow_pickle=False)
        alpha = arrays["alpha"].astype(np.float32) / 255
        return cls(
            arrays["olat"],
            arrays["scale"],
            np.flatnonzero(alpha),
            alpha,
            arrays["normals"].astype(np.float32),
            arrays["albedo"].astype(np.float32),
            arrays["depth"].astype(np.float32),
            arrays["hair"].astype(np.float32) / 255,
            {k: v for k, v in metadata.items() if k != "sha256"},
        )


def read_metadata(folder: Path) -> dict[str, Any]:
    """The metadata of a view, without reading its pictures.

    Raises:
        FieldError: if the folder is no view of this version.
    """
    try:
        metadata = json.loads((folder / METADATA).read_text())
        version = metadata["version"]
        metadata["sha256"]["olat.npy"]
    except OSError as error:
        raise _broken(folder, f"{METADATA}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _broken(folder, f"{METADATA} is corrupt") from error
    if version != VERSION:
        raise _broken(folder, f"format version {version}, this program reads {VERSION}")
    result: dict[str, Any] = metadata
    return result


def find_views(root: Path) -> list[Path]:
    """Folders of complete views under ``root``, sorted; folders being written do not count.

    Raises:
        FieldError: if ``root`` is no folder.
    """
    if not root.is_dir():
        raise FieldError(f"{root}: no such folder; make views with: python -m data_synth render")
    found = (path.parent for path in root.rglob(METADATA))
    return sorted(
        p
        for p in found
        if not any(part.startswith(TEMPORARY) for part in p.relative_to(root).parts)
    )


def _broken(folder: Path, reason: str) -> FieldError:
    return FieldError(f"{folder}: not a whole view ({reason}); delete it and render again")


def _put(temporary: Path, folder: Path, document: dict[str, Any]) -> None:
    """Rename a finished view to its place, unless the same one was put there meanwhile."""
    if folder.exists() and not _holds(folder, document):
        shutil.rmtree(folder)
    try:
        os.replace(temporary, folder)
    except OSError:  # two processes of a cluster may have been given the same view
        if not _holds(folder, document):
            raise
        shutil.rmtree(temporary, ignore_errors=True)


def _holds(folder: Path, document: dict[str, Any]) -> bool:
    try:
        same = read_metadata(folder) == document
    except FieldError:
        return False
    return same and all((folder / name).is_file() for name in document["sha256"])


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
