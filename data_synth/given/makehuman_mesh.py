# SPDX-License-Identifier: Apache-2.0
"""MakeHuman's body (the mesh hm08) from the chest up, and the shapes that morph it.

Reference:
    https://github.com/makehumancommunity/makehuman (its data folder is CC0): ``3dobjs/base.obj``,
    ``targets/**.target`` (number of a vertex and its offset, a line each, in decimetres), and
    ``modifiers/modeling_modifiers.json`` (which two targets are the ends of one slider).
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError
from data_synth.given.mesh_file import GivenMesh, read_mesh
from data_synth.head.head import Part

Float = NDArray[np.float32]

CM_PER_UNIT = 10.0
LOWEST, WIDEST = 5.2, 1.2
"""In the file's units: skin below and beside is left out, as clothes cover it. The rim lies where
that of ICT-FaceKit's heads does."""
VERTICES = 19158
DATA_FOLDERS = ("makehuman/makehuman/data", "makehuman/data", "data", ".")
"""Where the data may lie below the folder that is given: in a checkout, in an installation, or
there."""
RACES = ("african", "asian", "caucasian")
"""MakeHuman's names of its three sets of shapes."""
GENDERS, AGES, WEIGHTS = ("female", "male"), ("young", "old"), ("min", "average", "max")
GROUPS = ("head", "forehead", "eyebrows", "neck", "eyes", "nose", "mouth", "ears", "chin", "cheek")
"""Of the sliders that concern the head."""
NOT_DRAWN = ("head-age", "head-trans", "neck-trans", "ear-shape")
"""Sliders left at rest: they age twice, move the whole head, or make elves' ears."""
CURE = (
    "put the folders of `git clone https://github.com/makehumancommunity/makehuman` and"
    " `git clone https://github.com/makehumancommunity/makehuman-assets` (with Git LFS) side by"
    " side and pass the folder that holds both by --assets makehuman=DIR"
)

Shape = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Rows of :attr:`MakeHumanMesh.rest` and their offsets in cm."""


@dataclass(frozen=True)
class Chart:
    """A piece of the skin's atlas and where it lies in our texture of head and chest.

    Attributes:
        part: of the head that it is; the head's chart is parted by depth.
        source: left, lower, right and upper edge in MakeHuman's texture.
        place: likewise in ours.
    """

    part: Part
    source: tuple[float, float, float, float]
    place: tuple[float, float, float, float]

    def moved(self, uv: Float) -> Float:
        """Coordinates in our texture of those in MakeHuman's."""
        low, high = np.array(self.source, np.float32).reshape(2, 2)
        to_low, to_high = np.array(self.place, np.float32).reshape(2, 2)
        return np.asarray((uv - low) / (high - low) * (to_high - to_low) + to_low, np.float32)

    def origin(self, uv: NDArray[Any]) -> NDArray[np.float64]:
        """Coordinates in MakeHuman's texture of those in ours."""
        low, high = np.array(self.place).reshape(2, 2)
        from_low, from_high = np.array(self.source).reshape(2, 2)
        found: NDArray[np.float64] = from_low + (uv - low) / (high - low) * (from_high - from_low)
        return found


CHARTS = (
    Chart(Part.FACE, (0.63, 0.14, 1.0, 0.83), (0.0, 0.0, 0.53, 1.0)),
    Chart(Part.NECK, (0.17, 0.72, 0.60, 0.98), (0.55, 0.6, 1.0, 1.0)),
    Chart(Part.MOUTH, (0.75, 0.0, 0.93, 0.15), (0.55, 0.3, 0.85, 0.58)),
    Chart(Part.SOCKET, (0.0, 0.54, 0.16, 0.64), (0.55, 0.0, 1.0, 0.28)),
)
"""Only the first two are seen; the head gets the most pixels."""


@dataclass(frozen=True, eq=False)
class MakeHumanMesh:
    """The mesh at rest.

    Attributes:
        folder: the data folder that it was read from.
        rest: ``(V, 3)`` float64 cm, in MakeHuman's frame: +x the subject's left, +y up, +z out of
            the nose.
        row: ``(VERTICES,)`` row of each of the file's vertices, -1 where it is left out.
        faces: ``(F, 3)`` int32 rows of skin, teeth and tongue.
        uv: ``(F, 3, 2)`` float32, in our texture on skin.
        part: ``(F,)`` uint8.
        eyes: rows of the left and of the right eyeball's vertices; our eyeballs take their place.
    """

    folder: Path
    rest: NDArray[np.float64]
    row: NDArray[np.int64]
    faces: NDArray[np.int32]
    uv: Float
    part: NDArray[np.uint8]
    eyes: tuple[NDArray[np.int64], NDArray[np.int64]]

    @functools.cached_property
    def sliders(self) -> tuple[tuple[str, str], ...]:
        """Targets at the low and the high end of each slider of the head; an end may be empty."""
        path = self.folder / "modifiers" / "modeling_modifiers.json"
        try:
            groups = json.loads(path.read_text("utf-8"))
            found = [
                (f"{group['group']}/{entry['target']}", entry.get("min"), entry.get("max"))
                for group in groups
                if group["group"] in GROUPS
                for entry in group["modifiers"]
                if not any(name in entry["target"] for name in NOT_DRAWN)
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AssetError(f"{path}: not MakeHuman's list of sliders; {CURE}") from error
        return tuple(
            ("", name) if high is None else (f"{name}-{low}", f"{name}-{high}")
            for name, low, high in found
        )

    @functools.cached_property
    def _shapes(self) -> dict[str, Shape]:
        return {}

    def shape(self, name: str) -> Shape:
        """A target by its path below ``targets``, without its ending.

        Raises:
            AssetError: if it is missing or broken.
        """
        if name not in self._shapes:
            self._shapes[name] = self._read_shape(self.folder / "targets" / f"{name}.target")
        return self._shapes[name]

    def morphed(self, weights: dict[str, float]) -> NDArray[np.float64]:
        """Vertices ``(V, 3)`` in cm with targets added, by name."""
        points = self.rest.copy()
        for name, weight in weights.items():
            rows, offsets = self.shape(name)
            points[rows] += weight * offsets
        return points

    def _read_shape(self, path: Path) -> Shape:
        try:
            lines = path.read_text("utf-8").splitlines()
            text = " ".join(line for line in lines if not line.startswith("#"))
            values = np.array(text.split(), np.float64).reshape(-1, 4)
            rows = self.row[values[:, 0].astype(np.int64)]
        except (OSError, ValueError, IndexError) as error:
            raise AssetError(f"{path}: not a readable target ({error}); {CURE}") from error
        kept = rows >= 0
        return rows[kept], values[kept, 1:] * CM_PER_UNIT


def data_folder(root: Path) -> Path:
    """The folder with ``3dobjs`` and ``targets``.

    Raises:
        AssetError: if there is none.
    """
    for below in DATA_FOLDERS:
        if (root / below / "3dobjs" / "base.obj").is_file():
            return root / below
    raise AssetError(f"{root}: no MakeHuman here (3dobjs/base.obj is missing); {CURE}")


@functools.lru_cache(maxsize=1)
def load_mesh(root: Path) -> MakeHumanMesh:
    """Read the mesh.

    Raises:
        AssetError: if a file is missing or broken.
    """
    folder = data_folder(root)
    path = folder / "3dobjs" / "base.obj"
    try:
        given = read_mesh(path)
        if len(given.vertices) != VERTICES:
            raise ValueError(f"{len(given.vertices)} vertices, not the {VERTICES} of hm08")
        return _from_chest_up(folder, given)
    except (OSError, ValueError) as error:
        raise AssetError(f"{path}: not a readable body ({error}); {CURE}") from error


def _from_chest_up(folder: Path, given: GivenMesh) -> MakeHumanMesh:
    group = np.array(given.names)[given.material]
    corners = given.vertices[given.faces]
    near = (corners[..., 1] > LOWEST).all(1) & (np.abs(corners[..., 0]) < WIDEST).all(1)
    body = np.flatnonzero((group == "body") & near)
    chart = _charts(given.uv[body])
    body, chart = body[chart >= 0], chart[chart >= 0]
    uv = given.uv.copy()
    part = np.zeros(len(uv), np.uint8)
    for number, about in enumerate(CHARTS):
        chosen = body[chart == number]
        uv[chosen] = about.moved(uv[chosen])
        part[chosen] = about.part
    teeth = np.flatnonzero(np.isin(group, ("helper-upper-teeth", "helper-lower-teeth")))
    tongue = np.flatnonzero(group == "helper-tongue")
    part[teeth], part[tongue] = Part.TEETH, Part.GUM
    shown = np.concatenate([body, teeth, tongue])
    balls = [np.unique(given.faces[group == f"helper-{side}-eye"]) for side in "lr"]
    used = np.unique(np.concatenate([given.faces[shown].ravel(), *balls]))
    row = np.full(VERTICES, -1, np.int64)
    row[used] = np.arange(len(used))
    return MakeHumanMesh(
        folder=folder,
        rest=given.vertices[used].astype(np.float64) * CM_PER_UNIT,
        row=row,
        faces=row[given.faces[shown]].astype(np.int32),
        uv=np.clip(uv[shown], 0, 1).astype(np.float32),
        part=part[shown],
        eyes=(row[balls[0]], row[balls[1]]),
    )


def _charts(uv: Float) -> NDArray[np.int64]:
    """Number of the chart that each triangle ``(F, 3, 2)`` lies in, by connection; -1: none."""
    from scipy import sparse
    from scipy.sparse import csgraph

    _, index = np.unique(
        np.round(uv.reshape(-1, 2) * 1e5).astype(np.int64), axis=0, return_inverse=True
    )
    corner = index.reshape(-1, 3)
    count = int(corner.max()) + 1
    edges = np.concatenate([corner[:, :2], corner[:, 1:]])
    graph = sparse.coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count))
    _, label = csgraph.connected_components(graph, directed=False)
    piece = label[corner[:, 0]]
    number = np.full(len(uv), -1, np.int64)
    for k in np.unique(piece):
        inside = uv[piece == k].reshape(-1, 2)
        for chart, about in enumerate(CHARTS):
            low, high = np.array(about.source[:2]), np.array(about.source[2:])
            if (inside >= low).all() and (inside <= high).all():
                number[piece == k] = chart
    return number
