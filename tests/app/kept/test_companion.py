# SPDX-License-Identifier: Apache-2.0
"""What goes along with a relit photo: its file's dates and its XMP sidecars."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from command_line import KEY, Run
from photo_folder import names, tree
from relight_app.companion import copy_dates, copy_sidecar, sidecars

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/' xmp:Rating='5' tiff:Orientation='6'/>"
UPRIGHT = XMP.replace(b"'6'", b"'1'")
OLD = 981173106 * 10**9 + 123456789


def test_dates_are_kept_on_request(run: Run, portrait: Path) -> None:
    os.utime(portrait, ns=(OLD, OLD))
    (portrait.with_suffix(".xmp")).write_bytes(XMP)
    assert run(portrait, *KEY, "--keep-dates").exit_code == 0
    for name in ("portrait.relit.png", "portrait.relit.xmp"):
        assert portrait.with_name(name).stat().st_mtime_ns == OLD
    plain = portrait.with_name("plain.png")
    assert run(portrait, *KEY, "-o", plain).exit_code == 0
    assert plain.stat().st_mtime_ns > OLD


@pytest.mark.parametrize("arguments", [("-",), ("PHOTO", "-o", "-")])
def test_streams_have_no_dates(run: Run, portrait: Path, arguments: tuple[str, ...]) -> None:
    words = [str(portrait) if word == "PHOTO" else word for word in arguments]
    result = run(*words, "--keep-dates", input=portrait.read_bytes())
    assert result.exit_code == 2
    assert "streams have no dates" in result.stderr


def test_dates_that_cannot_be_set_are_a_warning(
    run: Run, portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuse)
    result = run(portrait, *KEY, "--keep-dates")
    assert result.exit_code == 0
    assert "cannot be given to" in result.stderr
    assert "Operation not permitted" in result.stderr
    assert copy_dates(portrait.with_name("gone"), portrait) is not None


def test_sidecars_of_a_batch_come_along(run: Run, tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.png", "sub/b.png", "c.png")
    (folder / "a.xmp").write_bytes(XMP)
    (folder / "sub/b.png.XMP").write_bytes(XMP)
    (folder / "other.xmp").write_bytes(XMP)
    out = tmp_path / "out"
    result = run(folder, *KEY, "-o", out, "--jobs", "1", "--json")
    assert result.exit_code == 0, result.stderr
    assert names(out) == {"a.png", "a.xmp", "sub/b.png", "sub/b.png.xmp", "c.png"}
    for name in ("a.xmp", "sub/b.png.xmp"):
        assert (out / name).read_bytes() == UPRIGHT, "upright, as its photo is"
    assert '"warnings"' not in result.stdout
    assert f'"sidecar": "{out / "a.xmp"}"' in result.stdout


def test_no_sidecar_is_ever_replaced(run: Run, portrait: Path) -> None:
    sidecar, taken = portrait.with_suffix(".xmp"), portrait.with_name("b.xmp")
    sidecar.write_bytes(XMP)
    taken.write_bytes(b"another photo's")
    result = run(portrait, *KEY, "-o", portrait.with_name("b.png"), "--overwrite")
    assert result.exit_code == 0
    assert f"{taken} exists" in result.stderr
    assert taken.read_bytes() == b"another photo's"
    result = run(portrait, *KEY, "-o", portrait.with_suffix(".jpg"))
    assert result.exit_code == 0
    assert "not copied" not in result.stderr, "it serves both"
    assert sidecar.read_bytes() == XMP


def test_a_sidecar_that_cannot_be_copied_is_a_warning(tmp_path: Path) -> None:
    source = tmp_path / "a.xmp"
    source.write_bytes(XMP)
    assert copy_sidecar(source, tmp_path / "no" / "b.xmp") is not None
    with source.open("ab") as file:
        file.truncate(65 << 20)
    assert "no XMP" in str(copy_sidecar(source, tmp_path / "b.xmp"))
    assert names(tmp_path) == {"a.xmp"}


def test_sidecars_are_found_by_both_customs(tmp_path: Path) -> None:
    for name in ("a.xmp", "a.jpg.xmp", "a.heic.xmp"):
        (tmp_path / name).write_bytes(XMP)
    found = sidecars(tmp_path / "a.jpg", Path("out/a.relit.jpg"))
    assert [(source.name, str(target)) for source, target in found] == [
        ("a.xmp", "out/a.relit.xmp"),
        ("a.jpg.xmp", "out/a.relit.jpg.xmp"),
    ]


def test_a_repeated_run_finds_its_own_sidecar(run: Run, portrait: Path) -> None:
    portrait.with_suffix(".xmp").write_bytes(XMP)
    assert run(portrait, *KEY).exit_code == 0
    again = run(portrait, *KEY, "--overwrite")
    assert (again.exit_code, "not copied" in again.stderr) == (0, False)
    shutil.copy(portrait.with_suffix(".xmp"), portrait.with_name("portrait.relit.xmp"))
    assert "is not copied over it" in run(portrait, *KEY, "--overwrite").stderr
