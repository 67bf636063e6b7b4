# SPDX-License-Identifier: Apache-2.0
"""Golden vectors on disk, which ports of the runtime to other languages are checked against.

A folder holds ``golden.json`` and ``golden.bin.gz``. The JSON has three members: ``format`` (1),
``values`` (numbers, texts and lists, by stage) and ``arrays``: for each array by name its ``type``
(``float32``, ``uint8`` or ``int32``), its ``shape`` and its ``offset`` in bytes into the
other one, unpacked by gzip, where it lies row by row, little-endian.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight.storage import whole_file

FORMAT = 1
INDEX, CONTENT = "golden.json", "golden.bin.gz"
_NUMBER = re.compile(r"[\d.]+")
_TYPES = {"float32": "<f4", "uint8": "u1", "int32": "<i4"}


class Vectors:
    """Arrays and values by name, names as paths: ``color/table``."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self.values: dict[str, Any] = {}

    def array(self, name: str, content: NDArray[Any]) -> None:
        """Add an array; floats are kept as float32, booleans as uint8, integers as int32.

        Raises:
            ValueError: for a name that is taken, or another type.
        """
        if name in self.arrays:
            raise ValueError(f"there is an array {name!r} already")
        kinds = {"f": np.float32, "b": np.uint8, "u": np.uint8, "i": np.int32}
        wanted = kinds.get(content.dtype.kind)
        if wanted is None or content.dtype in (np.uint16, np.uint32, np.uint64):
            raise ValueError(f"{name}: no array of {content.dtype} here")
        self.arrays[name] = np.ascontiguousarray(content, wanted)

    def value(self, name: str, content: Any) -> None:
        """Add a JSON-ready value; NumPy's scalars and arrays become numbers and lists.

        Raises:
            ValueError: for a name that is taken.
        """
        if name in self.values:
            raise ValueError(f"there is a value {name!r} already")
        self.values[name] = json.loads(json.dumps(content, default=_plain))

    def write(self, folder: Path) -> None:
        """Write both files; the folder is made if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        entries: dict[str, Any] = {}
        content = bytearray()
        for name, array in sorted(self.arrays.items()):
            kind = array.dtype.name
            entries[name] = {"type": kind, "shape": list(array.shape), "offset": len(content)}
            content += array.astype(_TYPES[kind]).tobytes()
            content += bytes(-len(content) % 4)  # aligned, so that the file can be mapped
        index = {"format": FORMAT, "values": self.values, "arrays": entries}
        with whole_file(folder / CONTENT) as path:
            path.write_bytes(gzip.compress(content, mtime=0))
        with whole_file(folder / INDEX) as path:
            path.write_text(json.dumps(index, indent=1, sort_keys=True) + "\n", "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Vectors:
        """What :meth:`write` wrote."""
        index = json.loads((folder / INDEX).read_text("utf-8"))
        content = gzip.decompress((folder / CONTENT).read_bytes())
        result = cls()
        result.values = index["values"]
        for name, entry in index["arrays"].items():
            count = int(np.prod(entry["shape"]))
            flat = np.frombuffer(content, _TYPES[entry["type"]], count, entry["offset"])
            result.arrays[name] = flat.reshape(entry["shape"])
        return result


def _plain(content: Any) -> Any:
    if isinstance(content, np.ndarray | np.generic):
        return content.tolist()
    raise TypeError(f"{type(content).__name__} is not JSON")


def difference(old: Vectors, new: Vectors, tolerance: float) -> Iterator[str]:
    """Lines that say what differs between two sets; none when they agree.

    Args:
        old: one set.
        new: the other.
        tolerance: largest mean difference of an array's numbers, over their mean size where that
            is above 1/255 of the type's white; and largest relative difference of a value. Texts
            agree but for their numbers.
    """
    for kind, first, second in (
        ("array", set(old.arrays), set(new.arrays)),
        ("value", set(old.values), set(new.values)),
    ):
        for name in sorted(first ^ second):
            yield f"{kind} {name} is in one of them only"
    for name in sorted(set(old.arrays) & set(new.arrays)):
        a, b = old.arrays[name], new.arrays[name]
        if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
            yield f"array {name}: {a.dtype} {a.shape} against {b.dtype} {b.shape}"
            continue
        least = 1.0 if a.dtype.kind in "ui" else 1 / 255
        size = max(float(np.abs(a.astype(float)).mean()), least) if a.size else least
        error = float(np.abs(a.astype(float) - b.astype(float)).mean()) / size if a.size else 0.0
        if not error <= tolerance:
            yield f"array {name} differs by {error:.1e} on average"
    for name in sorted(set(old.values) & set(new.values)):
        yield from _value_difference(name, old.values[name], new.values[name], tolerance)


def _value_difference(name: str, a: Any, b: Any, tolerance: float) -> Iterator[str]:
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            yield from _value_difference(f"{name}.{key}", a[key], b[key], tolerance)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _value_difference(f"{name}[{i}]", x, y, tolerance)
    elif _number(a) and _number(b):
        if not abs(a - b) <= tolerance * max(1.0, abs(a)):
            yield f"value {name}: {a!r} against {b!r}"
    elif isinstance(a, str) and isinstance(b, str):
        # The numbers in a text are rounded: on another processor one may round the other way.
        if _NUMBER.sub("#", a) != _NUMBER.sub("#", b):
            yield f"value {name}: {a!r} against {b!r}"
    elif a != b:
        yield f"value {name}: {a!r} against {b!r}"


def _number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)
