# SPDX-License-Identifier: Apache-2.0
"""EXIF and XMP of an edited photo: what is no longer true is reset, the rest is kept.

References: EXIF 2.32 (CIPA DC-008), TIFF 6.0, XMP specification part 1 (ISO 16684-1).
"""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

EXIF_PREFIX = b"Exif\0\0"

_VALUE_SIZE = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
"""Bytes of a value of each type; 13 is a directory's offset (TIFF Technical Note 1)."""
_INTEGER = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}
_ORIENTATION, _CAMERA, _PLACE, _INTEROPERABILITY = 0x0112, 0x8769, 0x8825, 0xA005
_THUMBNAIL, _THUMBNAIL_SIZE = 0x0201, 0x0202
_COLOR_SPACE, _ADOBE_RGB = 0xA001, 2
"""EXIF knows 1 (sRGB) and 65535 (another); some cameras write 2 for Adobe RGB."""
_BROKEN = (struct.error, IndexError, KeyError, ValueError)


@dataclass(frozen=True)
class CleanExif:
    """What :func:`clean_exif` found.

    Attributes:
        block: EXIF that fits an upright photo, with the ``Exif`` prefix; None if unreadable.
        orientation: the orientation tag before cleaning, 1 to 8; 0 if there is none.
        adobe_rgb: whether the camera says that pixels without a profile are Adobe RGB.
        thumbnail: whether there was a thumbnail, which showed the photo before the edit.
        broken: names of the parts that could not be read and were taken out.
    """

    block: bytes | None
    orientation: int = 0
    adobe_rgb: bool = False
    thumbnail: bool = False
    broken: tuple[str, ...] = ()


def clean_exif(block: bytes, width: int, height: int, *, srgb: bool = True) -> CleanExif:
    """Reset what is no longer true of an upright photo, and drop the thumbnail.

    The block is changed in place rather than written anew, so that maker notes stay readable:
    their offsets count from the start of the block. A directory that cannot be read costs that
    directory alone.

    Args:
        block: EXIF with or without the ``Exif`` prefix.
        width: stored (not yet turned) width in pixels.
        height: stored height in pixels.
        srgb: whether its colours became sRGB.
    """
    try:
        tree = _Tree(bytearray(block.removeprefix(EXIF_PREFIX)))
        main = tree.read(tree.number((4, 1, 4)), lenient=True)
    except _BROKEN:
        return CleanExif(None)
    orientation = 0
    if _ORIENTATION in main.entries:
        stored = tree.find(main, _ORIENTATION)
        orientation = stored if stored and stored in range(1, 9) else 1
        tree.put(main, _ORIENTATION, 1)
    if orientation >= 5:
        width, height = height, width
    camera = tree.branch(main, _CAMERA, "camera settings")
    tree.branch(main, _PLACE, "GPS position")
    options = tree.branch(camera, _INTEROPERABILITY, "interoperability")
    adobe_rgb = tree.find(camera, _COLOR_SPACE) == _ADOBE_RGB
    kind, count, at = options.entries.get(1, (0, 0, 0))
    if (kind, count) == (2, 4) and tree.blob[at : at + 3] == b"R03":  # DCF option file
        adobe_rgb = True
        if srgb:
            tree.blob[at : at + 3] = b"R98"
    for tag, value in ((0x0100, width), (0x0101, height)):
        tree.put(main, tag, value)
    for tag, value in ((0xA002, width), (0xA003, height), *([(_COLOR_SPACE, 1)] if srgb else [])):
        tree.put(camera, tag, value)
    had = tree.drop_thumbnail(main)
    block = EXIF_PREFIX + bytes(tree.blob)
    return CleanExif(block, orientation, adobe_rgb, had, tuple(tree.broken))


def add_thumbnail(block: bytes, jpeg: bytes) -> bytes:
    """A clean EXIF block with a thumbnail, behind all else so that nothing moves.

    Args:
        block: as :func:`clean_exif` gives it.
        jpeg: the thumbnail.

    Raises:
        ValueError: the block is not clean.
    """
    try:
        tree = _Tree(bytearray(block.removeprefix(EXIF_PREFIX)))
        main = tree.read(tree.number((4, 1, 4)))
    except _BROKEN as error:
        raise ValueError("no clean EXIF") from error
    tree.blob += bytes(len(tree.blob) % 2)
    start = len(tree.blob)
    struct.pack_into(tree.order + "I", tree.blob, main.end, start)
    tree.blob += struct.pack(tree.order + "H", 3)
    tree.blob += struct.pack(tree.order + "HHIHxx", 0x0103, 3, 1, 6)  # JPEG
    tree.blob += struct.pack(tree.order + "HHII", _THUMBNAIL, 4, 1, start + 42)
    tree.blob += struct.pack(tree.order + "HHII", _THUMBNAIL_SIZE, 4, 1, len(jpeg))
    return EXIF_PREFIX + bytes(tree.blob) + bytes(4) + jpeg


@dataclass
class _Directory:
    """Where a directory stands, and its entries as tag -> (type, count, position of the value)."""

    start: int = 0
    entries: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """Where the offset of the next directory stands."""
        return self.start + 2 + 12 * len(self.entries)


class _Tree:
    """The directories of an EXIF block, changed in place."""

    def __init__(self, blob: bytearray) -> None:
        self.blob = blob
        self.order = {b"II": "<", b"MM": ">"}[bytes(blob[:2])]
        self.used: list[tuple[int, int]] = [(0, 8)]
        self.broken: list[str] = []

    def read(self, start: int, *, lenient: bool = False) -> _Directory:
        """A directory, after entries whose values lie outside the block were taken out of it.

        Args:
            start: where it stands.
            lenient: whether to take what there is of one that is cut short.

        Raises:
            ValueError: there is no directory, or other data stand there.
            struct.error: it lies outside the block.
        """
        (count,) = struct.unpack_from(self.order + "H", self.blob, start)
        fitting = (len(self.blob) - start - 2) // 12
        extent = start, min(start + 6 + 12 * count, len(self.blob))
        if any(extent[0] < end and begin < extent[1] for begin, end in self.used):
            raise ValueError("it stands where other data are")
        if count > fitting and not lenient:
            raise ValueError("it is cut short")
        found, kept, used, broken = _Directory(start), b"", [extent], []
        sound = 0
        for at in range(start + 2, start + 2 + 12 * min(count, fitting), 12):
            tag, kind, number = struct.unpack_from(self.order + "HHI", self.blob, at)
            known = 0 < kind < len(_VALUE_SIZE)
            sound += known
            size = _VALUE_SIZE[kind] * number if known else 0
            offset = struct.unpack_from(self.order + "I", self.blob, at + 8)[0]
            if size > 4 and offset + size > len(self.blob):
                broken.append(f"tag {tag}")
                continue
            if tag in found.entries or (count > fitting and not known):
                continue
            value_at = offset if size > 4 else start + 2 + len(kept) + 8
            found.entries[tag] = kind, number, value_at
            kept += self.blob[at : at + 12]
            if size > 4:
                used.append((offset, offset + size))
        if 2 * sound < min(count, fitting) and not (lenient and sound):
            raise ValueError("these are no entries")
        self._rewrite(found, kept, count)
        if count > fitting:
            used[0] = start, found.end + 4
        self.used += used
        self.broken += broken
        return found

    def _rewrite(self, found: _Directory, kept: bytes, count: int) -> None:
        """Close the gaps that entries left which were taken out."""
        missing = found.end + 4 - len(self.blob)
        if missing > 0:  # some writers leave out the last offset
            self.blob += bytes(missing)
        if len(found.entries) == count:
            return
        old_end = found.start + 2 + 12 * count
        following = self.blob[old_end : old_end + 4].ljust(4, b"\0")
        struct.pack_into(self.order + "H", self.blob, found.start, len(found.entries))
        self.blob[found.start + 2 : found.end] = kept
        self.blob[found.end : found.end + 4] = (
            following if old_end + 4 <= len(self.blob) else bytes(4)
        )

    def branch(self, parent: _Directory, tag: int, name: str) -> _Directory:
        """A directory that another one names; if it cannot be read, its name is taken out."""
        if tag not in parent.entries:
            return _Directory()
        try:
            return self.read(self.number(parent.entries[tag]))
        except _BROKEN:
            self.broken.append(name)
            self._take_out(parent, tag)
            return _Directory()

    def _take_out(self, parent: _Directory, tag: int) -> None:
        at = parent.start + 2 + 12 * list(parent.entries).index(tag)
        behind = self.blob[at + 12 : parent.end + 4]
        self.blob[at : at + 12 + len(behind)] = behind + bytes(12)
        entries = list(parent.entries.items())
        parent.entries.clear()
        for other, (kind, number, value_at) in entries:
            inside = at + 12 <= value_at < at + 12 + len(behind)
            if other != tag:
                parent.entries[other] = kind, number, value_at - 12 * inside
        struct.pack_into(self.order + "H", self.blob, parent.start, len(parent.entries))

    def number(self, entry: tuple[int, int, int]) -> int:
        """The first value of an entry of any integer type."""
        value: int = struct.unpack_from(self.order + _INTEGER[entry[0]], self.blob, entry[2])[0]
        return value

    def find(self, directory: _Directory, tag: int) -> int | None:
        """The integer that a tag holds; None if it is missing or holds something else."""
        entry = directory.entries.get(tag)
        return self.number(entry) if entry and entry[0] in _INTEGER and entry[1] else None

    def put(self, directory: _Directory, tag: int, value: int) -> None:
        """Change an integer, if it is there."""
        kind, count, at = directory.entries.get(tag, (0, 0, 0))
        if count == 1 and kind in _INTEGER:
            with contextlib.suppress(struct.error):  # too large for its type
                struct.pack_into(self.order + _INTEGER[kind], self.blob, at, value)

    def drop_thumbnail(self, main: _Directory) -> bool:
        """Cut the second directory off and remove its picture; whether there was one."""
        following = main.end
        start = self.number((4, 1, following))
        self.blob[following : following + 4] = bytes(4)
        if not start:
            return False
        used, broken = list(self.used), list(self.broken)
        try:
            thumbnail = self.read(start)
        except _BROKEN:
            return False
        finally:
            self.used, self.broken = used, broken
        offset, size = _THUMBNAIL, _THUMBNAIL_SIZE
        if offset not in thumbnail.entries:  # not compressed
            offset, size = 0x0111, 0x0117
        first, length = self.find(thumbnail, offset), self.find(thumbnail, size)
        if first is None or length is None or first < 8 or length < 0:
            first = last = start
        else:
            last = min(first + length, len(self.blob))
        _erase(self.blob, min(start, first), first, last, used)
        return first < last


def _erase(
    blob: bytearray, tail: int, first: int, last: int, used: Sequence[tuple[int, int]]
) -> None:
    """Cut the block off at ``tail`` if nothing used stands behind; else blank ``first:last``."""
    if max(end for _, end in used) <= tail:
        del blob[tail:]
    elif all(last <= begin or end <= first for begin, end in used):
        blob[first:last] = bytes(last - first)


_ATTRIBUTE = rb"""\s%s\s*=\s*(?:"[^"]*"|'[^']*')"""
_EMPTY = rb"<%s(?:\s[^<>]*)?/>"
_ELEMENT = rb"<(%s)(?:\s[^<>]*)?>.*?</\1\s*>"
_XMP_STALE = rb"(?:tiff:Image(?:Width|Length)|exif:Pixel[XY]Dimension|photoshop:ICCProfile)"
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation\s*(?:=\s*["']|>\s*))([0-9]+)""")
_FOREIGN = {
    b"http://ns.adobe.com/hdr-gain-map/1.0/": b"hdrgm",
    b"http://ns.apple.com/HDRGainMap/1.0/": b"HDRGainMap",
    b"http://ns.google.com/photos/1.0/camera/": b"GCamera",
    b"http://ns.google.com/photos/1.0/container/": b"Container",
    b"http://ns.google.com/photos/1.0/container/item/": b"Item",
    b"http://ns.google.com/photos/1.0/depthmap/": b"GDepth",
    b"http://ns.google.com/photos/1.0/image/": b"GImage",
    b"http://ns.google.com/photos/dd/1.0/device/": b"Device",
    b"http://ns.adobe.com/xmp/note/": b"xmpNote",
}
"""Namespaces, and their usual prefixes, of what describes other parts of the file (gain map, video,
depth, more XMP), which are not carried over."""
_DECLARED = re.compile(rb"""xmlns:([\w.-]+)\s*=\s*["']([^"']*)["']""")


def clean_xmp(xmp: bytes) -> tuple[bytes, int]:
    """Reset what is no longer true of an upright photo without gain map, video or depth.

    Args:
        xmp: an XMP packet.

    Returns:
        The packet without sizes, thumbnails and descriptions of parts that are not carried over;
        and the orientation before cleaning, 1 to 8.
    """
    found = _XMP_ORIENTATION.search(xmp)
    orientation = int(found[2]) if found and int(found[2]) in range(1, 9) else 1
    declared: dict[bytes, bytes] = dict(_DECLARED.findall(xmp))
    prefixes = {prefix for prefix, name in declared.items() if name in _FOREIGN}
    prefixes |= {prefix for prefix in _FOREIGN.values() if prefix not in declared}
    foreign = rb"(?:%s):[\w.-]+" % b"|".join(re.escape(prefix) for prefix in sorted(prefixes))
    xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
    for name in (_XMP_STALE, foreign):
        xmp = re.sub(_ATTRIBUTE % name, b"", xmp)
        xmp = re.sub(_EMPTY % name, b"", xmp)
        xmp = re.sub(_ELEMENT % name, b"", xmp, flags=re.DOTALL)
    for prefix in prefixes & set(declared):
        xmp = re.sub(_ATTRIBUTE % (b"xmlns:" + re.escape(prefix)), b"", xmp)
    xmp = re.sub(_ELEMENT % b"(?:xmp|xap):Thumbnails", b"", xmp, flags=re.DOTALL)
    return xmp, orientation
