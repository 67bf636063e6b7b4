# SPDX-License-Identifier: Apache-2.0
"""Clips in and out: pictures, times, colours, sound and words as they were."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av")

from reel_file import write_clip

from relight.video.clip import Clip, ClipError, Picture
from relight.video.writer import ClipWriter, clip_writer

BT709 = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}
SIZE = (96, 128)


def flag(turn: int = 0) -> np.ndarray:
    """Four colours that tell which way up a picture is, ``(96, 128, 3)``."""
    picture = np.zeros((*SIZE, 3), np.uint8)
    picture[:48, :64], picture[:48, 64:] = (200, 60, 40), (60, 180, 70)
    picture[48:, :64], picture[48:, 64:] = (60, 70, 190), (150, 130, 110)
    return np.ascontiguousarray(np.rot90(picture, turn))


def copy(source: Path, target: Path) -> None:
    with Clip(source) as clip, clip_writer(target, clip) as write:
        for part in clip.parts():
            write(part)


@pytest.mark.parametrize(
    ("suffix", "codec", "form", "sound", "most"),
    [
        (".mp4", "libx264", "yuv420p", "aac", 2.0),
        (".mov", "libx265", "yuv420p10le", "aac", 2.0),
        (".webm", "libvpx-vp9", "yuv420p", "libopus", 3.0),
        (".mkv", "libx264", "yuv444p", "aac", 2.0),
        (".mov", "prores_ks", "yuv422p10le", None, 2.0),
    ],
)
def test_a_clip_comes_out_as_it_went_in(
    suffix: str, codec: str, form: str, sound: str | None, most: float, tmp_path: Path
) -> None:
    """Uneven times, colour tags, title and sound; the same kind of file and pixels."""
    times = [33 * n + 7 * (n % 3) for n in range(12)]
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    write_clip(
        source,
        [flag()] * 12,
        codec=codec,
        form=form,
        times_ms=times,
        sound=sound,
        tags=BT709,
        options=quiet,
        metadata={"title": "Holiday"},
    )
    copy(source, target)
    with Clip(source) as before, Clip(target) as after:
        old, new = list(before.pictures()), list(after.pictures())
        assert len(new) == 12
        assert [p.seconds for p in new] == pytest.approx([p.seconds for p in old], abs=2e-3)
        assert new[0].rgb.dtype == old[0].rgb.dtype == (np.uint16 if "10" in form else np.uint8)
        scale = 257 if new[0].rgb.dtype == np.uint16 else 1
        for a, b in zip(old, new, strict=True):
            assert np.abs(a.rgb.astype(float) - b.rgb).mean() < most * scale
        assert before.bits == after.bits
        one, two = before.stream.codec_context, after.stream.codec_context
        assert one.codec.canonical_name == two.codec.canonical_name
        for tag in BT709:
            assert getattr(one, tag) == getattr(two, tag)
        assert after.container.metadata["title"] == "Holiday"
        kinds = [stream.type for stream in after.container.streams]
        assert kinds == (["video", "audio"] if sound else ["video"])
    if sound:
        assert heard(source) == heard(target)


def heard(path: Path) -> list[bytes]:
    """The packets of a file's sound."""
    import av

    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_clip_is_seen_and_written_upright(turn: int, tmp_path: Path) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    # A phone that is held upright stores its pictures lying.
    write_clip(source, [flag(-turn // 90)] * 3, rotation=turn)
    with Clip(source) as clip:
        first = next(clip.pictures())
        assert (clip.height, clip.width) == first.rgb.shape[:2] == SIZE
        assert np.abs(first.rgb.astype(float) - flag()).mean() < 6
    copy(source, target)
    with Clip(target) as clip:
        assert clip.rotation == 0
        assert np.abs(next(clip.pictures()).rgb.astype(float) - flag()).mean() < 6


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"not a clip at all" * 50, "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_clip_is_told_in_a_sentence(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ClipError, match=words) as caught:
        Clip(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    import av

    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(ClipError, match="no moving pictures"):
        Clip(path)


def test_hdr10_is_refused(tmp_path: Path) -> None:
    tags = BT709 | {"color_trc": 16, "color_primaries": 9, "colorspace": 9}
    path = write_clip(
        tmp_path / "hdr.mp4",
        [flag()] * 3,
        codec="libx265",
        form="yuv420p10le",
        tags=tags,
        options={"x265-params": "log-level=none"},
    )
    with pytest.raises(ClipError, match="PQ"):
        Clip(path)


def test_a_cut_off_clip_gives_its_whole_pictures_or_a_sentence(tmp_path: Path) -> None:
    """And never a half-written output."""
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (*SIZE, 3)).astype(np.uint8) for _ in range(20)]
    write_clip(source, pictures)
    source.write_bytes(source.read_bytes()[:-40_000])
    told = ""
    try:
        copy(source, target)
    except ClipError as error:
        told = str(error)
    if target.exists():
        with Clip(target) as clip:
            assert 0 < len(list(clip.pictures())) < 20
    else:
        assert str(source) in told
    assert {p.name for p in tmp_path.iterdir()} <= {"in.mkv", "out.mkv"}


def test_a_failure_leaves_an_existing_file_alone(tmp_path: Path) -> None:
    source, target = write_clip(tmp_path / "in.mp4", [flag()] * 3), tmp_path / "out.mp4"
    target.write_bytes(b"precious")

    def broken() -> None:
        with Clip(source) as clip, clip_writer(target, clip) as write:
            write(next(clip.pictures()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert target.read_bytes() == b"precious"
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4", "out.mp4"}


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = write_clip(tmp_path / "in.mp4", [flag()] * 8), tmp_path / "out.mp4"

    def full(self: ClipWriter, picture: Picture) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ClipWriter, "_frame", full)
    with pytest.raises(ClipError, match=r"out\.mp4: cannot be written \(No space left"):
        copy(source, target)
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4"}


def test_an_unknown_file_type_is_told_in_a_sentence(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", [flag()] * 3)
    with pytest.raises(ClipError, match=r"out\.xyz: cannot be written"):
        copy(source, tmp_path / "out.xyz")


def test_chapters_are_kept(tmp_path: Path) -> None:
    import av

    source, marked, target = (tmp_path / name for name in ("in.mkv", "marked.mkv", "out.mkv"))
    write_clip(source, [flag()] * 30)
    chapter = {
        "id": 1,
        "start": 0,
        "end": 500,
        "time_base": av.open(str(source)).streams.video[0].time_base,
        "metadata": {"title": "One"},
    }
    with Clip(source) as clip, clip_writer(marked, clip) as write:
        write.__self__._container.set_chapters([chapter])  # type: ignore[attr-defined]
        for part in clip.parts():
            write(part)
    copy(marked, target)
    with av.open(str(target)) as container:
        assert [c["metadata"]["title"] for c in container.chapters()] == ["One"]
