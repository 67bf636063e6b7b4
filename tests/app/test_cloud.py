# SPDX-License-Identifier: Apache-2.0
"""Photos in cloud folders, through fsspec; its in-memory store stands for a bucket."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ASTRONAUT

pytest.importorskip("fsspec")

import fsspec
from relight_app import cloud
from relight_app.cloud import CloudJob, CloudTask
from relight_app.companion import sidecars
from relight_app.destination import Job, OutputOptions, PlanError
from relight_app.task import Outcome


@pytest.fixture
def bucket() -> str:
    """URL of an empty folder in memory."""
    return f"memory://{uuid.uuid4().hex}"


def put(bucket: str, **files: bytes) -> None:
    for name, data in files.items():
        with fsspec.open(f"{bucket}/{name.replace('__', '/').replace('_', '.')}", "wb") as file:
            file.write(data)


def stored(bucket: str) -> dict[str, bytes]:
    system, top = fsspec.core.url_to_fs(bucket)
    return {name[len(top) + 1 :]: system.cat_file(name) for name in system.find(top)}


class Copier:
    """In place of the real task: the output is the photo, backwards."""

    def __call__(self, job: Job) -> Outcome:
        data = Path(job.name).read_bytes()
        if data == b"bad":
            return Outcome(job.name, "failed", f"{job.name} is damaged", warnings=(job.name,))
        for path in job.outputs:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data[::-1])
        files = {"output": str(job.output)}
        return Outcome(job.name, "relit", f"written to {job.output}", {}, files)


def test_a_folder_is_mirrored_and_resumed(bucket: str) -> None:
    put(bucket, in__a_jpg=b"abc", in__sub__b_gif=b"def", in__notes_txt=b"", in__c_relit_jpg=b"")
    request = OutputOptions(output=f"{bucket}/out")
    plan = cloud.make_plan([f"{bucket}/in"], request)
    assert [job.name for job in plan.jobs] == [f"{bucket}/in/a.jpg", f"{bucket}/in/sub/b.gif"]
    outcomes = [CloudTask(Copier())(job) for job in plan.jobs]
    assert [o.status for o in outcomes] == ["relit", "relit"]
    assert outcomes[1].files == {"output": f"{bucket}/out/sub/b.png"}
    assert outcomes[0].message == f"written to {bucket}/out/a.jpg"
    assert stored(f"{bucket}/out") == {"a.jpg": b"cba", "sub/b.png": b"fed"}
    put(bucket, in__new_jpg=b"x")
    again = cloud.make_plan([f"{bucket}/in"], request)
    assert [job.name for job in again.jobs] == [f"{bucket}/in/new.jpg"]
    assert len(again.skipped) == 2


def test_sidecars_come_along(bucket: str) -> None:
    class Writer(Copier):
        def __call__(self, job: Job) -> Outcome:
            outcome = super().__call__(job)
            for found, target in sidecars(Path(job.name), job.output):
                target.write_bytes(found.read_bytes())
                outcome.files["sidecar"] = str(target)
            return outcome

    put(bucket, in__a_jpg=b"abc", in__a_xmp=b"words", in__sub__a_xmp=b"x", in__b_jpg=b"")
    plan = cloud.make_plan([f"{bucket}/in"], OutputOptions(output=f"{bucket}/out"))
    outcomes = [CloudTask(Writer())(job) for job in plan.jobs]
    assert outcomes[0].files["sidecar"] == f"{bucket}/out/a.xmp"
    assert stored(f"{bucket}/out") == {"a.jpg": b"cba", "b.jpg": b"", "a.xmp": b"words"}


def test_outputs_stand_beside_a_photo_that_is_named(bucket: str) -> None:
    put(bucket, in__a_jpg=b"abc")
    plan = cloud.make_plan(
        [f"{bucket}/in/a.jpg"], OutputOptions(compare=True, lighting="probe.hdr")
    )
    (job,) = plan.jobs
    assert job.output == f"{bucket}/in/a.relit.jpg"
    CloudTask(Copier())(job)
    assert stored(f"{bucket}/in").keys() == {
        "a.jpg",
        "a.relit.jpg",
        "a.relit.compare.jpg",
        "a.relit.probe.hdr",
    }


def test_a_failure_names_the_url_and_leaves_nothing(bucket: str) -> None:
    put(bucket, in__a_jpg=b"bad")
    (job,) = cloud.make_plan([f"{bucket}/in"], OutputOptions(output=f"{bucket}/out")).jobs
    outcome = CloudTask(Copier())(job)
    assert outcome.status == "failed"
    assert outcome.message == f"{bucket}/in/a.jpg is damaged"
    assert outcome.warnings == (f"{bucket}/in/a.jpg",)
    gone = CloudTask(Copier())(CloudJob(f"{bucket}/gone.jpg", job.base, job.relative))
    assert gone.status == "failed"
    assert gone.message.startswith(f"{bucket}/gone.jpg: cannot be fetched")
    assert stored(f"{bucket}/out") == {}


def test_what_cannot_be_meant_is_refused(bucket: str) -> None:
    put(bucket, a_jpg=b"", a_relit_jpg=b"", b__c_jpg=b"", d__c_jpg=b"")
    with pytest.raises(PlanError, match="would overwrite an input"):
        cloud.make_plan([f"{bucket}/b"], OutputOptions(output=f"{bucket}/b"))
    plan = cloud.make_plan([f"{bucket}/b", f"{bucket}/d"], OutputOptions(output=f"{bucket}/out"))
    assert [job.name for job in plan.jobs] == [f"{bucket}/b/c.jpg"]
    ((failed, text),) = plan.failures
    assert failed == f"{bucket}/d/c.jpg"
    assert "both be written to" in text
    with pytest.raises(PlanError, match="does not go with cloud folders"):
        cloud.make_plan([bucket], OutputOptions(output="-"))
    with pytest.raises(PlanError, match="date files themselves"):
        cloud.make_plan([bucket], OutputOptions(keep_dates=True))
    with pytest.raises(PlanError, match="unknown kind of folder"):
        cloud.make_plan(["nonsense://x"], OutputOptions())
    (empty,) = cloud.make_plan([f"{bucket}/none"], OutputOptions(output=f"{bucket}/out")).failures
    assert "no photos there" in empty[1]


def test_elsewhere_files_are_renamed_to_their_place(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"whole")
    cloud.store(source, f"file://{tmp_path}/out/deep/b")
    assert (tmp_path / "out/deep/b").read_bytes() == b"whole"
    assert [p.name for p in (tmp_path / "out/deep").iterdir()] == ["b"]


def test_the_whole_way(run: Callable, bucket: str) -> None:
    put(bucket, in__a_png=ASTRONAUT.read_bytes())
    result = run(f"{bucket}/in", "-o", f"{bucket}/out", "--light", "45,30")
    assert result.exit_code == 0, result.stderr
    assert f"{bucket}/out/a.png" in result.stderr
    assert stored(f"{bucket}/out")["a.png"][:4] == b"\x89PNG"
