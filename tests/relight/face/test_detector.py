# SPDX-License-Identifier: Apache-2.0
"""MediaPipe behind its one door: what it finds, what it loads, what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import relight
from relight.face.detector import Detector

ROOT = Path(relight.__file__).parents[1]
PORTRAIT = ROOT / "examples" / "astronaut.png"
USE = f"""
import sys
import numpy as np
from PIL import Image
from relight.face.detector import Detector
astronaut = np.asarray(Image.open({str(PORTRAIT)!r}).convert("RGB"))
def use():
    detector = Detector()
    assert len(detector.boxes(astronaut)) == 1
    assert len(detector.landmarks(astronaut)) == 1
    assert detector.person(astronaut).max() > 0.9
    detector.close()
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", USE + script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


# --- What it finds


def test_a_box_is_pixels_of_the_picture(detector: Detector, astronaut: np.ndarray) -> None:
    boxes = detector.boxes(astronaut)
    assert boxes.shape == (1, 5)
    left, top, width, height, score = boxes[0]
    assert 150 < left < left + width < 310  # the astronaut's face
    assert 50 < top < top + height < 220
    assert 0.5 <= score <= 1
    half = detector.boxes(cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA))
    np.testing.assert_allclose(half[0, :4], boxes[0, :4] / 2, atol=6)


def test_landmarks_lie_on_the_face(detector: Detector, astronaut: np.ndarray) -> None:
    found = detector.landmarks(astronaut)
    assert len(found) == 1
    points = found[0]
    assert points.shape == (478, 3)
    assert points.dtype == np.float32
    left, top, width, height = detector.boxes(astronaut)[0, :4]
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


def test_the_person_is_covered_and_the_corner_is_not(
    detector: Detector, astronaut: np.ndarray
) -> None:
    mask = detector.person(astronaut)
    assert mask.shape == astronaut.shape[:2]
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1
    assert mask[100:160, 200:250].mean() > 0.9  # the face
    assert mask[:40, :40].mean() < 0.3


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_is_found_where_nothing_is(detector: Detector, level: int) -> None:
    flat = np.full((200, 240, 3), level, np.uint8)
    assert detector.boxes(flat).shape == (0, 5)
    assert detector.landmarks(flat) == []
    assert detector.person(flat).shape == (200, 240)


BROKEN = {
    "empty": np.zeros((0, 0, 3), np.uint8),
    "no rows": np.zeros((0, 20, 3), np.uint8),
    "grey": np.zeros((20, 20), np.uint8),
    "doubles": np.zeros((20, 20, 3), np.float64),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("method", ["boxes", "landmarks", "person"])
def test_an_error_does_not_poison_what_comes_after(
    astronaut: np.ndarray, broken: np.ndarray, method: str
) -> None:
    detector = Detector()
    expected = getattr(detector, method)(astronaut)
    with pytest.raises(ValueError, match="uint8"):
        getattr(detector, method)(broken)
    np.testing.assert_array_equal(getattr(detector, method)(astronaut), expected)
    detector.close()


def test_a_closed_detector_opens_again(astronaut: np.ndarray) -> None:
    detector = Detector()
    detector.close()
    before = detector.boxes(astronaut)
    detector.close()
    detector.close()
    np.testing.assert_array_equal(detector.boxes(astronaut), before)
    detector.close()


def test_the_answer_does_not_depend_on_what_was_seen_before(
    detector: Detector, astronaut: np.ndarray
) -> None:
    first = detector.landmarks(astronaut)[0]
    detector.landmarks(np.ascontiguousarray(astronaut[:, ::-1]))
    detector.landmarks(np.zeros((64, 64, 3), np.uint8))
    np.testing.assert_array_equal(detector.landmarks(astronaut)[0], first)


# --- What it loads


def test_importing_the_detector_loads_no_mediapipe() -> None:
    done = run("print([m for m in sys.modules if m.split('.')[0] == 'mediapipe'])")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


def test_using_it_loads_neither_a_framework_nor_drawing() -> None:
    done = run(
        "use()\n"
        "heavy = ('tensorflow', 'jax', 'torch', 'matplotlib', 'sounddevice')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


WHOLE = """
import mediapipe
assert mediapipe.solutions.face_mesh.FaceMesh
assert mediapipe.solutions.drawing_utils.draw_landmarks
assert mediapipe.solutions.pose.Pose
assert mediapipe.tasks.vision.FaceLandmarker
assert mediapipe.Image and mediapipe.__version__
from mediapipe.python.solutions import hands
from mediapipe.tasks.python import vision
assert hands.Hands and vision.FaceDetector
"""


def test_others_may_use_all_of_mediapipe_afterwards() -> None:
    done = run("use()\n" + WHOLE + "use()\nprint('fine')")
    assert done.stdout.strip().endswith("fine"), done.stderr
    assert done.returncode == 0


def test_others_may_have_used_all_of_mediapipe_before() -> None:
    done = run(WHOLE + "use()\n" + WHOLE + "print('fine')")
    assert done.stdout.strip().endswith("fine"), done.stderr
    assert done.returncode == 0


# --- What it says


def test_mediapipes_log_does_not_reach_stderr() -> None:
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
        "try: Detector().boxes(np.zeros((0, 0, 3), np.uint8))\n"
        "except (ValueError, RuntimeError): pass\n"
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
