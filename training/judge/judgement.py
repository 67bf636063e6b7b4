# SPDX-License-Identifier: Apache-2.0
"""Judges stages on people and environments that were never trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track

from data_synth.run.field import Field
from relight.color import luminance
from relight.environment import Environment
from relight.models.library import Models
from relight.stage.stages import Stages
from relight.stage.tflite import TfliteStages
from training.analytic.analytic_stages import AnalyticStages
from training.analytic.classical_stages import ClassicalStages
from training.data.split import Split
from training.data.target import BRIGHTEST
from training.judge import score
from training.judge.bound import bounds
from training.judge.fairness import ExposureVerdict, exposure_verdict, sector, thirds
from training.judge.report import PairFigures, Summary, summarize
from training.judge.unseen_photo import (
    Exposure,
    ExposureConfig,
    Pair,
    exposures,
    pairs,
    skin_tone,
)
from training.networks.keras_stages import KerasModels


@dataclass(frozen=True)
class SyntheticConfig:
    """What is judged, and on what.

    Attributes:
        data: the dataset's folder.
        environments: folder of HDR maps; ``None`` for procedural ones.
        weights: folder of Keras weights to judge, or ``None``.
        models: folder of TFLite models to judge, or ``None``: those of the package.
        baseline: whether no network is judged.
        pairs: number of them.
        seed: of all randomness.
        exposure: of the photos by which skin tones are compared.
    """

    data: str
    environments: str | None = None
    weights: str | None = None
    models: str | None = None
    baseline: bool = False
    pairs: int = 512
    seed: int = 0
    exposure: ExposureConfig = field(default_factory=ExposureConfig)


@dataclass(frozen=True)
class Judgement:
    """All figures on unseen synthetic people.

    Attributes:
        config: how they were made.
        tones: each subject's mean skin albedo, linear luminance.
        thirds: of skin tones, by subject.
        figures: means by method and figure.
        exposure: the same light on dark and light skin, by method.
        bounds: three-sphere errors left when part of the truth is known, see
            :func:`training.judge.bound.bounds`.
    """

    config: SyntheticConfig
    tones: dict[str, float]
    thirds: dict[str, str]
    figures: Summary
    exposure: dict[str, ExposureVerdict]
    bounds: dict[str, float]


def methods_of(config: SyntheticConfig) -> dict[str, Stages]:
    """The stages to judge by name, those in question first and the yardstick last."""
    result: dict[str, Stages] = {}
    if config.weights is not None:
        result["network"] = KerasModels(Path(config.weights))
    elif not config.baseline:
        result["network"] = TfliteStages(Models(config.models))
    return result | {"analytic": AnalyticStages(), "classical": ClassicalStages()}


def judge(
    config: SyntheticConfig, methods: Mapping[str, Stages], unseen: Split, console: Console
) -> Judgement:
    """Judge methods on people and environments that were never trained on.

    Args:
        config: how many pairs, and of what.
        methods: by name, the one in question first and the yardstick last.
        unseen: the test split.
        console: where progress is shown.

    Raises:
        RelightError: if data, weights or models cannot be used.
    """
    tones = subject_tones(unseen)
    third = thirds(tones)
    items: list[PairFigures] = []
    truths: list[Environment] = []
    for pair in track(
        pairs(unseen, config.pairs, config.seed),
        "Pairs",
        config.pairs,
        console=console,
        transient=True,
    ):
        items.append(judge_pair(methods, pair))
        truths.append(pair.environment)
    ratios: dict[str, dict[str, list[float]]] = {name: {} for name in methods}
    for exposure in track(
        exposures(unseen, config.exposure, config.seed),
        "Exposures",
        len(unseen.names) * config.exposure.environments,
        console=console,
        transient=True,
    ):
        for name, stages in methods.items():
            values = ratios[name].setdefault(exposure.subject, [])
            values.append(irradiance_ratio(stages, exposure))
    verdicts = {name: exposure_verdict(found, third) for name, found in ratios.items()}
    return Judgement(config, tones, third, summarize(items, third), verdicts, bounds(truths))


def subject_tones(split: Split) -> dict[str, float]:
    """Mean skin albedo of each subject of a split, linear luminance."""
    views: dict[str, list[Path]] = {}
    for name in split.names:
        views.setdefault(name.split("/")[0], []).append(split.root / name)
    return {
        subject: skin_tone(Field.load(folder) for folder in folders)
        for subject, folders in views.items()
    }


def judge_pair(methods: Mapping[str, Stages], pair: Pair) -> PairFigures:
    """All methods' figures on one pair; each method builds on its own normals and light."""
    face, view = pair.view.face, pair.view
    unclipped = view.photo.max(-1) < BRIGHTEST
    values = {}
    for name, stages in methods.items():
        normals, _ = stages.normals(view)
        environment = stages.lighting(view, normals)
        gain = stages.gain(view, normals, environment, pair.light)
        values[name] = {
            **score.normals(normals, pair.normals, face, pair.person),
            **score.lighting(environment, pair.environment),
            **score.gain(gain, pair.gain, pair.linear, face & unclipped, pair.person & unclipped),
        }
    towards = pair.environment.dominant_direction()
    return PairFigures(pair.subject, sector(towards), sector(pair.light.direction), values)


def irradiance_ratio(stages: Stages, exposure: Exposure) -> float:
    """Estimated over true irradiance, in luminance, mean over the visible face; NaN if none."""
    view = exposure.view
    face = view.face & exposure.normals.any(-1)
    if not face.any():
        return float("nan")
    normals, _ = stages.normals(view)
    seen = stages.lighting(view, normals).irradiance(normals[face])
    true = exposure.environment.irradiance(exposure.normals[face])
    return float(luminance(seen.mean(0))) / max(float(luminance(true.mean(0))), 1e-9)
