# SPDX-License-Identifier: Apache-2.0
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from synth_scene import ToySource

pytest.importorskip("embreex")


from data_synth import __main__ as command
from data_synth.error import FieldError, SynthError
from data_synth.registry import SOURCES
from data_synth.run import dataset, worker
from data_synth.run.audit import audit
from data_synth.run.dataset import Dataset, render_dataset
from data_synth.run.field import Field, find_views
from data_synth.run.plan import CameraJitter, Plan, missing_views, stray
from data_synth.stage.render import RenderSettings
from data_synth.stage.rig import Camera, Rig

TESTS = Path(__file__).parents[2]
SETTINGS = RenderSettings(size=24, samples=2, bounce_rays=8)


@pytest.fixture(autouse=True)
def toy_people(monkeypatch):
    monkeypatch.setitem(SOURCES, "builtin", ToySource())


def make_plan(out, subjects=2, cameras=2, **changes):
    return Plan(
        out=out, subjects=subjects, cameras=cameras, lights=12, settings=SETTINGS, **changes
    )


def contents(root):
    return {
        str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()
    }


@pytest.fixture
def made(tmp_path):
    plan = make_plan(tmp_path / "set")
    list(render_dataset(plan))
    return plan


def test_all_views_are_made_and_whole(made):
    views = find_views(made.out)
    assert len(views) == 4
    for view in views:
        field = Field.load(view)
        assert field.codes.shape[0] == 3
        assert field.metadata["dataset"]["seed"] == 0
        assert field.metadata["subject"]["seed"] in [made.subject_seed(i) for i in (0, 1)]
        rotation = field.camera_rotation
        lights = field.lights @ rotation.T
        np.testing.assert_allclose(lights, Rig.make(12).lights, atol=1e-5)
    assert (made.out / "rig.json").exists()


def test_reports_count_up(tmp_path):
    reports = list(render_dataset(make_plan(tmp_path)))
    assert [r.done for r in reports] == [0, 1, 2, 3, 4]
    assert {r.total for r in reports} == {4}
    assert all(r.seconds > 0 for r in reports[1:])


def test_only_missing_views_are_rendered_and_come_out_the_same(made):
    before = contents(made.out)
    views = find_views(made.out)
    shutil.rmtree(views[1])
    (views[2] / "scale.npy").unlink()
    reports = list(render_dataset(made))
    assert reports[0].total == 2
    assert {r.folder for r in reports[1:]} == {views[1], views[2]}
    assert contents(made.out) == before
    assert next(render_dataset(made)).total == 0


def test_more_people_and_views_only_add(made):
    before = contents(made.out)
    larger = make_plan(made.out, subjects=3, cameras=3)
    assert next(render_dataset(larger)).total == 9 - 4
    list(render_dataset(larger))
    after = contents(made.out)
    assert before.items() <= after.items()
    assert len(find_views(made.out)) == 9


def test_another_seed_is_another_dataset(made, tmp_path):
    other = make_plan(tmp_path / "other", seed=1)
    list(render_dataset(other))
    assert contents(other.out)["rig.json"] == contents(made.out)["rig.json"]
    assert contents(other.out) != contents(made.out)
    with pytest.raises(SynthError, match=r"other values of seed.*choose another folder"):
        next(render_dataset(make_plan(made.out, seed=1)))


def test_failure_in_the_middle_leaves_whole_views_only(tmp_path, monkeypatch):
    plan = make_plan(tmp_path)
    reports = render_dataset(plan)
    next(reports)
    next(reports)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(worker.Field, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        next(reports)
    monkeypatch.undo()
    assert len(find_views(tmp_path)) == 1
    assert audit(Dataset(tmp_path)).broken == []


SCRIPT = """
import sys
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from data_synth.registry import SOURCES
from data_synth.run.dataset import render_dataset
from data_synth.run.plan import Plan
from data_synth.stage.render import RenderSettings
from synth_scene import ToySource
SOURCES["builtin"] = ToySource()
settings = RenderSettings(size=24, samples=2, bounce_rays=8)
plan = Plan(Path({out!r}), 40, 2, lights=12, settings=settings)
for report in render_dataset(plan):
    print(report.done, flush=True)
"""


def test_a_killed_process_can_be_resumed(tmp_path):
    out = tmp_path / "killed"
    script = SCRIPT.format(tests=str(TESTS), root=str(TESTS.parent), out=str(out))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        while process.stdout.readline().strip() not in ("3", ""):
            pass
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    kept = len(find_views(out))
    assert 3 <= kept < 80
    (out / "subject-00000" / ".part-camera-99-dead").mkdir()
    plan = Plan(out, 6, 2, lights=12, settings=SETTINGS)
    left = sum(len(c) for _, c in missing_views(plan, Rig.make(12)))
    assert next(render_dataset(plan)).total == left < 12
    list(render_dataset(plan))
    assert not list(out.rglob(".part-*"))
    assert audit(Dataset(out)).broken == []
    fresh = make_plan(tmp_path / "fresh", subjects=6)
    list(render_dataset(fresh))
    assert contents(fresh.out).items() <= contents(out).items()


def test_too_little_space_is_said_at_once(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(dataset.shutil, "disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(FieldError, match="GB are free"):
        next(render_dataset(make_plan(tmp_path)))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FieldError, match="file/set: cannot be written"):
        next(render_dataset(make_plan(tmp_path / "file" / "set")))


def test_cameras_stray_a_little_and_look_at_the_face():
    face = np.array([[-7, -6, 3], [7, 8, 9]], np.float32)
    rng = np.random.default_rng(0)
    cameras = [stray(Camera(30, 10), CameraJitter(), face, rng) for _ in range(50)]
    assert all(c.azimuth_deg == 30 for c in cameras)
    assert all(55 <= c.distance_cm <= 220 for c in cameras)
    assert all(abs(c.roll_deg) <= 15 for c in cameras)
    target = np.mean([c.target for c in cameras], 0)
    np.testing.assert_allclose(target, [0, 1, 6], atol=0.6)


def test_frontal_poses_come_first_more_often():
    rig = Rig.make(12)
    plan = Plan(Path("unused"), cameras=4)
    chosen = [c for i in range(60) for c in plan.camera_order(rig, i)]
    turn = [np.hypot(rig.cameras[c].azimuth_deg, rig.cameras[c].elevation_deg) for c in chosen]
    everyone = [np.hypot(c.azimuth_deg, c.elevation_deg) for c in rig.cameras]
    assert np.mean(turn) < 0.75 * np.mean(everyone)
    assert len(set(chosen)) > 25


# --- Inspecting and the command line


def test_audit_reports_what_is_there(made):
    found = audit(Dataset(made.out))
    assert (found.views, found.subjects) == (4, 2)
    assert found.bytes > 1000
    rows = dict(found.rows())
    assert rows["lights"] == "12 100 %"
    assert "subject.skin.melanin" in rows
    assert "camera.azimuth_deg" in rows


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["data_synth", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return stopped.value.code or 0, captured.out, captured.err


def test_inspect_finds_a_corrupt_view(made, monkeypatch, capsys):
    assert run(monkeypatch, capsys, "inspect", made.out)[0] == 0
    victim = find_views(made.out)[0] / "olat.npy"
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    code, out, err = run(monkeypatch, capsys, "inspect", made.out)
    assert code == 1
    assert "1 broken" in out
    assert "olat.npy is corrupt" in err


def test_preview_draws_its_sheets(made, monkeypatch, capsys, tmp_path):
    code, out, _ = run(monkeypatch, capsys, "preview", made.out, "--out", tmp_path / "sheets")
    assert code == 0
    names = sorted(p.name for p in (tmp_path / "sheets").iterdir())
    assert names == [f"preview-{n}.png" for n in ("environments", "lights", "pairs", "surfaces")]
    assert len(out.splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["render", "--out", "{tmp}/x", "--source", "ict"], "--assets ict=DIR"),
        (["render", "--out", "{tmp}/x", "--source", "martian"], "unknown"),
        (["render", "--out", "{tmp}/x", "--assets", "ict"], "write it as ict=DIR"),
        (["render", "--out", "{tmp}/x", "--assets", "ict={tmp}/none"], "no such folder"),
        (["render", "--out", "{tmp}/x", "--size", "4"], "size"),
        (["render"], "--out"),
        (["inspect", "{tmp}/none"], "no such folder"),
        (["inspect", "{tmp}"], "no views there"),
        (["preview", "{tmp}"], "no views there"),
        (["nonsense"], "nonsense"),
    ],
)
def test_mistakes_end_in_one_line(arguments, words, monkeypatch, capsys, tmp_path):
    filled = [a.format(tmp=tmp_path) for a in arguments]
    code, _, err = run(monkeypatch, capsys, *filled)
    assert code != 0
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("error: ")


def test_help_is_a_success(monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "--help")
    assert code == 0
    assert "render" in out


def test_broken_plan_is_named(made):
    (made.out / "dataset.json").write_text("{")
    with pytest.raises(SynthError, match=r"dataset\.json: corrupt"):
        next(render_dataset(made))


def test_plan_is_kept_with_the_views(made):
    stored = json.loads((made.out / "dataset.json").read_text())
    assert stored == made.fixed()


# --- The whole way, with the built-in people and several processes


def stage_command(*arguments):
    return [sys.executable, "-m", "data_synth", *map(str, arguments)]


@pytest.fixture
def real_people(monkeypatch):
    pytest.importorskip("data_synth.person")
    monkeypatch.undo()


@pytest.mark.slow
def test_two_processes_make_the_same_views_as_one(tmp_path, real_people):
    common = ["--subjects", 2, "--size", 32, "--lights", 12]
    for jobs in (1, 2):
        done = subprocess.run(
            stage_command("render", "--out", tmp_path / str(jobs), "--jobs", jobs, *common),
            cwd=TESTS.parent,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    assert len(find_views(tmp_path / "1")) == 2


@pytest.mark.slow
def test_ctrl_c_stops_in_one_line_and_leaves_no_process(tmp_path, real_people):
    process = subprocess.Popen(
        stage_command("render", "--out", tmp_path, "--subjects", 50, "--size", 64),
        cwd=TESTS.parent,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("subject-*")) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again" in err
    assert "Traceback" not in err
    assert not list(tmp_path.rglob(".part-*"))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.2)
    pytest.fail("a process went on")
