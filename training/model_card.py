# SPDX-License-Identifier: Apache-2.0
"""Model cards: what each network is, what it was trained on, how good it is and for whom.

``python -m training.model_card --runs DIR --evaluation DIR --out docs/models`` fills them in from
the training runs' ``config.json`` and from the figures in ``yaleb.json`` and ``synthetic.json``, so
that no figure is copied by hand.

Reference: Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import typer
from rich.console import Console

from relight.error import RelightError, plain_errors
from relight.storage import whole_file
from training.card import CARDS, LIMITS, Card
from training.judge.captured_person import STAGES, SubjectFigures, mean_figures
from training.judge.fairness import SECTORS, THIRDS
from training.judge.report import FIGURES, REAL, Figure, summarize_real
from training.networks.network import NETWORKS

METHOD = "network"
"""The method in ``synthetic.json`` that the cards are about."""


class CardError(RelightError):
    """Something that a card is made from is missing."""


def card(
    name: str, run: dict[str, Any] | None, people: list[SubjectFigures], synthetic: dict[str, Any]
) -> str:
    """A card as Markdown.

    Args:
        name: of the card.
        run: ``config.json`` of its training, with ``epoch`` of its ``state.json``; ``None`` for a
            card that tells itself what its networks were trained on.
        people: figures of Extended Yale B, one a person.
        synthetic: content of ``synthetic.json``.

    Raises:
        KeyError: if something is not in there.
    """
    card = CARDS[name]
    networks = [NETWORKS[one]() for one in card.networks or (name,)]
    given, made = ({k: v for n in networks for k, v in side(n).items()} for side in (_in, _out))
    counts = " and ".join(f"{network.count_params():,}" for network in networks)
    room = "split" if card.networks else "networks"
    own = synthetic["figures"][METHOD]
    parts = [
        f"# {card.title}",
        card.purpose,
        "## Inputs and outputs",
        _table(
            ("", "name", "shape", "what"),
            [*_tensors("in", given, card.inputs), *_tensors("out", made, card.outputs)],
        ),
        f"{counts} parameters. Architecture: `training/{room}`.",
        "## Training data",
        card.data if run is None else _data(run),
        "## Recipe",
        card.loss,
        *([] if run is None else [_recipe(run)]),
        "## Figures on real people",
        "Extended Yale B: one-light-at-a-time photographs, truth by photometric stereo. The whole"
        " chain is judged: each stage gets the output of the one before.",
        _real(name, asdict(mean_figures(people))),
        "By skin tone:",
        _real_groups(card, people),
        "## Figures on synthetic people",
        f"{synthetic['config']['pairs']} photos of {len(synthetic['tones'])} people in light,"
        " both never trained on, judged by the same chain. Analytic: no network,"
        " see `training/analytic/analytic_stages.py`. Yardstick: see"
        " `training/analytic/classical_stages.py`.",
        _table(
            ("", *synthetic["figures"], "yardstick"),
            [
                (
                    FIGURES[key].title,
                    *(_shown(m[key]["mean"], FIGURES[key]) for m in synthetic["figures"].values()),
                    FIGURES[key].yardstick,
                )
                for key in card.figures
            ],
        ),
        "## For whom, and in which light",
        "The same figures by skin tone (equal thirds by mean albedo) and by where the light is: the"
        " key for the key gain, else the light already there.",
        _groups(card, own, "tone", THIRDS),
        _groups(card, own, "light", SECTORS),
    ]
    if name == "lighting":
        parts.append(_exposure(synthetic["exposure"][METHOD]))
    parts += [
        "## Limits",
        "\n".join(f"- {limit}" for limit in (*card.limits, *LIMITS)),
        "## Licence",
        "Apache-2.0. Of its training data, ICT-FaceKit is under MIT and the HDR maps are CC0;"
        " everything else is procedural, made by this repository's code.",
    ]
    return "\n\n".join(parts) + "\n"


def _in(network: keras.Model) -> dict[str, Any]:
    inputs: dict[str, Any] = network.input
    return inputs


def _out(network: keras.Model) -> dict[str, Any]:
    outputs: dict[str, Any] = network.output
    return outputs


def _data(run: dict[str, Any]) -> str:
    """What a run of ``training.train`` learned from."""
    maps = "HDR maps and procedural ones" if run["config"]["environments"] else "procedural maps"
    return (
        "People made by the virtual Light Stage (`data_synth`, see"
        " [light-stage.md](../light-stage.md)): heads of ICT-FaceKit with procedural skin, eyes,"
        " hair, beards, glasses, headwear and clothes, photographed under one light at a time from"
        f" several cameras and relit by {maps}. No photo of a real person was used. Every tenth"
        " subject and every tenth environment were kept for the figures below."
    )


def _recipe(run: dict[str, Any]) -> str:
    """How a run of ``training.train`` went."""
    config, batches = run["config"], run["config"]["batches"]
    steps = min(config["steps"], run["epoch"] * config["epoch_steps"])
    seen = steps * batches["batch"]
    return _table(
        ("", ""),
        [
            ("batches", f"{steps:,} of {batches['batch']}, {seen:,} samples"),
            *_origin(config["initial_weights"]),
            ("optimiser", f"Adam, cosine schedule from {config['learning_rate']:g}"),
            ("weights kept", f"moving average, momentum {config['averaging']:g}"),
            ("seed", str(batches["seed"])),
            ("made with", f"Keras {run['keras']} on {run['backend']}, commit {run['commit']}"),
        ],
    )


def _origin(weights: str | None) -> list[Sequence[str]]:
    """A row on what the run went on from, if it did."""
    if weights is None:
        return []
    text = "the weights of earlier runs, listed in [training-log.md](../training-log.md)"
    return [("started from", text)]


def _tensors(kind: str, tensors: dict[str, Any], what: dict[str, str]) -> list[Sequence[str]]:
    """One row a tensor; both must know the same names."""
    if set(tensors) != set(what):
        raise CardError(f"the card's {sorted(what)} are not the networks' {sorted(tensors)}")
    return [
        (kind, f"`{key}`", " x ".join(str(side) for side in tensors[key].shape[1:]), text)
        for key, text in what.items()
    ]


def _real(name: str, yaleb: dict[str, Any]) -> str:
    """The networks' own figures on Extended Yale B."""
    if name != "gain":
        key, what = {
            "normals": ("normals_deg", "normals inside the face mesh, deg"),
            "lighting": ("light_deg", "direction of a single lamp, deg"),
        }[name]
        values = {METHOD: yaleb[key]} | {k: yaleb[k][key] for k in ("analytic",) if yaleb[k]}
        return _table(("", *values), [(what, *(f"{value:.1f}" for value in values.values()))])
    return _table(
        ("", "added light residual", *yaleb["hard"], "sRGB RMSE", "SSIM"),
        [
            (
                row,
                f"{np.mean([kind[row] for kind in yaleb['residual'].values()]):.3f}",
                *(f"{kind[row]:.3f}" for kind in yaleb["hard"].values()),
                f"{yaleb['rmse'][row]:.3f}",
                f"{yaleb['ssim'][row]:.3f}",
            )
            for row in yaleb["rmse"]
        ],
    )


def _real_groups(card: Card, people: list[SubjectFigures]) -> str:
    means = summarize_real(people, STAGES)
    return _table(
        ("", "mean", *THIRDS),
        [
            (
                REAL[key].title,
                *(_shown(v, REAL[key]) for v in (means[key].mean, *means[key].tone.values())),
            )
            for key in card.real
        ],
    )


def _groups(card: Card, own: dict[str, Any], kind: str, names: Sequence[str]) -> str:
    return _table(
        ("", "mean", *names),
        [
            (
                FIGURES[key].title,
                _shown(own[key]["mean"], FIGURES[key]),
                *(_shown(own[key][kind][group], FIGURES[key]) for group in names),
            )
            for key in card.figures
        ],
    )


def _exposure(found: dict[str, Any]) -> str:
    ratios = ", ".join(f"{name} {_plain(value)}" for name, value in found["ratio"].items())
    return (
        "In the same light, with exposure set by the scene, estimated over true irradiance of the"
        f" face: {ratios}; dark over light {_plain(found['dark_to_light'])}."
    )


def _shown(value: float | None, figure: Figure) -> str:
    return "-" if value is None or np.isnan(value) else f"{value:.{figure.places}f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_cards(runs: Path, evaluation: Path, out: Path) -> list[Path]:
    """Write a card for each network, one for shading and key together.

    Args:
        runs: holds one folder a network, as ``training.train`` writes it.
        evaluation: holds ``yaleb.json`` and ``synthetic.json``.
        out: where ``normals.md``, ``lighting.md`` and ``gain.md`` go.

    Raises:
        CardError: if a run or an evaluation is missing or not one of the networks'.
        OSError: if a card cannot be written.
    """
    real = _read(evaluation / "yaleb.json", "training.evaluate yaleb")
    synthetic = _read(evaluation / "synthetic.json", "training.evaluate synthetic")
    written = []
    out.mkdir(parents=True, exist_ok=True)
    for name, about in CARDS.items():
        run: dict[str, Any] | None = None
        if not about.data:
            files = ("config.json", "state.json")
            told = [_read(runs / name / file, f"training.train {name}") for file in files]
            run = {**told[0], **told[1]}
        try:
            text = card(name, run, [SubjectFigures(**item) for item in real], synthetic)
        except (KeyError, TypeError, AttributeError) as error:
            raise CardError(
                f"{runs / name} and {evaluation}: no such entry as {error};"
                " judge the networks again"
            ) from error
        with whole_file(out / f"{name}.md") as path:
            path.write_text(text)
        written.append(out / f"{name}.md")
    return written


def _read(path: Path, command: str) -> Any:
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise CardError(
            f"{path}: cannot be read ({error.strerror}); make it: python -m {command}"
        ) from error
    except ValueError as error:
        raise CardError(f"{path}: corrupt; make it again: python -m {command}") from error


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    runs: Annotated[Path, typer.Option(help="Holds a training run's folder for each network.")],
    evaluation: Annotated[Path, typer.Option(help="Holds yaleb.json and synthetic.json.")],
    out: Annotated[Path, typer.Option(help="Where the cards go.")] = Path("docs/models"),
) -> None:
    """Write the model cards from training runs and evaluations."""
    with plain_errors():
        written = write_cards(runs, evaluation, out)
    for path in written:
        Console(highlight=False).print(str(path))


if __name__ == "__main__":
    app()
