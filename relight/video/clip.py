# SPDX-License-Identifier: Apache-2.0
"""Clips in: the pictures of a video file, one at a time, and what else the file holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from relight.error import RelightError

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer

SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi")
"""Of files that are taken for clips."""
PQ = 16
"""Transfer characteristic of HDR10 and Dolby Vision, ITU-T H.273: not like a photo's at all."""
MOST_PIXELS = 8192 * 4352
"""Of one picture: 8K and a little more."""


class ClipError(RelightError):
    """A clip cannot be read or written."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a clip, upright.

    Attributes:
        rgb: ``(H, W, 3)`` uint8, or uint16 of a clip of more than 8 bits; encoded as the clip is,
            which is near enough to sRGB.
        pts: when it is shown, in units of the clip's ``time_base``.
        seconds: the same in seconds from the clip's start.
    """

    rgb: NDArray[Any]
    pts: int
    seconds: float


class Clip:
    """A video file that is read once, from its start; a context manager.

    Attributes:
        path: the file.
        width: of its upright pictures, pixels.
        height: likewise.
        rate: pictures a second on average.
        time_base: seconds of one unit of time.
        length: number of pictures as the file tells it; 0 if it does not.
        bits: of each channel, 8 or more.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a clip.

        Raises:
            ClipError: if it is missing, no video, damaged, or of a kind that cannot be relit; or
                PyAV is not installed.
        """
        av = load_av()
        self.path = Path(path)
        with explained(self.path, "read"):
            with av.open(str(self.path)) as container:
                first = _first_picture(self.path, container)
            # Seeking back would lose the beginning of some files' sound.
            self.container: InputContainer = av.open(str(self.path))
        try:
            self._prepare(first)
        except BaseException:
            self.close()
            raise

    def _prepare(self, first: Any) -> None:
        self.stream = stream = _moving(self.path, self.container)
        context = stream.codec_context
        if context.width * context.height > MOST_PIXELS:
            size = f"{context.width} x {context.height}"
            raise ClipError(
                f"{self.path}: pictures of {size} pixels are too large; scale them down"
            )
        if context.color_trc == PQ:
            raise ClipError(
                f"{self.path}: HDR clips encoded by PQ cannot be relit; convert to SDR or HLG first"
            )
        stream.thread_type = "AUTO"
        self.rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
        self.time_base = Fraction(stream.time_base or 1 / self.rate)
        self.length = int(stream.frames or 0)
        if not self.length and self.container.duration:
            self.length = round(self.container.duration / 1e6 * self.rate)
        self.bits = max(
            (part.bits for part in context.format.components if not part.is_alpha), default=8
        )
        self.rotation = int(first.rotation) % 360
        turned = self.rotation % 180 != 0
        self.width, self.height = (
            (first.height, first.width) if turned else (first.width, first.height)
        )

    def __enter__(self) -> Clip:
        """Use as a context manager: the file is closed at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def parts(self) -> Iterator[Picture | Packet[Any]]:
        """Everything in the file's order: decoded pictures, and packets of its other streams.

        Raises:
            ClipError: where the file is damaged.
        """
        start = self.stream.start_time or 0
        streams = [s for s in self.container.streams if s.type in ("video", "audio", "subtitle")]
        last: int | None = None
        with explained(self.path, "read"):
            for packet in self.container.demux(streams):
                if packet.stream.index != self.stream.index:
                    if packet.stream.type != "video" and packet.dts is not None:
                        yield packet
                    continue
                frames: list[Any] = packet.decode()
                for frame in frames:
                    pts = frame.pts
                    if pts is None or (last is not None and pts <= last):  # as broken files do
                        step = round(1 / (self.rate * self.time_base))
                        pts = start if last is None else last + max(1, step)
                    last = pts
                    seconds = float((pts - start) * self.time_base)
                    yield Picture(self._upright(frame), pts, seconds)

    def pictures(self) -> Iterator[Picture]:
        """The pictures alone."""
        return (part for part in self.parts() if isinstance(part, Picture))

    def _upright(self, frame: Any) -> NDArray[Any]:
        from av.video.reformatter import ColorRange

        form = "rgb24" if self.bits <= 8 else "rgb48le"
        rgb = frame.reformat(format=form, dst_color_range=ColorRange.JPEG).to_ndarray()
        # The rotation is counter-clockwise, as NumPy's is.
        return np.ascontiguousarray(np.rot90(rgb, self.rotation // 90))


def _moving(path: Path, container: InputContainer) -> Any:
    """The stream of moving pictures; a song's cover is none."""
    for stream in container.streams.video:
        if not stream.disposition & stream.disposition.attached_pic:
            return stream
    raise ClipError(f"{path}: holds no moving pictures; give a video file")


def _first_picture(path: Path, container: InputContainer) -> Any:
    for frame in container.decode(_moving(path, container)):
        return frame
    raise ClipError(f"{path}: holds no picture that can be decoded; is it a whole video file?")


@contextlib.contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """PyAV's failures, and the file system's, become a :class:`ClipError` that names the file."""
    from av.error import FFmpegError

    try:
        yield
    except FFmpegError as error:
        words = str(error.strerror or error).strip() or "unknown error"
        cures = {"read": "is it a whole video file?", "written": "try another file type, as .mkv"}
        raise ClipError(f"{path}: cannot be {doing} ({words}); {cures[doing]}") from error
    except OSError as error:
        raise ClipError(f"{path}: cannot be {doing} ({error.strerror or error})") from error


def load_av() -> Any:
    """PyAV.

    Raises:
        ClipError: if it is not installed.
    """
    try:
        import av
        import av.logging
    except ImportError as error:
        raise ClipError("clips need PyAV; pip install 'portrait-relight[video]'") from error
    av.logging.set_level(None)  # what FFmpeg says reaches the user as an error, not on stderr
    return av
