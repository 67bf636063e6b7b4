# SPDX-License-Identifier: Apache-2.0
"""Clips out: relit pictures, with the sound, subtitles and words of the clip they come from."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relight.storage import whole_file
from relight.video.clip import SUFFIXES, Clip, ClipError, Picture, explained, load_av

if TYPE_CHECKING:
    from av import Packet

log = logging.getLogger(__name__)

ENCODERS = {
    "h264": ("libx264", {"crf": "17", "preset": "veryfast"}),
    "hevc": ("libx265", {"crf": "19", "preset": "fast", "x265-params": "log-level=none"}),
    "vp9": ("libvpx-vp9", {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4"}),
    "prores": ("prores_ks", {"profile": "hq"}),
}
"""By the clip's own codec, what encodes it again: hardly to be told from it by eye."""
OTHERWISE = "h264"
"""Encodes what none of them does;"""
IN_WEBM = "vp9"
"""and in a WebM file, which holds nothing older."""
FORMATS = {8: "yuv420p", 10: "yuv420p10le"}
"""Of pixels by the bits of a channel, where the encoder does not take the clip's own."""
WAITING = 4
"""Pictures that wait for the encoder at most."""


class ClipWriter:
    """Writes a relit clip; made by :func:`clip_writer`."""

    def __init__(self, path: Path, clip: Clip) -> None:
        """Open the file and copy what the clip says of itself."""
        av = load_av()
        self._path, self._clip = path, clip
        if path.suffix.lower() not in SUFFIXES:
            kinds = ", ".join(SUFFIXES)
            raise ClipError(f"{path}: cannot be written (no kind of clip); use one of {kinds}")
        with explained(path, "written"):
            options = {"movflags": "+faststart+use_metadata_tags"} if _is_mp4(path) else {}
            self._container = av.open(str(path), "w", options=options)
        try:
            with explained(path, "written"):
                self._container.metadata.update(clip.container.metadata)
                self._container.set_chapters(clip.container.chapters())
                self._prepare_video()
                self._copied = dict(self._copies())
                self._container.start_encoding()
        except BaseException:
            self.close()
            raise
        self._queue: queue.Queue[Picture | Packet[Any] | None] = queue.Queue(WAITING)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._encode, daemon=True)
        self._thread.start()

    def _prepare_video(self) -> None:
        import av

        clip, source = self._clip, self._clip.stream.codec_context
        webm = self._path.suffix.lower() == ".webm"
        own = IN_WEBM if webm else source.codec.canonical_name
        name, options = ENCODERS.get(own, ENCODERS[OTHERWISE])
        taken = [f.name for f in av.codec.Codec(name, "w").video_formats or ()]
        form = source.pix_fmt
        if form not in taken or (clip.bits > 8) != _is_deep(form):
            form = FORMATS[8 if clip.bits <= 8 else 10]
        if form not in taken:
            form = taken[0]
        stream = self._container.add_stream(name, rate=Fraction(clip.rate), options=dict(options))
        stream.metadata.update(clip.stream.metadata)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = clip.width, clip.height, form
        context.time_base = clip.time_base
        ratio = source.sample_aspect_ratio
        if ratio:
            context.sample_aspect_ratio = 1 / ratio if clip.rotation % 180 else ratio
        for tag in ("color_range", "color_primaries", "color_trc", "colorspace"):
            setattr(context, tag, getattr(source, tag))
        context.thread_type = "AUTO"
        if own == "hevc" and _is_mp4(self._path):
            context.codec_tag = "hvc1"  # what Apple's players look for
        self._stream, self._form = stream, form

    def _copies(self) -> Iterator[tuple[int, Any]]:
        """A stream of the new file for each that is copied as it is, by its index."""
        for stream in self._clip.container.streams:
            if stream.type not in ("audio", "subtitle"):
                continue
            try:
                copy = self._container.add_stream_from_template(stream, opaque=True)
            except (ValueError, RuntimeError) as error:
                log.warning("%s: its %s is not kept (%s)", self._clip.path, stream.type, error)
                continue
            copy.metadata.update(stream.metadata)
            yield stream.index, copy

    def write(self, part: Picture | Packet[Any]) -> None:
        """Add a relit picture, or a packet of another stream.

        Raises:
            ClipError: if it cannot be written, or one before it could not.
        """
        self._check()
        self._queue.put(part)

    def finish(self) -> None:
        """Write what is left.

        Raises:
            ClipError: if it cannot be written.
        """
        self._queue.put(None)
        self._thread.join()
        self._check()
        with explained(self._path, "written"):
            self._container.mux(self._stream.encode())
            self._container.close()

    def close(self) -> None:
        """Give up."""
        if hasattr(self, "_thread") and self._thread.is_alive():
            self._failure = self._failure or ClipError("given up")
            self._queue.put(None)
            self._thread.join()
        with contextlib.suppress(Exception):
            self._container.close()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _encode(self) -> None:
        """What the encoder's own thread does: it works while the next picture is relit."""
        while (part := self._queue.get()) is not None:
            if self._failure is not None:
                continue  # whoever waits for room must not wait for ever
            try:
                with explained(self._path, "written"):
                    if isinstance(part, Picture):
                        self._container.mux(self._stream.encode(self._frame(part)))
                    elif part.stream.index in self._copied:
                        part.stream = self._copied[part.stream.index]
                        self._container.mux(part)
            except BaseException as error:
                self._failure = error

    def _frame(self, picture: Picture) -> Any:
        from av import VideoFrame
        from av.video.reformatter import ColorRange

        source = self._clip.stream.codec_context
        rgb = np.ascontiguousarray(picture.rgb)
        frame = VideoFrame.from_ndarray(rgb, "rgb24" if rgb.dtype == np.uint8 else "rgb48le")
        frame = frame.reformat(
            format=self._form,
            dst_colorspace=source.colorspace,
            src_color_range=ColorRange.JPEG,
            dst_color_range=source.color_range or ColorRange.MPEG,
        )
        frame.pts, frame.time_base = picture.pts, self._clip.time_base
        return frame


@contextlib.contextmanager
def clip_writer(path: str | Path, clip: Clip) -> Iterator[Callable[[Picture | Packet[Any]], None]]:
    """Write a relit clip, whole or not at all.

    Args:
        path: the new file; its suffix says what kind.
        clip: where pictures, sound and words come from.

    Yields:
        What writes a part.

    Raises:
        ClipError: if it cannot be written.
    """
    destination = Path(path)
    try:
        with whole_file(destination) as temporary, _named(temporary, destination):
            writer = ClipWriter(temporary, clip)
            try:
                yield writer.write
                writer.finish()
            finally:
                writer.close()
    except OSError as error:
        raise ClipError(f"{destination}: cannot be written ({error.strerror or error})") from error


@contextlib.contextmanager
def _named(temporary: Path, destination: Path) -> Iterator[None]:
    """Errors name the file that is wanted, not the one beside it."""
    try:
        yield
    except ClipError as error:
        raise ClipError(str(error).replace(str(temporary), str(destination))) from error


def _is_mp4(path: Path) -> bool:
    return path.suffix.lower() in (".mp4", ".mov", ".m4v")


def _is_deep(form: str | None) -> bool:
    """Whether a pixel format has more than 8 bits a channel."""
    from av.video.format import VideoFormat

    return form is not None and max(c.bits for c in VideoFormat(form).components) > 8
