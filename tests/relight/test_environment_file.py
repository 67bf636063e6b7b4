# SPDX-License-Identifier: Apache-2.0
"""Environment maps as files: what is kept, and what is refused in one line."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from environment_map import all_directions, bumpy

import relight
from relight import Environment, EnvironmentFileError, RelightError

ROOT = Path(relight.__file__).parents[1]


def write_exr(path: Path, channels: dict[str, np.ndarray]) -> Path:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))
    return path


def check_one_line_naming(error: BaseException, path: Path) -> None:
    assert isinstance(error, EnvironmentFileError)
    assert isinstance(error, RelightError)
    assert path.name in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("height", [2, 16, 40])
def test_hdr_keeps_light_within_one_percent_of_its_peak(tmp_path: Path, height: int) -> None:
    environment = bumpy(1, height)
    path = environment.save(tmp_path / "probe.hdr")
    loaded = Environment.load(path)
    assert loaded.data.shape == environment.data.shape
    # Shared exponent: the error is relative to the pixel's brightest channel.
    peak = environment.data.max(-1, keepdims=True)
    assert (np.abs(loaded.data - environment.data) <= 0.01 * peak).all()


@pytest.mark.parametrize("height", [2, 16, 40])
def test_exr_keeps_light_exactly(tmp_path: Path, height: int) -> None:
    environment = bumpy(1, height)
    loaded = Environment.load(environment.save(tmp_path / "probe.exr"))
    np.testing.assert_array_equal(loaded.data, environment.data)


def test_files_are_seen_the_same_by_others(tmp_path: Path) -> None:
    """Row 0 up and red first, as another reader of the file sees it."""
    data = np.zeros((4, 8, 3), np.float32)
    data[0, 1] = (4, 2, 1)
    path = Environment(data).save(tmp_path / "probe.exr")
    with OpenEXR.File(str(path), separate_channels=True) as file:
        channels = file.channels()
        assert [float(channels[c].pixels[0, 1]) for c in "RGB"] == [4, 2, 1]
    header = (Environment(data).save(tmp_path / "probe.hdr")).read_bytes()
    assert header.startswith(b"#?R")
    assert b"-Y 4 +X 8" in header


def test_save_returns_its_path_and_takes_text_and_capitals(tmp_path: Path) -> None:
    target = tmp_path / "Probe.HDR"
    assert Environment.uniform().save(str(target)) == target
    assert Environment.load(str(target), height=8).data.shape == (8, 16, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["Probe.HDR"]


@pytest.mark.parametrize("suffix", [".hdr", ".exr"])
def test_a_missing_file_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"nothing{suffix}"
    with pytest.raises(EnvironmentFileError) as caught:
        Environment.load(path)
    check_one_line_naming(caught.value, path)
    assert "No such file" in str(caught.value)


@pytest.mark.parametrize("name", ["probe.png", "probe", "probe.hdr.txt"])
def test_other_suffixes_are_refused_both_ways(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(EnvironmentFileError) as caught:
        Environment.uniform().save(path)
    check_one_line_naming(caught.value, path)
    assert not path.exists()
    path.write_bytes(b"anything")
    with pytest.raises(EnvironmentFileError) as caught:
        Environment.load(path)
    check_one_line_naming(caught.value, path)


def truncations(path: Path) -> list[tuple[int, BaseException | None]]:
    """What loading says to a file cut short, at lengths all over it."""
    whole = path.read_bytes()
    lengths = sorted({0, 1, 10, *range(0, len(whole), max(1, len(whole) // 60)), len(whole) - 1})
    outcomes: list[tuple[int, BaseException | None]] = []
    for length in lengths:
        path.write_bytes(whole[:length])
        try:
            Environment.load(path)
            outcomes.append((length, None))
        except Exception as error:  # every kind is judged below
            outcomes.append((length, error))
    return outcomes


@pytest.mark.parametrize("suffix", [".hdr", ".exr"])
def test_a_file_cut_short_anywhere_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    path = bumpy(3).save(tmp_path / f"probe{suffix}")
    for length, error in truncations(path):
        assert error is not None, f"{length} bytes were taken for a whole file"
        check_one_line_naming(error, path)


@pytest.mark.parametrize("suffix", [".hdr", ".exr"])
def test_a_broken_file_costs_one_line_and_nothing_else_on_stderr(
    tmp_path: Path, suffix: str
) -> None:
    path = bumpy(3).save(tmp_path / f"probe{suffix}")
    path.write_bytes(path.read_bytes()[:1200])
    script = (
        "import sys; from relight import Environment, EnvironmentFileError\n"
        "try: Environment.load(sys.argv[1])\n"
        "except EnvironmentFileError: sys.exit(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


@pytest.mark.parametrize("suffix", [".hdr", ".exr"])
def test_another_kind_of_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"probe{suffix}"
    for content in (b"", b"\x89PNG\r\n\x1a\n" + bytes(50), os.urandom(400)):
        path.write_bytes(content)
        with pytest.raises(EnvironmentFileError) as caught:
            Environment.load(path)
        check_one_line_naming(caught.value, path)


@pytest.mark.parametrize("shape", [(16, 16), (16, 31), (32, 16)])
def test_a_map_that_is_not_twice_as_wide_as_high_is_refused(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    path = write_exr(tmp_path / "square.exr", {"RGB": np.ones((*shape, 3), np.float32)})
    with pytest.raises(EnvironmentFileError) as caught:
        Environment.load(path)
    check_one_line_naming(caught.value, path)
    assert f"{shape[1]} x {shape[0]}" in str(caught.value)


def test_nan_and_negative_radiances_of_a_file_are_dark(tmp_path: Path) -> None:
    data = np.ones((4, 8, 3), np.float32)
    data[0, 0], data[1, 1] = np.nan, -3
    loaded = Environment.load(write_exr(tmp_path / "nan.exr", {"RGB": data}))
    assert not loaded.data[0, 0].any()
    assert not loaded.data[1, 1].any()
    assert loaded.data.sum() == 3 * 30


def test_infinite_radiances_of_a_file_leave_finite_light(tmp_path: Path) -> None:
    data = np.ones((16, 32, 3), np.float32)
    data[2:8, 3:20] = np.inf
    loaded = Environment.load(write_exr(tmp_path / "sun.exr", {"RGB": data}))
    assert np.isfinite(loaded.power()).all()
    assert np.isfinite(loaded.irradiance(all_directions())).all()
    assert math.isfinite(loaded.key_to_fill())


def test_alpha_is_ignored_and_grey_files_are_grey_light(tmp_path: Path) -> None:
    rgba = np.ones((4, 8, 4), np.float32) * [3, 2, 1, 0.5]
    loaded = Environment.load(write_exr(tmp_path / "a.exr", {"RGBA": rgba.astype(np.float32)}))
    np.testing.assert_array_equal(loaded.data[2, 3], [3, 2, 1])
    grey = np.full((4, 8), 7, np.float32)
    loaded = Environment.load(write_exr(tmp_path / "y.exr", {"Y": grey}))
    np.testing.assert_array_equal(loaded.data[2, 3], [7, 7, 7])


def test_a_file_without_colour_says_so(tmp_path: Path) -> None:
    path = write_exr(tmp_path / "depth.exr", {"Z": np.ones((4, 8), np.float32)})
    with pytest.raises(EnvironmentFileError, match="Z") as caught:
        Environment.load(path)
    check_one_line_naming(caught.value, path)


@pytest.mark.parametrize("suffix", [".hdr", ".exr"])
def test_saving_into_no_folder_is_an_error_that_names_the_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "nowhere" / f"probe{suffix}"
    with pytest.raises(EnvironmentFileError) as caught:
        Environment.uniform().save(path)
    check_one_line_naming(caught.value, path)
