# SPDX-License-Identifier: Apache-2.0
"""ICT-FaceKit's morphable model, read from its own checkout and kept packed in the user's cache.

Reference:
    Li et al. 2020, "Learning Formation of Physically-Based Face Attributes", CVPR.
    https://github.com/USC-ICT/ICT-FaceKit (MIT).
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError

Float = NDArray[np.float32]

IDENTITIES = 100
CURE = "get it by `git clone https://github.com/USC-ICT/ICT-FaceKit` and pass --assets ict=DIR"
PACKED = "ict.npz"
"""A packed copy's name."""
FEWEST_VERTICES = 26719
"""A mesh with fewer lacks parts that heads are made of; see :data:`data_synth.head.ict.LASHES`."""


@dataclass(frozen=True, eq=False)
class IctModel:
    """The model as arrays.

    Attributes:
        mean: ``(V, 3)`` float32 cm.
        faces: ``(F, 3)`` int32 triangles.
        uv: ``(F, 3, 2)`` float32 in the model's own tiles.
        identity: ``(100, V, 3)`` float16 offsets.
        expression: ``(E, V, 3)`` float16 offsets.
        names: of the expressions.
        landmarks: ``(68,)`` int vertices.
    """

    mean: Float
    faces: NDArray[np.int32]
    uv: Float
    identity: NDArray[np.float16]
    expression: NDArray[np.float16]
    names: tuple[str, ...]
    landmarks: NDArray[np.int32]


@functools.lru_cache(maxsize=1)
def load_model(root: Path) -> IctModel:
    """Read a checkout of ICT-FaceKit; its packed copy is kept in the user's cache folder.

    Args:
        root: the checkout, its ``FaceXModel`` folder, or a folder with :data:`PACKED`, a packed
            copy, small enough to be sent to other machines.

    Raises:
        AssetError: the folder or one of its files is missing or unreadable.
    """
    sent = _read_packed(root / PACKED)
    if sent is not None:
        return _from_arrays(sent)
    folder = root / "FaceXModel" if (root / "FaceXModel").is_dir() else root
    neutral = folder / "generic_neutral_mesh.obj"
    if not neutral.is_file():
        raise AssetError(f"{root}: no ICT-FaceKit here ({neutral.name} is missing); {CURE}")
    identities = [folder / f"identity{i:03d}.obj" for i in range(IDENTITIES)]
    indices = folder / "vertex_indices.json"
    lost = next((f for f in [*identities, indices] if not f.is_file()), None)
    if lost is not None:
        raise AssetError(f"{lost}: missing from ICT-FaceKit; {CURE}")
    others = sorted(
        f
        for f in folder.glob("*.obj")
        if not f.name.startswith(("identity", "generic")) and f.is_file()
    )
    files = [neutral, *identities, *others, indices]
    packed = _cache_folder() / f"ict-{_key(files)}.npz"
    arrays = _read_packed(packed)
    if arrays is None:
        arrays = _parse(neutral, identities, others, indices)
        _write_packed(packed, arrays)
    return _from_arrays(arrays)


def _from_arrays(arrays: dict[str, Any]) -> IctModel:
    return IctModel(
        mean=arrays["mean"],
        faces=arrays["faces"],
        uv=arrays["uv"],
        identity=arrays["identity"],
        expression=arrays["expression"],
        names=tuple(str(n) for n in arrays["names"]),
        landmarks=arrays["landmarks"],
    )


_ARRAYS = ("mean", "faces", "uv", "identity", "expression", "names", "landmarks")


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portrait-relight"


def _key(files: list[Path]) -> str:
    stats = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(repr(stats).encode()).hexdigest()[:16]


def _read_packed(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            return {k: data[k] for k in _ARRAYS}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None  # absent or damaged: parsed anew


def _write_packed(path: Path, arrays: dict[str, Any]) -> None:
    """Keep a packed copy; a cache that cannot be written only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        Path(name).replace(path)
    except OSError:
        return


def _parse(
    neutral: Path, identities: list[Path], expressions: list[Path], indices: Path
) -> dict[str, Any]:
    mean = _positions(neutral)
    faces, uv = _triangles(neutral, len(mean))

    def offsets(files: list[Path]) -> NDArray[np.float16]:
        stack = np.zeros((len(files), *mean.shape), np.float16)
        for i, file in enumerate(files):
            shape = _positions(file)
            if len(shape) < len(mean):
                raise AssetError(f"{file}: has {len(shape)} vertices, not {len(mean)}; {CURE}")
            stack[i] = shape[: len(mean)] - mean
        return stack

    try:
        landmarks = json.loads(indices.read_text())["idx_to_landmark_verts"]
        marks = np.asarray(landmarks, np.int32).reshape(68)
    except (ValueError, KeyError, TypeError) as error:
        raise AssetError(f"{indices}: unreadable landmarks ({error}); {CURE}") from error
    return {
        "mean": mean.astype(np.float32),
        "faces": faces,
        "uv": uv,
        "identity": offsets(identities),
        "expression": offsets(expressions),
        "names": np.array([f.stem for f in expressions]),
        "landmarks": marks,
    }


def _positions(file: Path) -> NDArray[np.float64]:
    """Vertices ``(V, 3)`` of an OBJ file."""
    try:
        lines = file.read_text(encoding="ascii").split("\n")
        numbers = [part for line in lines if line.startswith("v ") for part in line.split()[1:4]]
        positions = np.array(numbers, np.float64).reshape(-1, 3)
        if not len(positions) or not np.isfinite(positions).all():
            raise ValueError("no finite vertices")
    except (OSError, ValueError) as error:
        raise AssetError(f"{file}: not a readable OBJ file ({error}); {CURE}") from error
    return positions


def _triangles(file: Path, count: int) -> tuple[NDArray[np.int32], Float]:
    """Triangles and their texture coordinates; polygons become fans."""
    coords, faces, corners = [], [], []
    try:
        for line in file.read_text(encoding="ascii").split("\n"):
            if line.startswith("vt "):
                coords.append([float(x) for x in line.split()[1:3]])
            elif line.startswith("f "):
                parts = [p.split("/") for p in line.split()[1:]]
                v, t = [int(p[0]) - 1 for p in parts], [int(p[1]) - 1 for p in parts]
                for k in range(1, len(v) - 1):
                    faces.append((v[0], v[k], v[k + 1]))
                    corners.append((t[0], t[k], t[k + 1]))
        triangles = np.array(faces, np.int32)
        uv = np.array(coords, np.float32)[np.array(corners)]
        if triangles.min() < 0 or triangles.max() >= count or count < FEWEST_VERTICES:
            raise ValueError(f"{count} vertices do not fit its faces")
    except (OSError, ValueError, IndexError) as error:
        raise AssetError(f"{file}: not a readable OBJ file ({error}); {CURE}") from error
    return triangles, uv
