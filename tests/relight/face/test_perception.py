# SPDX-License-Identifier: Apache-2.0
"""What MediaPipe's models see, and what they say."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import relight
from relight.face import landmark
from relight.face.detector import FULL, SHORT, Layout, anchors, merged
from relight.face.perception import Perception
from relight.face.region import Pyramid, Region, whole

ROOT = Path(relight.__file__).parents[1]
PORTRAIT = ROOT / "examples" / "astronaut.png"
USE = f"""
import sys
import numpy as np
from PIL import Image
from relight.face.perception import Perception
from relight.face.search import find
astronaut = np.asarray(Image.open({str(PORTRAIT)!r}).convert("RGB"))
def use():
    perception = Perception()
    assert len(find(perception, astronaut)) == 1
    assert perception.person(astronaut).max() > 0.9
    perception.close()
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", USE + script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


# --- Where a network looks


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0])
def test_a_pixel_lies_where_its_region_says(angle: float) -> None:
    """A bright spot in the photo is found at the same place from the network's input."""
    photo = np.zeros((200, 300, 3), np.uint8)
    photo[119:122, 209:212] = 255
    region = Region(200, 110, 96, angle)
    seen = Pyramid(photo).sample(region, 64, repeat=False)[..., 0]
    rows, columns = np.mgrid[:64, :64]
    middle = np.array([(seen * columns).sum(), (seen * rows).sum()]) / seen.sum()
    np.testing.assert_allclose(region.to_photo(middle[None] / 64)[0], (210, 120), atol=0.3)


def test_shrinking_averages_and_does_not_skip_pixels() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 200
    seen = Pyramid(stripes).sample(whole(stripes.shape), 128, repeat=True)
    np.testing.assert_allclose(seen[2:-2, 2:-2], 100, atol=1)


def test_outside_the_photo_it_is_black_or_its_edge() -> None:
    photo = np.full((100, 50, 3), 120, np.uint8)
    frame = whole(photo.shape)
    black = Pyramid(photo).sample(frame, 100, repeat=False)
    assert not black[:, :20].any()
    assert (black[:, 30:70] == 120).all()
    assert (Pyramid(photo).sample(frame, 100, repeat=True) == 120).all()
    far = Region(1000, 1000, 50)
    assert Pyramid(photo).sample(far, 100, repeat=True) is None


# --- What it finds


def test_a_box_is_pixels_of_the_picture(detector: Perception, astronaut: np.ndarray) -> None:
    (found,) = detector.boxes(astronaut)
    left, top, width, height = found.box
    assert 150 < left < left + width < 310  # the astronaut's face
    assert 50 < top < top + height < 220
    assert 0.5 <= found.score <= 1
    right_eye, left_eye, nose, mouth = found.points[:4]
    assert left < right_eye[0] < nose[0] < left_eye[0] < left + width
    assert top < right_eye[1] < nose[1] < mouth[1] < top + height
    half = detector.boxes(cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA))
    np.testing.assert_allclose(half[0].box, np.array(found.box) / 2, atol=6)


def test_a_turned_view_sees_a_hanging_head_where_it_is(
    detector: Perception, astronaut: np.ndarray
) -> None:
    (upright,) = detector.boxes(astronaut)
    hanging = np.ascontiguousarray(astronaut[::-1, ::-1])
    found = detector.boxes(hanging, whole(hanging.shape, math.pi))[0]
    np.testing.assert_allclose(found.points, 512 - upright.points, atol=4)
    np.testing.assert_allclose((found.x, found.y), (512 - upright.x, 512 - upright.y), atol=4)


def test_anchors_are_the_middles_of_cells() -> None:
    assert anchors(FULL).shape == (2304, 2)
    assert anchors(SHORT).shape == (896, 2)
    small = Layout("", "", "", "", 32, ((2, 2), (1, 3)))
    expected = [[0.25, 0.25]] * 2 + [[0.75, 0.25]] * 2 + [[0.25, 0.75]] * 2
    expected += [[0.75, 0.75]] * 2 + [[0.5, 0.5]] * 3
    np.testing.assert_array_equal(anchors(small), expected)


def test_detections_of_one_face_are_averaged_by_their_scores() -> None:
    box = [[0.5, 0.5], [0.2, 0.2], [0.4, 0.4]]
    aside = [[0.52, 0.5], [0.2, 0.2], [0.42, 0.4]]
    other = [[0.1, 0.1], [0.2, 0.2], [0.0, 0.0]]
    found = merged(np.array([aside, other, box]), np.array([0.3, 0.8, 0.9]))
    assert [score for _, score in found] == [0.9, 0.8]
    np.testing.assert_allclose(found[0][0], [[0.505, 0.5], [0.2, 0.2], [0.405, 0.4]])
    np.testing.assert_allclose(found[1][0], other)


def test_landmarks_lie_on_the_face(detector: Perception, astronaut: np.ndarray) -> None:
    (found,) = detector.boxes(astronaut)
    fit = detector.landmarks(astronaut, landmark.region_of(found))
    points = fit.landmarks
    assert fit.presence > 0.9
    assert points.shape == (478, 3)
    assert points.dtype == np.float32
    left, top, width, height = found.box
    inside = (
        (points[:, 0] > left - 0.3 * width)
        & (points[:, 0] < left + 1.3 * width)
        & (points[:, 1] > top - 0.6 * height)
        & (points[:, 1] < top + 1.4 * height)
    )
    assert inside.all()
    # Iris 468 is the subject's right eye: image left of 473. Nose tip 1 is nearer than the ears.
    assert points[468, 0] < points[1, 0] < points[473, 0]
    assert points[1, 2] < min(points[234, 2], points[454, 2])


def test_a_second_look_is_the_same_for_a_turned_head(
    detector: Perception, astronaut: np.ndarray
) -> None:
    (found,) = detector.boxes(astronaut)
    fit = detector.landmarks(astronaut, landmark.region_of(found))
    region = landmark.region_again(fit.landmarks)
    turned = landmark.region_again(
        np.stack([512 - fit.landmarks[:, 1], fit.landmarks[:, 0], fit.landmarks[:, 2]], 1)
    )
    assert turned.side == pytest.approx(region.side, rel=1e-4)
    assert turned.angle - region.angle == pytest.approx(math.pi / 2, abs=1e-4)
    assert (turned.x, turned.y) == pytest.approx((512 - region.y, region.x), abs=0.01)


def test_no_face_is_present_where_there_is_none(
    detector: Perception, astronaut: np.ndarray
) -> None:
    (found,) = detector.boxes(astronaut)
    away = replace(landmark.region_of(found), x=430, y=400)
    assert detector.landmarks(astronaut, away).presence < 0.1


def test_the_person_is_covered_and_the_corner_is_not(
    detector: Perception, astronaut: np.ndarray
) -> None:
    mask = detector.person(astronaut)
    assert mask.shape == astronaut.shape[:2]
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1
    assert mask[100:160, 200:250].mean() > 0.9  # the face
    assert mask[:40, :40].mean() < 0.3


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_is_found_where_nothing_is(detector: Perception, level: int) -> None:
    flat = np.full((200, 240, 3), level, np.uint8)
    assert detector.boxes(flat) == []
    assert detector.boxes(flat, layout=SHORT) == []
    assert detector.person(flat).shape == (200, 240)


BROKEN = {
    "empty": np.zeros((0, 0, 3), np.uint8),
    "no rows": np.zeros((0, 20, 3), np.uint8),
    "grey": np.zeros((20, 20), np.uint8),
    "doubles": np.zeros((20, 20, 3), np.float64),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("method", ["boxes", "person"])
def test_an_error_does_not_poison_what_comes_after(
    astronaut: np.ndarray, broken: np.ndarray, method: str
) -> None:
    perception = Perception()
    expected = perception.person(astronaut)
    with pytest.raises(ValueError, match="uint8"):
        getattr(perception, method)(broken)
    np.testing.assert_array_equal(perception.person(astronaut), expected)
    perception.close()


def test_a_closed_perception_opens_again(astronaut: np.ndarray) -> None:
    perception = Perception()
    perception.close()
    before = perception.boxes(astronaut)
    perception.close()
    perception.close()
    np.testing.assert_array_equal(perception.boxes(astronaut)[0].points, before[0].points)
    perception.close()


# --- What it loads


def test_using_it_loads_neither_a_framework_nor_mediapipe() -> None:
    done = run(
        "use()\n"
        "heavy = ('tensorflow', 'jax', 'torch', 'matplotlib', 'sounddevice', 'mediapipe')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


# --- What it says


def test_the_interpreters_log_does_not_reach_stderr() -> None:
    done = run("use()\nuse()")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_others_write_to_stderr_meanwhile_arrives() -> None:
    done = run(
        "import os, threading, time\n"
        "stop = threading.Event()\n"
        "written = []\n"
        "def write():\n"
        "    while not stop.is_set():\n"
        "        os.write(2, b'line %d\\n' % len(written))\n"
        "        written.append(1)\n"
        "        time.sleep(0.002)\n"
        "thread = threading.Thread(target=write)\n"
        "thread.start()\n"
        "use()\n"
        "stop.set()\n"
        "thread.join()\n"
        "print(len(written))\n"
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) > 20
    # Every line once; those kept back while a model starts may come a little late.
    assert sorted(lines) == sorted(f"line {i}" for i in range(int(done.stdout)))


def test_a_last_line_without_its_end_arrives_too() -> None:
    done = run(
        "import os, re\n"
        "from relight.models.stderr import muffled\n"
        "with muffled(re.compile(rb'I\\d+ ')):\n"
        "    os.write(2, b'I0000 00:00:1.0 1 gl.cc:7] noise\\nno end')\n"
    )
    assert (done.returncode, done.stderr) == (0, "no end")


def test_stderr_is_itself_again_after_an_error() -> None:
    done = run(
        "import os\n"
        "before = os.fstat(2).st_ino\n"
        "from relight.models.interpreter import ModelError, load_interpreter\n"
        "try: load_interpreter(b'no model')\n"
        "except ModelError: pass\n"
        "assert os.fstat(2).st_ino == before\n"
        "sys.stderr.write('heard')"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("heard")


@pytest.mark.skipif(os.name != "posix", reason="closes a descriptor as a POSIX shell does")
def test_it_works_without_any_stderr() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, USE + "use()\nprint('fine')"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "fine")
