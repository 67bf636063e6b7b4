# SPDX-License-Identifier: Apache-2.0
"""What is told of a face's brightness."""

from __future__ import annotations

import pytest

from relight import Light
from relight.placement.solution import Outcome
from relight.placement.wording import lit


@pytest.mark.parametrize(
    ("brightness", "told"),
    [
        (1.35, "; loop, and the face is raised by 0.4 stops. "),
        (1.05, "; loop. "),
        (0.95, "; loop. "),
        (0.82, "; loop, and the face is 0.3 stops darker. "),
    ],
)
def test_a_reason_tells_how_bright_the_face_becomes(brightness: float, told: str) -> None:
    found = Outcome(1.2, 0.6, 0.5, 2.0, brightness, 12.0)
    assert told in lit(Light(45, 30), 0.6, 1.2, found, 2.0, "loop")
