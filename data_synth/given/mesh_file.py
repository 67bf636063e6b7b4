# SPDX-License-Identifier: Apache-2.0
"""Triangles, texture coordinates and materials of a glTF or OBJ file.

Formats: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html (sections 3.5 scenes, 3.6.2
accessors, 4.4 the binary container); http://paulbourke.net/dataformats/obj/.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

SUFFIXES = (".glb", ".gltf", ".obj")
_KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TRIANGLES = 4
"""glTF's number for triangles that share nothing."""
_JSON, _BINARY = 0x4E4F534A, 0x004E4942


@dataclass(frozen=True)
class GivenMesh:
    """What a file holds.

    Attributes:
        vertices: ``(V, 3)`` float32 in the file's own units and frame.
        faces: ``(F, 3)`` int32.
        uv: ``(F, 3, 2)`` float32 per corner, v upwards.
        material: ``(F,)`` int32 number of the material of each triangle.
        names: of the materials.
        pictures: encoded pictures of the materials' base colour, by number, if the file has them.
    """

    vertices: Float
    faces: NDArray[np.int32]
    uv: Float
    material: NDArray[np.int32]
    names: tuple[str, ...]
    pictures: dict[int, bytes] = field(default_factory=dict)


def read_mesh(path: Path) -> GivenMesh:
    """All triangles of a file, in one piece.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no such file, or holds no triangles with texture coordinates; the
            message says why.
    """
    try:
        made = _read_obj(path) if path.suffix.lower() == ".obj" else _Document(path).mesh()
    except (KeyError, IndexError, TypeError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"broken: {type(error).__name__} {error}") from error
    if not len(made.faces):
        raise ValueError("no triangles")
    if not np.isfinite(made.vertices).all() or made.faces.max() >= len(made.vertices):
        raise ValueError("broken mesh")
    return made


class _Document:
    """A glTF file, text or binary."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self._folder, self._binary = path.parent, b""
        if data[:4] == b"glTF":
            at = 12
            chunks: dict[int, bytes] = {}
            while at + 8 <= len(data):
                length, kind = struct.unpack_from("<II", data, at)
                chunks.setdefault(kind, data[at + 8 : at + 8 + length])
                at += 8 + length
            text, self._binary = chunks[_JSON], chunks.get(_BINARY, b"")
        else:
            text = data
        self.document: dict[str, Any] = json.loads(text)

    def mesh(self) -> GivenMesh:
        """All primitives of the scene, moved to their places."""
        found: list[tuple[Any, ...]] = []
        count = 0
        for primitive, placed in self._primitives():
            if primitive.get("mode", _TRIANGLES) != _TRIANGLES:
                continue
            given = primitive["attributes"]
            if "TEXCOORD_0" not in given:
                raise ValueError("a surface has no texture coordinates")
            points = self._values(given["POSITION"]).astype(np.float64)
            points = points @ placed[:3, :3].T + placed[:3, 3]
            uv = self._values(given["TEXCOORD_0"]).astype(np.float32)
            if "indices" in primitive:
                corners = self._values(primitive["indices"]).reshape(-1, 3).astype(np.int64)
            else:
                corners = np.arange(len(points)).reshape(-1, 3)
            flat = np.stack([uv[corners][..., 0], 1 - uv[corners][..., 1]], -1)
            number = np.full(len(corners), primitive.get("material", 0), np.int32)
            found.append((points, corners + count, flat, number))
            count += len(points)
        if not found:
            raise ValueError("no triangles")
        points, corners, flat, number = (np.concatenate(part) for part in zip(*found, strict=True))
        materials = self.document.get("materials", [{}])
        names = tuple(str(m.get("name", i)) for i, m in enumerate(materials))
        pictures = {i: p for i, m in enumerate(materials) if (p := self._picture(m)) is not None}
        kind = np.float32
        return GivenMesh(
            points.astype(kind),
            corners.astype(np.int32),
            flat.astype(kind),
            number,
            names,
            pictures,
        )

    def _primitives(self) -> list[tuple[dict[str, Any], NDArray[np.float64]]]:
        """Surfaces with where they stand."""
        nodes, meshes = self.document.get("nodes", []), self.document["meshes"]
        if not nodes:
            return [(p, np.eye(4)) for mesh in meshes for p in mesh["primitives"]]
        children = {c for node in nodes for c in node.get("children", [])}
        scene = self.document.get("scenes", [{}])[self.document.get("scene", 0)]
        tops = scene.get("nodes", [i for i in range(len(nodes)) if i not in children])
        left = [(nodes[i], np.eye(4)) for i in tops]
        found = []
        while left:
            node, above = left.pop()
            here = above @ _placement(node)
            left += [(nodes[i], here) for i in node.get("children", [])]
            if "mesh" in node:
                found += [(p, here) for p in meshes[node["mesh"]]["primitives"]]
        return found

    def _values(self, index: int) -> NDArray[Any]:
        """Numbers of an accessor, ``(N, width)``."""
        accessor = self.document["accessors"][index]
        kind, width = np.dtype(_KINDS[accessor["componentType"]]), _WIDTHS[accessor["type"]]
        view = self.document["bufferViews"][accessor["bufferView"]]
        data = self._buffer(view.get("buffer", 0))
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        stride = view.get("byteStride", width * kind.itemsize)
        shape = accessor["count"], width
        if start + stride * (shape[0] - 1) + width * kind.itemsize > len(data):
            raise ValueError("cut short")
        found: NDArray[Any] = np.ndarray(shape, kind, data, start, (stride, kind.itemsize))
        if accessor.get("normalized"):
            return (found / np.float32(np.iinfo(kind).max)).astype(np.float32)
        return found

    def _buffer(self, index: int) -> bytes:
        address = self.document["buffers"][index].get("uri") if "buffers" in self.document else None
        return self._binary if address is None else self._fetched(address)

    def _fetched(self, address: str) -> bytes:
        if address.startswith("data:"):
            return base64.b64decode(address.partition(",")[2])
        return (self._folder / unquote(address)).read_bytes()

    def _picture(self, material: dict[str, Any]) -> bytes | None:
        chosen = material.get("pbrMetallicRoughness", {}).get("baseColorTexture")
        if chosen is None:
            return None
        image = self.document["images"][self.document["textures"][chosen["index"]]["source"]]
        if "uri" in image:
            return self._fetched(image["uri"])
        view = self.document["bufferViews"][image["bufferView"]]
        start = view.get("byteOffset", 0)
        return self._buffer(view.get("buffer", 0))[start : start + view["byteLength"]]


def _placement(node: dict[str, Any]) -> NDArray[np.float64]:
    """A node's matrix: given as such, or as translation, rotation and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    result = np.eye(4)
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    turn = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    result[:3, :3] = np.array(turn) * np.array(node.get("scale", (1, 1, 1)))
    result[:3, 3] = node.get("translation", (0, 0, 0))
    return result


def _read_obj(path: Path) -> GivenMesh:
    """Polygons become fans; without materials, groups count as such."""
    points, flat = [], []
    corners, coordinates, number = [], [], []
    names: dict[str, int] = {}
    current = 0
    text = path.read_text("utf-8", errors="replace")
    divider = "usemtl" if re.search(r"^\s*usemtl\s", text, re.M) else "g"
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "v":
            points.append([float(x) for x in rest.split()[:3]])
        elif word == "vt":
            flat.append([float(x) for x in rest.split()[:2]])
        elif word == divider:
            current = names.setdefault(rest.strip(), len(names))
        elif word == "f":
            parts = [part.split("/") for part in rest.split()]
            if any(len(part) < 2 or not part[1] for part in parts):
                raise ValueError("a surface has no texture coordinates")
            v = [int(p[0]) - 1 if int(p[0]) > 0 else len(points) + int(p[0]) for p in parts]
            t = [int(p[1]) - 1 if int(p[1]) > 0 else len(flat) + int(p[1]) for p in parts]
            for k in range(1, len(v) - 1):
                corners.append((v[0], v[k], v[k + 1]))
                coordinates.append((t[0], t[k], t[k + 1]))
                number.append(current)
    if not corners:
        raise ValueError("no triangles")
    uv = np.array(flat, np.float32)[np.array(coordinates)]
    return GivenMesh(
        np.array(points, np.float32),
        np.array(corners, np.int32),
        uv,
        np.array(number, np.int32),
        tuple(names) or ("0",),
    )
