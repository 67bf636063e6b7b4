# SPDX-License-Identifier: Apache-2.0
"""Judging on synthetic people: the truth has no error, and dark skin is told from light."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("embreex")

from rich.console import Console
from synth_scene import head, metadata, shoot
from typer.testing import CliRunner

from data_synth.run.field import Field
from data_synth.stage.render import RenderSettings
from data_synth.stage.rig import Camera, Rig
from relight import Light
from relight.color import luminance
from relight.environment import Environment
from relight.face import mesh
from relight.face.mesh import Surface
from relight.stage.view import FINE, SIDE, View
from training.analytic.analytic_stages import AnalyticStages
from training.analytic.classical_stages import ClassicalStages
from training.data.landmark_store import LandmarkStore, store_path
from training.data.split import Split, load_splits
from training.evaluate import app
from training.judge import report
from training.judge.fairness import THIRDS
from training.judge.judgement import (
    SyntheticConfig,
    irradiance_ratio,
    judge,
    judge_pair,
    subject_tones,
)
from training.judge.synthetic import lines
from training.judge.unseen_photo import (
    Exposure,
    ExposureConfig,
    Pair,
    as_light,
    exposures,
    face_view,
    pairs,
    skin_tone,
)

SEED = 3


CAMERA = Camera(15, 5, field_cm=40.0)
SIZE = 64
SKIN = {"subject-00000": 0.1, "subject-00001": 0.6, "subject-00002": 0.3}
"""Albedo in red; green and blue are less."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three balls with noses, on which the mean face has been found."""
    root = tmp_path_factory.mktemp("stage")
    rig = Rig.make(42)
    settings = RenderSettings(size=SIZE, samples=2, bounce_rays=0, scattering=False)
    for name, red in SKIN.items():
        person = head(albedo=(red, 0.7 * red, 0.6 * red), specular=0.3)
        view = shoot(person, rig.lights, settings, CAMERA)
        Field.encode(view, metadata(rig, CAMERA)).save(root / name / "camera-00")
    pose = CAMERA.rotation.T.astype(np.float32)
    points = mesh.template().vertices_cm @ pose.T
    points = (points - points.mean(0) + [0, 0, 8]) * [1, -1, -1] * (SIZE / 40.0)
    landmarks = np.zeros((3, 1, 478, 3), np.float32)
    landmarks[:, 0, : mesh.POINTS] = points + np.array([SIZE / 2, SIZE / 2, 0])
    store = LandmarkStore(
        np.array([f"{name}/camera-00" for name in SKIN]),
        landmarks,
        np.tile(pose, (3, 1, 1, 1)),
        np.ones((3, 1), bool),
        np.zeros((3, 1, 4), np.float32),
    )
    np.savez(store_path(root), **vars(store))
    return root


@pytest.fixture(scope="module")
def people(dataset: Path) -> Split:
    """All three, taken for unseen ones."""
    learned, unseen = load_splits(dataset)
    return replace(unseen, names=learned.names + unseen.names)


class Truth:
    """Stages that know; ``brighter`` multiplies the light."""

    def __init__(self, known: Pair | Exposure, brighter: float = 1.0) -> None:
        self.known, self.brighter = known, brighter

    def normals(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        return self.known.normals, view.person

    def lighting(self, view: View, normals: np.ndarray) -> Environment:
        return Environment(self.known.environment.data * self.brighter)

    def gain(self, view: View, normals: np.ndarray, environment: Environment, light: Light):
        assert light is self.known.light
        return self.known.gain

    def close(self) -> None:
        pass


def test_the_truth_has_no_error(people: Split) -> None:
    classical = dict.fromkeys(report.FIGURES, 0.0)
    for pair in pairs(people, 6, SEED):
        values = judge_pair({"truth": Truth(pair), "classical": ClassicalStages()}, pair).values
        for name, figure in report.FIGURES.items():
            error = figure.scale.error(values["truth"][name])
            if not math.isnan(error):
                assert error == pytest.approx(0, abs=0.1 if "deg" in name else 1e-5)
                classical[name] += figure.scale.error(values["classical"][name])
    assert min(classical.values()) > 0.01


def test_pairs_follow_from_the_seed_and_share_the_views(people: Split) -> None:
    first, again, other = (list(pairs(people, 5, seed)) for seed in (SEED, SEED, SEED + 1))
    assert len(first) == len(other) == 5
    counts = [sum(pair.subject == name for pair in first) for name in SKIN]
    assert sorted(counts) == [1, 2, 2]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.view.photo, b.view.photo)
    assert not any((a.view.photo == b.view.photo).all() for a, b in zip(first, other, strict=True))


def test_a_pair_is_one_picture(people: Split) -> None:
    """Photo, mesh, normals and truth lie on each other."""
    for pair in pairs(people, 3, SEED):
        inside = pair.view.face & pair.person
        assert inside.sum() > 300
        drawn, true = pair.view.mesh.normals[inside], pair.normals[inside]
        for mirror in ([-1, 1, 1], [1, -1, 1]):
            assert (drawn * true).sum(-1).mean() > (drawn * mirror * true).sum(-1).mean() + 0.05
        assert pair.view.skin[~pair.view.face].max() == 0
        bright = luminance(pair.linear)[inside]
        assert np.corrcoef(bright, luminance(pair.view.linear)[inside])[0, 1] > 0.8


def test_eyes_brows_and_lips_are_no_plain_skin(people: Split) -> None:
    """As the runtime has it."""
    photo = np.full((FINE * SIDE, FINE * SIDE, 3), 128, np.uint8)
    inside = np.zeros((SIDE, SIDE), bool)
    inside[20:100, 20:100] = True
    flat = np.zeros((SIDE, SIDE), np.float32)
    drawn = Surface(np.stack([flat, flat, inside], -1).astype(np.float32), flat, inside)
    features = np.zeros((SIDE, SIDE), bool)
    features[40:50, 30:60] = True
    seen = face_view(photo, drawn, features, np.ones((SIDE, SIDE), np.float32))
    assert not seen.skin[features].any()
    assert seen.skin[60:90, 30:90].all()
    (exposure, *_) = exposures(people, ExposureConfig(environments=1), SEED)
    left_out = (exposure.view.inner_face > 0.99) & (exposure.view.skin == 0)
    assert left_out.sum() > 50


def test_a_mesh_that_reaches_into_air_ends_there() -> None:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    disk = np.hypot(rows - SIDE / 2, columns - SIDE / 2) < 30
    normals = np.zeros((SIDE, SIDE, 3), np.float32)
    normals[disk] = (0, 0, 1)
    drawn = Surface(normals, np.zeros((SIDE, SIDE), np.float32), disk)
    person = np.where(columns < SIDE / 2 + 27, 1, 0).astype(np.float32)
    photo = np.full((FINE * SIDE, FINE * SIDE, 3), 120, np.uint8)
    view = face_view(photo, drawn, np.zeros((SIDE, SIDE), bool), person)
    air = disk & (columns > SIDE / 2 + 28)
    assert air.any()
    assert view.inner_face[air].max() < 0.2
    assert view.inner_face[SIDE // 2, SIDE // 2] == 1


def test_a_light_keeps_its_direction_and_softness() -> None:
    towards = np.array([0.36, -0.48, 0.8], np.float32)
    light = as_light(np.array([*towards, 0.3], np.float32))
    np.testing.assert_allclose(light.direction, towards, atol=1e-5)
    assert light.softness_deg == pytest.approx(np.degrees(0.3))


def test_exposure_is_set_by_the_scene(people: Split) -> None:
    config = ExposureConfig(environments=2, white=0.5)
    found = list(exposures(people, config, SEED))
    assert len(found) == 6
    for exposure in found:
        diffuse = luminance(exposure.environment.spheres(64).diffuse)
        assert diffuse[diffuse > 0].mean() == pytest.approx(0.5, rel=0.05)
        assert irradiance_ratio(Truth(exposure), exposure) == pytest.approx(1, rel=1e-4)
        assert irradiance_ratio(Truth(exposure, 0.5), exposure) == pytest.approx(0.5, rel=1e-4)
    # The brightness of the faces is left to their skin.
    seen = {e.subject: luminance(e.view.linear[e.view.skin > 0]).mean() for e in found[::2]}
    for name, red in SKIN.items():
        expected = red / SKIN["subject-00002"]
        assert seen[name] / seen["subject-00002"] == pytest.approx(expected, rel=0.15)


def test_skin_tone_is_the_albedo(people: Split) -> None:
    for name, tone in subject_tones(people).items():
        expected = SKIN[name] * luminance(np.array([1, 0.7, 0.6]))
        assert tone == pytest.approx(float(expected), rel=0.05)
    with pytest.raises(ValueError, match="no skin"):
        skin_tone([])


def test_judgement_by_group(people: Split) -> None:
    config = SyntheticConfig("", baseline=True, pairs=6, exposure=ExposureConfig(1))
    methods = {"analytic": AnalyticStages(), "classical": ClassicalStages()}
    judgement = judge(config, methods, people, Console(file=io.StringIO()))
    assert judgement.thirds == dict(
        zip(("subject-00000", "subject-00002", "subject-00001"), THIRDS, strict=True)
    )
    for by_figure in judgement.figures.values():
        for name, means in by_figure.items():
            groups = [value for value in means.tone.values() if not math.isnan(value)]
            if len(groups) == 3 and name in ("spheres", "log_gain_face", "ssim"):
                assert np.mean(groups) == pytest.approx(means.mean)  # two pairs each
    console = Console(file=io.StringIO(), width=160)
    for line in lines(judgement):
        console.print(line)
    text = console.file.getvalue()
    for figure in report.FIGURES.values():
        assert figure.title in text
    assert text.count("PASS") + text.count("FAIL") + text.count("TOO FEW") == 4


def test_command(dataset: Path, tmp_path: Path) -> None:
    options = ["--data", str(dataset), "--pairs", "2", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, ["synthetic", *options, "--baseline"])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "synthetic.json").read_text())
    assert list(found["figures"]) == ["analytic", "classical"]
    assert found["config"]["pairs"] == 2
    assert found["figures"]["analytic"]["normals_face_deg"]["mean"] > 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--baseline", "--weights", "x"], "give one of"),
        (["--weights", "nowhere"], "no such weights"),
    ],
)
def test_bad_options(dataset: Path, tmp_path: Path, options: list[str], says: str) -> None:
    arguments = ["synthetic", "--data", str(dataset), "--out", str(tmp_path), "--pairs", "1"]
    done = CliRunner().invoke(app, [*arguments, *options])
    assert done.exit_code != 0
    assert says in " ".join(done.output.split())
    assert not (tmp_path / "synthetic.json").exists()
