# SPDX-License-Identifier: Apache-2.0
"""Whatever is given as a photo: a relit photo or one clear line, never a traceback."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from command_line import KEY, Run, check_failed
from conftest import ASTRONAUT, FACE
from photo_folder import pixels
from PIL import Image

from relight import Light, NoFaceError, PhotoError, Relighter, load_photo

LIGHT = Light(45, 30)


def file_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


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
        ("--gloss", "nan"),
        ("--gloss", "-1"),
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
    for dtype in (complex, np.int64, bool, object):
        with pytest.raises(TypeError, match="uint8"):
            relighter.relight(np.zeros((50, 50, 3), dtype))
    with pytest.raises(ValueError, match=r"float pixels lie in \[0, 1\]"):
        relighter.relight(np.full((50, 50, 3), 200, np.float32))
    with pytest.raises(TypeError, match="expected"):
        relighter.relight(None)  # type: ignore[arg-type]


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
