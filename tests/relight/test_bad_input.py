# SPDX-License-Identifier: Apache-2.0
"""Whatever is given as a photo: a relit photo or one clear line, never a traceback."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ASTRONAUT, FACE
from PIL import Image
from typer.testing import Result

from relight import Light, NoFaceError, PhotoError, Relighter, load_photo, save_photo

Run = Callable[..., Result]
KEY = ("--azimuth", "45", "--elevation", "30")
LIGHT = Light(45, 30)
PYTHON = [sys.executable, "-m", "relight_app"]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def file_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def check_failed(result: Result, name: Path | str, *words: str) -> None:
    """One line that names the photo and says what is wrong; exit status 1."""
    assert result.exit_code == 1
    assert result.stdout_bytes == b""
    assert result.stderr.count("\n") == 1
    assert str(name) in result.stderr
    for word in words:
        assert word in result.stderr
    assert "unexpected" not in result.stderr
    assert "Traceback" not in result.stderr


# -- Files that are no photos ---------------------------------------------------------------------

PNG = ASTRONAUT.read_bytes()
JPEG = file_bytes(Image.open(ASTRONAUT), "JPEG")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.jpg", None, "does not exist"),
        ("zero.jpg", b"", "is empty"),
        ("text.jpg", b"Dear diary, today I was no photo.\n" * 9, "is not a photo"),
        ("page.png", b"<!DOCTYPE html><html></html>", "web page"),
        ("film.jpg", b"\0\0\0\x18ftypmp42" + bytes(99), "a video"),
        ("cut.jpg", JPEG[: len(JPEG) // 2], "cut short"),
        ("cut.png", PNG[: len(PNG) // 2], "cut short"),
        ("head.jpg", JPEG[:4], ""),
        ("corrupt.png", PNG[:5000] + bytes(9000) + PNG[14000:], "is damaged"),
        ("noise.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9, ""),
    ],
)
def test_no_photo(run: Run, tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    photo = tmp_path / name
    if content is not None:
        photo.write_bytes(content)
    check_failed(run(photo), photo, words)
    assert sorted(tmp_path.iterdir()) == ([photo] if content is not None else [])
    with pytest.raises(PhotoError, match=name):
        load_photo(photo)


def test_nothing_on_standard_input(run: Run) -> None:
    check_failed(run("-", input=b""), "<stdin>", "is empty")


@pytest.mark.parametrize("content", [{}, {"notes.txt": "words", ".hidden.png": "x"}])
def test_a_folder_without_photos(run: Run, tmp_path: Path, content: dict[str, str]) -> None:
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    result = run(tmp_path)
    assert result.exit_code == 1
    assert f"{tmp_path}: no photos in this folder" in result.stderr
    with pytest.raises(PhotoError, match="is a folder"):
        load_photo(tmp_path)


# -- Photos that are hard to relight --------------------------------------------------------------


def faceless(kind: str, rng: np.random.Generator) -> np.ndarray:
    if kind == "noise":
        return rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
    if kind == "gradient":
        row = np.linspace(0, 255, 400).astype(np.uint8)
        return np.broadcast_to(row[None, :, None], (300, 400, 3)).copy()
    value = 255 if kind == "white" else 0
    return np.full((1, 1, 3) if kind == "pixel" else (300, 400, 3), value, np.uint8)


@pytest.mark.parametrize("kind", ["noise", "gradient", "white", "black", "pixel"])
def test_no_face(run: Run, tmp_path: Path, relighter: Relighter, kind: str) -> None:
    image = faceless(kind, np.random.default_rng(5))
    photo = tmp_path / "nobody.png"
    Image.fromarray(image).save(photo)
    check_failed(run(photo), photo, f"{photo}: no face found in this photo; ")
    assert list(tmp_path.iterdir()) == [photo]
    assert relighter.find_faces(image) == []
    with pytest.raises(NoFaceError, match="no face found"):
        relighter.relight(image)


def test_a_photo_of_16_pixels(
    run: Run, tmp_path: Path, relighter: Relighter, astronaut: np.ndarray
) -> None:
    tiny = np.array(Image.fromarray(astronaut[40:220, 130:310]).resize((16, 16)))
    photo = tmp_path / "tiny.png"
    Image.fromarray(tiny).save(photo)
    check_failed(run(photo), photo, "no face found")
    assert relighter.find_faces(tiny) == []


def test_many_faces(run: Run, tmp_path: Path, relighter: Relighter, astronaut: np.ndarray) -> None:
    crowd = np.tile(astronaut[20:276, 96:352], (3, 4, 1))
    photo = tmp_path / "crowd.png"
    Image.fromarray(crowd).save(photo)
    report = json.loads(run(photo, *KEY, "--json").stdout)
    assert len(report["faces"]) == 12
    change = pixels(tmp_path / "crowd.relit.png").astype(int) - crowd
    for row in range(3):
        for column in range(4):
            face = change[256 * row + 70 : 256 * row + 150, 256 * column + 95 : 256 * column + 170]
            assert face.mean() > 5, f"face {row}, {column} was left dark"
    assert len(relighter.relight(crowd).lights) == 1


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(None), slice(226, None)),
        (slice(None), slice(0, 226)),
        (slice(120, None), slice(None)),
    ],
    ids=["left", "right", "top"],
)
def test_a_face_cut_by_the_border(
    run: Run,
    tmp_path: Path,
    relighter: Relighter,
    astronaut: np.ndarray,
    rows: slice,
    columns: slice,
) -> None:
    image = np.ascontiguousarray(astronaut[rows, columns])
    photo = tmp_path / "cut.png"
    Image.fromarray(image).save(photo)
    assert run(photo, *KEY).exit_code == 0
    relit = pixels(tmp_path / "cut.relit.png")
    assert relit.shape == image.shape
    assert (relit != image).any()
    (face,) = relighter.find_faces(image)
    normals = relighter.analyze(image, face).normals
    known = np.isfinite(normals).all(-1)
    assert known.any()
    np.testing.assert_allclose(np.linalg.norm(normals[known], axis=-1), 1, atol=1e-4)


@pytest.mark.slow
def test_a_photo_of_100_megapixels(
    run: Run, tmp_path: Path, astronaut: np.ndarray, monkeypatch
) -> None:
    huge = np.full((10_000, 10_000, 3), 128, np.uint8)
    huge[2000:7120, 2000:7120] = astronaut.repeat(10, 0).repeat(10, 1)
    photo = tmp_path / "huge.jpg"
    Image.fromarray(huge).save(photo, quality=80)
    del huge
    result = run(photo, *KEY, "--json")
    assert result.exit_code == 0, result.stderr
    assert len(json.loads(result.stdout)["faces"]) == 1
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with Image.open(tmp_path / "huge.relit.jpg") as image:
        assert image.size == (10_000, 10_000)
        image.draft("RGB", (1250, 1250))
        small = np.array(image, int)
    face = small[2000 // 8 + 110 : 2000 // 8 + 210, 2000 // 8 + 240 : 2000 // 8 + 330]
    before = astronaut.astype(int)[FACE].mean()
    assert face.mean() > before + 5


# -- Kinds of pixels and metadata -----------------------------------------------------------------


def test_all_kinds_of_pixels(
    run: Run, tmp_path: Path, relighter: Relighter, astronaut: np.ndarray
) -> None:
    import cv2

    image = Image.fromarray(astronaut)
    alpha = Image.linear_gradient("L").resize(image.size)
    folder = tmp_path / "in"
    folder.mkdir()
    image.convert("L").save(folder / "grey.jpg")
    image.convert("CMYK").save(folder / "cmyk.jpg")
    deep = astronaut.astype(np.uint16) * 257
    cv2.imwrite(str(folder / "deep.png"), deep[..., ::-1])
    image.putalpha(alpha)
    image.save(folder / "alpha.png")
    image.convert("RGB").quantize(200).save(folder / "palette.png")
    result = run(folder, "-o", tmp_path / "out", *KEY, "--jobs", "1")
    assert result.exit_code == 0, result.stderr
    modes = {"grey.jpg": "L", "cmyk.jpg": "RGB", "alpha.png": "RGBA", "palette.png": "RGB"}
    for name, mode in modes.items():
        with Image.open(tmp_path / "out" / name) as relit, Image.open(folder / name) as source:
            assert relit.mode == mode, name
            before = np.array(source.convert("RGB"), int)[FACE]
            assert np.array(relit.convert("RGB"), int)[FACE].mean() > before.mean() + 5, name
            if name == "alpha.png":
                np.testing.assert_array_equal(np.array(relit)[..., 3], np.array(alpha))
    relit16 = cv2.imread(str(tmp_path / "out/deep.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert relit16.dtype == np.uint16
    assert relit16[FACE].mean() > deep[FACE].mean() + 5 * 257
    assert (relit16[FACE] % 257 != 0).mean() > 0.9, "only 8 bits of the 16 are used"
    for file in folder.iterdir():
        photo = load_photo(file)
        relit = relighter.relight(photo, LIGHT).image
        assert relit.dtype == photo.rgb.dtype
        assert relit.shape == photo.shape
        assert relit[FACE].mean() > photo.rgb[FACE].mean()


INVERSE_TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def test_all_orientations(
    run: Run, tmp_path: Path, relighter: Relighter, astronaut: np.ndarray
) -> None:
    upright = Image.fromarray(astronaut[:400])
    expected = relighter.relight(np.array(upright), LIGHT).image
    folder = tmp_path / "in"
    folder.mkdir()
    for orientation, turn in INVERSE_TURNS.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = upright if turn is None else upright.transpose(turn)
        stored.save(folder / f"{orientation}.png", exif=exif)
        turned = relighter.relight(load_photo(folder / f"{orientation}.png"), LIGHT)
        np.testing.assert_array_equal(turned.image, expected)
    result = run(folder, "-o", tmp_path / "out", *KEY, "--jobs", "1")
    assert result.exit_code == 0, result.stderr
    for orientation in INVERSE_TURNS:
        with Image.open(tmp_path / "out" / f"{orientation}.png") as relit:
            assert relit.getexif().get(0x0112, 1) == 1
            np.testing.assert_array_equal(np.array(relit), expected)


# -- Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("--azimuth", "nan"),
        ("--azimuth", "inf"),
        ("--elevation", "91"),
        ("--elevation", "-1e9"),
        ("--intensity", "-0.1"),
        ("--intensity", "inf"),
        ("--intensity", "1e30"),
        ("--strength", "nan"),
        ("--strength", "-1"),
        ("--strength", "1e300"),
        ("--light", "nan,0"),
        ("--light", "0,95"),
        ("--light", "0,0,-1"),
        ("--light", "0,0,1e999"),
        ("--light", "0,0,1,nanK"),
        ("--color", "#12345"),
    ],
)
def test_numbers_out_of_range(run: Run, portrait: Path, arguments: tuple[str, str]) -> None:
    result = run(portrait, *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert list(portrait.parent.iterdir()) == [portrait]


def test_numbers_out_of_range_in_python(relighter: Relighter, astronaut: np.ndarray) -> None:
    for numbers in ((np.nan, 0), (0, np.inf), (0, 91), (0, 0, -1), (0, 0, np.nan)):
        with pytest.raises(ValueError, match=r"finite|elevation|intensity"):
            Light(*numbers)
    for color in ((1, 1), (1, 1, -1), (1, np.nan, 1)):
        with pytest.raises(ValueError, match=r"color|finite"):
            Light(0, 0, color=color)  # type: ignore[arg-type]
    for strength in (np.nan, np.inf, -1.0):
        with pytest.raises(ValueError, match="strength"):
            relighter.relight(astronaut, LIGHT, strength=strength)


def test_the_brightest_light_that_can_be_asked_for(run: Run, portrait: Path) -> None:
    assert run(portrait, "--light", "40,30,100", "--strength", "100").exit_code == 0
    relit = pixels(portrait.with_name("portrait.relit.png")).astype(int)
    assert (relit[FACE] - pixels(portrait)[FACE]).mean() > 20
    assert (relit >= pixels(portrait)).all(), "some pixels overflowed"


def test_arrays_of_the_wrong_kind(relighter: Relighter) -> None:
    for shape in ((0, 0, 3), (10, 0, 3), (10, 10, 2), (10,), (1, 10, 10, 3)):
        with pytest.raises(ValueError, match="shape"):
            relighter.find_faces(np.zeros(shape, np.uint8))
    for dtype in (np.float32, np.int64, bool, object):
        with pytest.raises(TypeError, match="uint8"):
            relighter.relight(np.zeros((50, 50, 3), dtype))
    with pytest.raises(TypeError, match="expected"):
        relighter.relight(None)  # type: ignore[arg-type]


# -- Names and folders ----------------------------------------------------------------------------


def test_odd_names(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "ein Ordner — 写真\n[red]"
    folder.mkdir()
    photos = {"a b.png", "Ünï-肖像 😀.png", "new\nline.png", "[bold]x[red].png", "-dash.png"}
    for name in photos:
        shutil.copy(ASTRONAUT, folder / name)
    (folder / "not\na.jpg").write_text("photo")
    result = run(folder, "--json", "--jobs", "1")
    assert result.exit_code == 1
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    done = {r["photo"] for r in reports if r["status"] != "failed"}
    assert done == {str(folder / name) for name in photos}
    for name in photos:
        assert (folder / name).with_suffix(".relit.png").exists()
    summary = result.stderr[result.stderr.index("6 photos:") :].splitlines()
    assert len(summary) == 2, "a line end in a name broke the line"
    assert "写真\\n[red]" in summary[1]
    assert "not\\na.jpg is not a photo" in summary[1]


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_a_name_that_is_no_text(run: Run, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png")
    shutil.copy(ASTRONAUT, name)
    result = run(name, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["photo"] == name
    assert os.path.exists(name.removesuffix(".png") + ".relit.png")


def test_links_in_circles(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    shutil.copy(ASTRONAUT, folder / "sub" / "a.png")
    (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "self").symlink_to("self")
    (folder / "self.png").symlink_to("self.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    result = run(folder, "-o", tmp_path / "out", "--jobs", "1")
    assert result.exit_code == 1
    assert "3 photos: 1 relit, 2 failed" in result.stderr
    assert [p.name for p in (tmp_path / "out").rglob("*.png")] == ["a.png"]


@pytest.mark.parametrize("link", ["direct", "symbolic", "hard"])
def test_the_output_is_the_input(run: Run, portrait: Path, link: str) -> None:
    target = portrait if link == "direct" else portrait.with_name("link.png")
    if link == "symbolic":
        target.symlink_to(portrait)
    if link == "hard":
        target.hardlink_to(portrait)
    before = portrait.read_bytes()
    result = run(portrait, "-o", target, "--overwrite")
    assert result.exit_code in (1, 2)
    assert "photo itself" in result.stderr or "input" in result.stderr
    assert portrait.read_bytes() == before
    with pytest.raises(PhotoError, match="photo itself"):
        save_photo(load_photo(portrait), target, overwrite=True)


# -- Places that cannot be written ----------------------------------------------------------------


@pytest.mark.parametrize("extra", ["--compare", "--explain", "--json"])
def test_a_full_disk(run: Run, portrait: Path, monkeypatch, extra: str) -> None:
    replace = os.replace
    calls = []

    def fail_at_last(source: object, target: object) -> None:
        calls.append(target)
        if str(target).endswith(".relit.png"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", fail_at_last)
    result = run(portrait, extra, env={"COLUMNS": "400"})
    assert calls
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "No space left on device" in result.stderr
    assert list(portrait.parent.iterdir()) == [portrait], "something unfinished was left"


@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
def test_a_disk_that_is_really_full(run: Run, portrait: Path) -> None:
    disk = portrait.with_name("disk")
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a small disk")
    try:
        for extra in ((), ("--compare",), ("--explain",)):
            result = run(portrait, "-o", disk / "out.png", *extra)
            check_failed(result, "out.", "No space left on device")
            assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_a_pipe(portrait: Path) -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run([*PYTHON, portrait, "-o", "-"], stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 1
    assert result.stderr.count(b"\n") == 1
    assert b"No space left on device" in result.stderr


def test_a_folder_that_may_not_be_written(run: Run, portrait: Path) -> None:
    folder = Path("/sys/kernel")  # not even root may
    if os.geteuid() != 0:
        folder = portrait.with_name("closed")
        folder.mkdir(mode=0o500)
    elif not folder.is_dir():
        pytest.skip("runs as root, who may write everywhere")
    check_failed(run(portrait, "-o", folder), folder, "cannot write", "ermission denied")


def test_an_output_folder_below_a_file(run: Run, portrait: Path) -> None:
    (portrait.parent / "in").mkdir()
    shutil.copy(portrait, portrait.parent / "in")
    result = run(portrait.parent / "in", "-o", portrait.with_name("portrait.png") / "out")
    assert result.exit_code == 1
    assert "Not a directory" in result.stderr


def test_nobody_reads_the_output(portrait: Path) -> None:
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    for arguments in (["-o", "-"], ["--json"]):
        command = [*PYTHON, portrait, *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered
        )
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait(60) == 1
        assert "rror" not in errors
        assert "Traceback" not in errors


def test_killed_in_the_middle_and_run_again(run: Run, tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    count = 10
    for index in range(count):
        shutil.copy(ASTRONAUT, folder / f"{index:02}.png")
    command = [*PYTHON, folder, "-o", output, *KEY, "--jobs", "2"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not any(output.glob("[!.]*")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    first = {path: path.read_bytes() for path in output.glob("[!.]*")}
    assert 0 < len(first) < count
    result = run(folder, "-o", output, *KEY, "--jobs", "1")
    assert result.exit_code == 0, result.stderr
    assert f"{count - len(first)} relit, {len(first)} already done" in result.stderr
    relit = {path: path.read_bytes() for path in output.glob("[!.]*")}
    assert len(relit) == count
    assert len(set(relit.values())) == 1, "some photo was half-written"


# -- Real photos ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_real_photos(run: Run, real_photos: Path, tmp_path: Path) -> None:
    result = run(real_photos, "-o", tmp_path, "--json", "--strength", "0.5")
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(reports) > 0
    for report in reports:
        if report["status"] == "failed":
            assert "no face found" in report["error"], report
        else:
            assert pixels(Path(report["output"])).shape[:2] == (report["height"], report["width"])
