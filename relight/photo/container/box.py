# SPDX-License-Identifier: Apache-2.0
"""HEIC and AVIF files as boxes: the properties of their main picture.

References: ISO 14496-12 (boxes), ISO 23008-12 (pictures and properties), AV1-ISOBMFF.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of each box, as far as they are whole (ISO 14496-12)."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= len(data):
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        size = size or len(data) - at
        if size < head:
            return
        yield kind, data[at + head : at + size]
        at += size


def main_properties(data: bytes) -> list[bytes]:
    """Type and body, joined, of each property box of the main image (ISO 23008-12)."""
    try:
        meta = dict(boxes(dict(boxes(data))[b"meta"][4:]))
        pitm, shared = meta[b"pitm"], dict(boxes(meta[b"iprp"]))
        (main,) = struct.unpack_from(">I" if pitm[0] else ">H", pitm, 4)
        properties = [kind + body for kind, body in boxes(shared[b"ipco"])]
        table = shared[b"ipma"]
        item, wide = (">I" if table[0] else ">H"), table[3] & 1
        (count,), at = struct.unpack_from(">I", table, 4), 8
        for _ in range(count):
            (number,) = struct.unpack_from(item, table, at)
            at += struct.calcsize(item)
            size = table[at] * (2 if wide else 1)
            if number == main:
                packed = table[at + 1 : at + 1 + size]
                indices = struct.unpack(f">{table[at]}{'H' if wide else 'B'}", packed)
                mask = 0x7FFF if wide else 0x7F
                return [properties[(index & mask) - 1] for index in indices if index & mask]
            at += 1 + size
    except (KeyError, IndexError, struct.error):
        pass
    return []


def bit_depth(data: bytes) -> int:
    """Bits of a sample of an AVIF's main picture; 8 where nothing else is said."""
    properties = main_properties(data)
    for box in properties:
        if box[:4] == b"pixi" and len(box) > 9 and box[8]:
            return max(box[9 : 9 + box[8]])
    for box in properties:
        if box[:4] == b"av1C" and len(box) > 6:
            high, twelve = box[6] & 0x40, box[6] & 0x20
            return 12 if high and twelve else 10 if high else 8
    return 8
