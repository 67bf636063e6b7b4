# SPDX-License-Identifier: Apache-2.0
"""People of the user's own: scans, or what a modelling program made, as glTF or OBJ.

A person is a folder:

- ``head.glb``, ``head.gltf`` or ``head.obj``: the head, with texture coordinates;
- ``head.json``: where the face is, in the file's own units: ``{"face": {"chin": [x, y, z],
  "hairline": ..., "left": ..., "right": ...}, "cm_per_unit": 100}``, +y up, +z out of the nose,
  left and right the sides of the face; further keys (name, licence) are kept with every view;
- ``color.png`` or ``color.jpg``: its colours, sRGB, without light; glTF may hold them itself;
- ``parts.png``: a mask over the same coordinates in the colours of :data:`PART_COLORS`; or, in
  ``head.json``, ``"parts": {"Eyes": "eye"}`` by the names of materials; else all is skin.

Hair and cloth are surfaces here: no strands are grown.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError
from data_synth.given.mesh_file import SUFFIXES, GivenMesh, read_mesh
from data_synth.head.head import vertex_normals
from data_synth.source import TEXTURE_SIZE, Source
from data_synth.subject import Material, Mesh, Subject, Texture
from data_synth.trait import SubjectRanges
from relight.color import srgb_to_linear

Float = NDArray[np.float32]

DOCUMENT = "head.json"
PART_COLORS = {
    Material.SKIN: (0, 0, 0),
    Material.EYE: (0, 0, 255),
    Material.TEETH: (255, 255, 255),
    Material.GUM: (255, 0, 0),
    Material.CLOTH: (0, 255, 0),
    Material.FRAME: (255, 255, 0),
}
"""Of the mask; each pixel counts as the nearest. Hair is cloth, metal and plastic are frames."""
ROUGHNESS = {
    Material.SKIN: 0.45,
    Material.EYE: 0.08,
    Material.TEETH: 0.25,
    Material.GUM: 0.3,
    Material.CLOTH: 0.8,
    Material.FRAME: 0.2,
}
"""As the built-in people's."""
MARKS = ("chin", "hairline", "left", "right")
CM_PER_UNIT = 100.0
"""glTF counts in metres."""
FACE_MIDDLE = np.array([0.0, 2.6, 8.0], np.float32)
"""Where the middle of the face is put, as on the mean head."""
LARGEST_CM = 60.0
"""A face of another unit than was said is told by its height."""
CURE = f"see docs/light-stage.md, and pass its folder by --assets own=DIR, with {DOCUMENT}"


class OwnSource(Source):
    """Heads as files; the seed chooses among them."""

    name = "own"
    about = "heads of your own, glTF or OBJ, with a mask of parts"
    needs = "a folder a head, with head.glb or head.obj and head.json"
    cure = CURE

    def count(self, assets: Path | None) -> int | None:
        """See :meth:`Source.count`."""
        return len(find_heads(self.folder(assets)))

    def make_subject(
        self,
        seed: int,
        *,
        assets: Path | None = None,
        ranges: SubjectRanges | None = None,
        texture_size: int = TEXTURE_SIZE,
    ) -> Subject:
        """A head as it is: neither ranges nor size change it."""
        heads = find_heads(self.folder(assets))
        return load(heads[seed % len(heads)], seed)


def find_heads(root: Path) -> list[Path]:
    """Folders of heads: the folder itself, or those in it, in order.

    Raises:
        AssetError: if there is none.
    """
    found = [root] if (root / DOCUMENT).is_file() else []
    found = found or sorted(path.parent for path in root.glob(f"*/{DOCUMENT}"))
    if not found:
        raise AssetError(f"{root}: no head here ({DOCUMENT} is missing); {CURE}")
    return found


def load(folder: Path, seed: int = 0) -> Subject:
    """Read one head.

    Args:
        folder: of it.
        seed: kept with the subject.

    Raises:
        AssetError: if a file is missing or broken.
    """
    about, marks = _document(folder / DOCUMENT)
    path = next((p for s in SUFFIXES if (p := folder / f"head{s}").is_file()), None)
    if path is None:
        raise AssetError(f"{folder}: no head.glb, head.gltf or head.obj here; {CURE}")
    try:
        given = read_mesh(path)
    except (OSError, ValueError) as error:
        raise AssetError(f"{path}: not a readable head ({error}); export it again") from error
    scale = np.float32(about.get("cm_per_unit", CM_PER_UNIT))
    middle = (marks.min(0) + marks.max(0)) / 2
    height = float(np.ptp(marks[:, 1])) * float(scale)
    if not 5 < height < LARGEST_CM:
        raise AssetError(
            f"{folder / DOCUMENT}: a face {height:.3g} cm high; set cm_per_unit to the file's unit"
        )
    shift = FACE_MIDDLE - middle * scale
    vertices = given.vertices * scale + shift
    part = _parts(folder, given, about.get("parts", {}))
    mesh = Mesh(
        vertices=vertices,
        normals=vertex_normals(vertices, given.faces, weld=vertices),
        faces=given.faces,
        uv=np.clip(np.where((given.uv > 1) | (given.uv < 0), given.uv % 1, given.uv), 0, 1),
        material=part,
    )
    textures = {Material(m): _texture(folder, given, part, Material(m)) for m in np.unique(part)}
    kept = {k: v for k, v in about.items() if k not in ("face", "parts", "cm_per_unit")}
    attributes = {"name": folder.name} | kept
    return Subject(seed, "own", mesh, textures, [], attributes, marks * scale + shift)


def _document(path: Path) -> tuple[dict[str, Any], Float]:
    try:
        about: dict[str, Any] = json.loads(path.read_text("utf-8"))
        marks = np.array([about["face"][name] for name in MARKS], np.float32).reshape(4, 3)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AssetError(
            f"{path}: does not say where the face's {', '.join(MARKS)} are ({error}); {CURE}"
        ) from error
    return about, marks


def _parts(folder: Path, given: GivenMesh, named: dict[str, str]) -> NDArray[np.uint8]:
    """Material of each triangle, by the mask at its middle or by its material's name."""
    known = {m.name.lower(): m for m in Material}
    part = np.zeros(len(given.faces), np.uint8)
    for name, kind in named.items():
        if name not in given.names or str(kind).lower() not in known:
            raise AssetError(
                f"{folder / DOCUMENT}: parts: {name}: {kind}: materials are"
                f" {', '.join(given.names)}, parts {', '.join(known)}"
            )
        part[given.material == given.names.index(name)] = known[str(kind).lower()]
    path = folder / "parts.png"
    if path.is_file():
        mask = _picture(path.read_bytes(), path)
        place = given.uv.mean(1) % 1
        row = np.minimum((1 - place[:, 1]) * len(mask), len(mask) - 1).astype(int)
        column = np.minimum(place[:, 0] * mask.shape[1], mask.shape[1] - 1).astype(int)
        kinds = list(PART_COLORS)
        colors = np.array([PART_COLORS[k] for k in kinds], np.float32) / 255
        away = ((mask[row, column][:, None] - colors) ** 2).sum(2)
        marked = np.array(kinds, np.uint8)[away.argmin(1)]
        part = np.where(marked != Material.SKIN, marked, part).astype(np.uint8)
    return part


def _texture(
    folder: Path, given: GivenMesh, part: NDArray[np.uint8], material: Material
) -> Texture:
    """The colours of a part: the folder's picture, else that of most of its triangles."""
    path = next((p for s in ("png", "jpg") if (p := folder / f"color.{s}").is_file()), None)
    if path is not None:
        data = path.read_bytes()
    else:
        used = np.bincount(given.material[part == material]).argmax()
        found = given.pictures.get(int(used), next(iter(given.pictures.values()), None))
        if found is None:
            raise AssetError(f"{folder}: no color.png, and the head holds no picture; add it")
        path, data = folder, found
    albedo = srgb_to_linear(_picture(data, path)).astype(np.float32)
    flat = np.ones(albedo.shape[:2], np.float32)
    return Texture(albedo, flat * np.float32(ROUGHNESS[material]), flat, flat * 0)


def _picture(data: bytes, path: Path) -> Float:
    """An image ``(H, W, 3)`` in [0, 1]."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as file:
            return np.asarray(file.convert("RGB"), np.float32) / 255
    except (OSError, ValueError) as error:
        raise AssetError(f"{path}: not a readable picture ({error}); save it again") from error
