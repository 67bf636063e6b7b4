# SPDX-License-Identifier: Apache-2.0
"""What a terminal is shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from relight_app.terminal import printable


@given(st.text(max_size=40))
def test_printable_text_is_one_line(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    if text.isprintable():
        assert shown == text
