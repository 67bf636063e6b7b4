# SPDX-License-Identifier: Apache-2.0
"""Small clips, as cameras write them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

MS = Fraction(1, 1000)


def write_clip(
    path: Path,
    pictures: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    form: str = "yuv420p",
    times_ms: Sequence[int] | None = None,
    sound: str | None = None,
    rotation: int = 0,
    tags: dict[str, int] | None = None,
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A clip of pictures ``(H, W, 3)`` uint8 or uint16, 30 a second unless times are given."""
    import av

    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=30, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, form
        stream.codec_context.time_base = MS
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        if rotation:
            stream.set_display_rotation(rotation)
        audio = container.add_stream(sound, rate=48000, layout="mono") if sound else None
        for number, picture in enumerate(pictures):
            kind = "rgb24" if picture.dtype == np.uint8 else "rgb48le"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), kind)
            frame = frame.reformat(format=form, dst_colorspace=(tags or {}).get("colorspace"))
            frame.pts = times_ms[number] if times_ms else round(number * 1000 / 30)
            frame.time_base = MS
            container.mux(stream.encode(frame))
            if audio is not None:
                _tone(container, audio, number)
        container.mux(stream.encode())
        if audio is not None:
            container.mux(audio.encode())
    return path


def _tone(container: Any, audio: Any, number: int) -> None:
    import av

    wave = np.sin(np.arange(1600) / 10 + number).astype(np.float32)[None]
    frame = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
    frame.sample_rate, frame.pts = 48000, number * 1600
    container.mux(audio.encode(frame))
