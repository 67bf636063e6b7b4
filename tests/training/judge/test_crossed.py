# SPDX-License-Identifier: Apache-2.0
"""Networks trained further on other people of the rig that they are judged on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("keras")

from drawn_capture import draw_capture

from relight import Light, Relighter
from relight.stage.analysis import key_gain
from relight.stage.quotient import shading_inputs
from relight.stage.tflite import TfliteStages
from training import evaluate
from training.judge import yaleb
from training.judge.look.captured_face import captured_faces
from training.judge.look.crossed import ROWS, judge_crossed
from training.judge.look.further import LampFace, joined
from training.networks.weight_file import SHIPPED, load_network
from training.split.split_stages import SplitStages

KEYS = [(-40, 0), (35, 20)]
LAMPS = [
    *KEYS,
    *((-55, 0), (55, 0), (65, 0), (-65, 0), (-80, 0), (80, 0), (0, 45), (0, 65)),
    *((0, 0), (10, 0), (-10, 0), (0, 20), (0, -20), (10, 20)),
]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, relighter: Relighter) -> list[Path]:
    """Two subjects who differ by how bright their skin is."""
    root = tmp_path_factory.mktemp("yale")
    folders = [root / "yaleB01", root / "yaleB02"]
    for folder, bright in zip(folders, (1.0, 0.8), strict=True):
        draw_capture(folder, relighter, LAMPS, bright)
    return folders


def networks() -> dict:
    return {name: load_network(name, SHIPPED) for name in ("shading", "key")}


def test_what_is_trained_is_what_is_judged(people: list[Path], relighter: Relighter) -> None:
    """Both networks as one add the light that the stages do, but for what follows the networks."""

    class Plain(SplitStages):
        def log_shading(self, view, surface, environment):
            return self.ask("shading", shading_inputs(view, surface, environment), view.mirrored)[
                "log_shading"
            ]

    capture = yaleb.load(people[0])
    with_networks = networks()
    stages, model = Plain(TfliteStages(), with_networks), joined(with_networks)
    for captured in captured_faces(relighter, capture):
        if captured.kind not in ("left", "right"):
            continue
        face = LampFace.of(captured, stages, capture)
        seen = captured.analysis
        assert len(face.keys) == len(KEYS)
        for number, index in enumerate(capture.key_indices()):
            light = Light(capture.azimuths_deg[index], capture.elevations_deg[index])
            gain = key_gain(stages, seen, light).head[..., 0]
            told, truth = face.example(number)
            added = model.predict_on_batch({name: x[None] for name, x in told.items()})[0, ..., 0]
            turn = slice(None, None, -1 if seen.view.mirrored else 1)
            np.testing.assert_allclose(added[:, turn], face.linear * gain, rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(truth[:, turn], face.keys[number].truth)


@pytest.mark.slow
def test_others_under_the_same_lamps_teach(people: list[Path], relighter: Relighter) -> None:
    found = judge_crossed(TfliteStages(), relighter, people, steps=12)
    assert len(found) == 2
    for one in found:
        assert list(one) == list(ROWS)
        for by_kind in one.values():
            assert tuple(by_kind) == (*yaleb.MIXED_KINDS, *yaleb.HARD_KINDS)
    before, shading, key, both = (
        np.mean([list(one[row].values()) for one in found]) for row in ROWS
    )
    assert both <= before
    assert len({before, shading, key, both}) == 4


def test_one_person_costs_one_line(tmp_path: Path) -> None:
    (tmp_path / "yaleB01").mkdir()
    done = CliRunner().invoke(evaluate.app, ["crossed", "--root", str(tmp_path)])
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert "two or more" in done.stderr
