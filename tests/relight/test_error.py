# SPDX-License-Identifier: Apache-2.0
"""What a command says of an expected failure."""

from __future__ import annotations

import pytest

from relight.error import NoFaceError, RelightError, plain_errors


@pytest.mark.parametrize(
    "error",
    [NoFaceError("photo [/red] [bold].jpg: no face"), PermissionError(13, "Denied", "a[b].jpg")],
)
def test_an_expected_failure_costs_one_line(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught, plain_errors():
        raise error
    assert caught.value.code == 1
    assert capsys.readouterr().err == f"error: {error}\n"


def test_the_kind_of_error_decides_the_exit_status() -> None:
    class LostError(RelightError):
        exit_status = 75

    with pytest.raises(SystemExit) as caught, plain_errors():
        raise LostError("all the others are gone; start again")
    assert caught.value.code == 75


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), plain_errors():
        _ = 1 / 0
