# SPDX-License-Identifier: Apache-2.0
"""Model cards say what the evaluations and the runs say, and nothing of a machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow")

from typer.testing import CliRunner

from training.card import CARDS
from training.judge.captured_person import SubjectFigures
from training.judge.fairness import SECTORS, THIRDS
from training.judge.report import FIGURES
from training.model_card import app, write_cards
from training.networks.network import NETWORKS
from training.train import TrainConfig

ROWS = ("no light", "stages")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Runs, evaluation and an empty place for the cards; every figure is another number."""
    runs, evaluation = tmp_path / "runs", tmp_path / "evaluation"
    for name in ("normals", "lighting"):
        config = asdict(TrainConfig(name, "/somewhere/stage", "/somewhere/hdri", epoch_steps=240))
        record = {"config": config, "commit": "abc123", "keras": "3.0", "backend": "jax"}
        write(runs / name / "config.json", record)
        write(runs / name / "state.json", {"epoch": 18})
    subjects = [
        SubjectFigures(
            subject=f"yaleB{i:02d}",
            albedo=0.1 * i,
            normals_deg=9.5 + i,
            residual={"ambient": dict.fromkeys(ROWS, 0.031), "left": dict.fromkeys(ROWS, 0.041)},
            rmse=dict.fromkeys(ROWS, 0.0456),
            ssim=dict.fromkeys(ROWS, 0.912),
            light_deg=7.5 + i,
            faces_found=1.0,
            hard={"hard top": dict.fromkeys(ROWS, 0.123)},
            analytic={"normals_deg": 15.5, "light_deg": 20.5},
        )
        for i in (1, 2)
    ]
    write(evaluation / "yaleb.json", [asdict(item) for item in subjects])
    write(evaluation / "synthetic.json", synthetic())
    return runs, evaluation, tmp_path / "cards"


def synthetic() -> dict[str, Any]:
    def means(shift: float) -> dict[str, Any]:
        return {
            name: {
                "mean": shift + i,
                "tone": {group: shift + i + 0.1 * k for k, group in enumerate(THIRDS)},
                "light": {group: None if group == "below" else shift + i for group in SECTORS},
            }
            for i, name in enumerate(FIGURES)
        }

    ratio = {"darkest": 0.91, "middle": 0.95, "lightest": 1.02}
    return {
        "config": {"pairs": 512},
        "tones": {f"subject-{i}": 0.1 * i for i in range(7)},
        "figures": {"network": means(100), "analytic": means(200), "classical": means(300)},
        "exposure": {"network": {"ratio": ratio, "dark_to_light": 0.89, "passed": False}},
    }


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_a_card_for_every_network(folders: tuple[Path, Path, Path]) -> None:
    written = write_cards(*folders)
    assert {path.stem for path in written} == set(CARDS)
    told = [one for name, card in CARDS.items() for one in card.networks or (name,)]
    assert {*told, "quotient"} == set(NETWORKS)
    shown = [key for card in CARDS.values() for key in card.figures]
    assert sorted(shown) == sorted(FIGURES)
    for path in written:
        text = path.read_text()
        for section in ("Inputs and outputs", "Training data", "Recipe", "Limits", "Licence"):
            assert f"\n## {section}\n" in text
        assert text.index("## Figures on real people") < text.index("## Figures on synthetic")
        of_a_run = path.stem != "gain"
        for words in ("4,320 of 16", "69,120 samples", "abc123", "No photo of a real person"):
            assert (words in text) == of_a_run
        assert "/somewhere" not in text
        names, text = list(FIGURES), text[text.index("## Figures on synthetic") :]
        for key in CARDS[path.stem].figures:
            row = next(
                line for line in text.splitlines() if line.startswith(f"| {FIGURES[key].title}")
            )
            assert f"{100 + names.index(key):.{FIGURES[key].places}f}" in row
            assert f"{200 + names.index(key):.{FIGURES[key].places}f}" in row


def test_cards_show_real_figures_and_groups(folders: tuple[Path, Path, Path]) -> None:
    normals, lighting, gain = (path.read_text() for path in write_cards(*folders))
    assert "| normals inside the face mesh, deg | 11.0 | 15.5 |" in normals  # of both subjects
    assert "| direction of a single lamp, deg | 9.0 | 20.5 |" in lighting
    assert "| normals, face, deg | 11.0 | 10.5 | - | 11.5 |" in normals
    assert "dark over light 0.89" in lighting
    assert "| stages | 0.036 | 0.123 | 0.046 | 0.912 |" in gain
    assert "| normals, face, deg | 100.0 | 100.0 | 100.1 | 100.2 |" in normals
    assert "| normals, face, deg | 100.0 | 100.0 | 100.0 | 100.0 | - | 100.0 |" in normals


def test_every_input_and_output_is_explained(folders: tuple[Path, Path, Path]) -> None:
    for path in write_cards(*folders):
        text = path.read_text()
        networks = [NETWORKS[name]() for name in CARDS[path.stem].networks or (path.stem,)]
        tensors = [t for n in networks for t in (*n.input.items(), *n.output.items())]
        for name, tensor in tensors:
            shape = " x ".join(str(side) for side in tensor.shape[1:])
            assert f"| `{name}` | {shape} |" in text


@pytest.mark.parametrize(
    ("missing", "cure"),
    [
        ("evaluation/yaleb.json", "training.evaluate yaleb"),
        ("evaluation/synthetic.json", "training.evaluate synthetic"),
        ("runs/lighting/config.json", "training.train lighting"),
    ],
)
def test_what_is_missing_is_named_with_its_cure(
    folders: tuple[Path, Path, Path], missing: str, cure: str
) -> None:
    runs, evaluation, out = folders
    (runs.parent / missing).unlink()
    arguments = ["--runs", str(runs), "--evaluation", str(evaluation), "--out", str(out)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    said = "".join(done.output.split())
    assert Path(missing).name in said
    assert "".join(cure.split()) in said


def test_figures_of_no_network_make_no_card(folders: tuple[Path, Path, Path]) -> None:
    runs, evaluation, out = folders
    content = synthetic()
    del content["figures"]["network"]
    write(evaluation / "synthetic.json", content)
    arguments = ["--runs", str(runs), "--evaluation", str(evaluation), "--out", str(out)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "judge the networks" in " ".join(done.output.split())
