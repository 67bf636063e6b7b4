# SPDX-License-Identifier: Apache-2.0
"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from relight.storage import whole_file


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_the_file_appears_when_the_block_succeeds_and_not_before(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    with whole_file(target) as temporary:
        temporary.write_bytes(b"half")
        assert not target.exists()
        temporary.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert names(tmp_path) == ["out.png"]


def test_an_existing_file_is_replaced_at_once(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    with whole_file(target) as temporary:
        temporary.write_bytes(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize("failure", [ValueError, OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("existing", [True, False])
def test_a_failure_leaves_everything_as_it_was(
    tmp_path: Path, failure: type[BaseException], existing: bool
) -> None:
    target = tmp_path / "out.png"
    if existing:
        target.write_bytes(b"old")
    before = names(tmp_path)

    def write_half() -> None:
        with whole_file(target) as temporary:
            temporary.write_bytes(b"half")
            raise failure("stop")

    with pytest.raises(failure, match="stop"):
        write_half()
    assert names(tmp_path) == before
    if existing:
        assert target.read_bytes() == b"old"


def test_a_failure_before_anything_is_written_is_the_one_reported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="early"), whole_file(tmp_path / "out.png"):
        raise ValueError("early")
    assert names(tmp_path) == []


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "out.png"):
        pass
    assert names(tmp_path) == []


def test_no_such_folder_is_an_os_error(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError),
        whole_file(tmp_path / "none" / "out.png") as temporary,
    ):
        temporary.write_bytes(b"x")


def test_a_folder_in_the_way_is_an_os_error_and_stays(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    target.mkdir()
    (target / "inside").write_bytes(b"kept")
    with pytest.raises(OSError, match=r"."), whole_file(target) as temporary:
        temporary.write_bytes(b"x")
    assert names(tmp_path) == ["out.png"]
    assert names(target) == ["inside"]


def test_the_temporary_lies_beside_its_target_hidden_and_with_its_suffix(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.b.exr") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".exr"
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"")


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    with whole_file(target) as one, whole_file(target) as two:
        assert one != two
        one.write_bytes(b"one")
        two.write_bytes(b"two")
    assert target.read_bytes() == b"one"
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize("name", ["n" * 251 + ".png", "顔" * 83 + ".png"], ids=["ascii", "wide"])
def test_the_longest_name_a_file_system_takes_can_be_written(tmp_path: Path, name: str) -> None:
    assert len(os.fsencode(name)) <= 255
    with whole_file(tmp_path / name) as temporary:
        temporary.write_bytes(b"x")
    assert names(tmp_path) == [name]
