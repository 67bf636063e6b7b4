# SPDX-License-Identifier: Apache-2.0
"""Finding faces, and the pose of a head."""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
import pytest

from relight.face import mesh
from relight.face.face import Face
from relight.face.perception import Perception
from relight.face.pose import FOCAL, head_from_camera
from relight.face.search import SMALLEST_FACE, find
from relight.geometry import head_angles

SHAPE = (480, 640, 3)


@pytest.fixture(scope="module")
def face(detector: Perception, astronaut: np.ndarray) -> Face:
    return find(detector, astronaut)[0]


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float = 0.0) -> np.ndarray:
    """Head to camera: yaw > 0 turns the nose image right, pitch > 0 raises it."""
    y, p, r = (math.radians(a) for a in (yaw_deg, pitch_deg, roll_deg))
    tilt = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    turn = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    nod = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    return tilt @ turn @ nod


def photographed(pose: np.ndarray, position_cm: tuple[float, float, float]) -> np.ndarray:
    """The template's points in pixels, seen by the camera that a photo is taken to have."""
    points = mesh.template().vertices_cm @ pose.T + position_cm
    focal = FOCAL * max(SHAPE[:2])
    x = SHAPE[1] / 2 + focal * points[:, 0] / -points[:, 2]
    y = SHAPE[0] / 2 - focal * points[:, 1] / -points[:, 2]
    return np.stack([x, y], 1).astype(np.float32)


def turned_deg(a: np.ndarray, b: np.ndarray) -> float:
    return math.degrees(math.acos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1)))


# --- Pose


@pytest.mark.parametrize(
    ("yaw", "pitch"), list(itertools.product((-40, -20, 0, 20, 40), (-25, 0, 25)))
)
def test_a_known_pose_is_recovered(yaw: float, pitch: float) -> None:
    pose = rotation(yaw, pitch, roll_deg=10)
    position = (4.0, -3.0, -60.0)
    transform = head_from_camera(photographed(pose, position), SHAPE)
    assert transform.shape == (4, 4)
    assert turned_deg(transform[:3, :3].T, pose) < 1
    np.testing.assert_allclose(transform[:3, :3] @ transform[:3, :3].T, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(transform[3], [0, 0, 0, 1])
    # The head's own origin is where it was put, in centimetres.
    np.testing.assert_allclose(transform @ [*position, 1], [0, 0, 0, 1], atol=0.5)


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (30, 10), (-30, -15)])
def test_a_pose_survives_the_landmarks_noise(yaw: float, pitch: float) -> None:
    pose = rotation(yaw, pitch)
    points = photographed(pose, (0, 0, -60))
    points += np.random.default_rng(0).normal(0, 1.0, points.shape).astype(np.float32)
    assert turned_deg(head_from_camera(points, SHAPE)[:3, :3].T, pose) < 2


def test_a_pose_in_a_larger_photo_is_the_same() -> None:
    pose = rotation(25, -10)
    points = photographed(pose, (2, 2, -50))
    small = head_from_camera(points, SHAPE)
    large = head_from_camera(points * 4, (1920, 2560, 3))
    np.testing.assert_allclose(small, large, atol=1e-2)


@pytest.mark.parametrize("aside", [(0.0, 0.0), (25.0, -12.0)])
def test_head_pose_is_seen_along_the_line_of_sight(aside: tuple[float, float]) -> None:
    """Moving a head sideways while it keeps looking at the camera does not turn what is seen."""
    seen = rotation(20, 5)
    middle = seen @ mesh.template().vertices_cm.mean(0)
    back = np.array([-aside[0], -aside[1], 60.0])
    x, y, z = back / np.linalg.norm(back)
    axis = np.array([-y, x, 0.0])  # from +z to the line of sight, by the smallest turn
    angle = math.acos(z) / max(float(np.linalg.norm(axis)), 1e-12)
    sight = cv2.Rodrigues(axis * angle)[0]
    position = np.array([*aside, -60.0]) - sight @ middle
    points = photographed(sight @ seen, tuple(position))
    z0 = np.zeros((len(points), 1), np.float32)
    made = Face.from_landmarks(np.concatenate([points, z0], 1), SHAPE)
    assert turned_deg(made.head_pose, seen) < 1
    yaw, pitch, _ = head_angles(made.head_pose)
    assert yaw == pytest.approx(20, abs=1)
    assert pitch == pytest.approx(5, abs=1)


# --- Finding


def test_the_portrait_has_one_face_where_it_is(face: Face, detector: Perception) -> None:
    assert face.landmarks.shape == (478, 3)
    left, top, width, height = face.box
    assert 150 < left < 200
    assert 50 < top < 90
    assert 75 < width < 120
    assert 90 < height < 140
    low, high = face.landmarks[:, :2].min(0), face.landmarks[:, :2].max(0)
    np.testing.assert_allclose(face.box, (*low, *(high - low)), rtol=1e-5)
    assert face.size == pytest.approx(math.sqrt(width * height))
    yaw, _, roll = head_angles(face.head_pose)
    assert abs(yaw) < 20
    assert abs(roll) < 15
    assert 15 < -np.linalg.inv(face.head_from_cam)[2, 3] < 500  # centimetres from the camera


def test_the_crop_holds_the_head(face: Face) -> None:
    points = face.crop_landmarks(256)
    assert points.shape == (478, 3)
    assert (points[:, :2] > 256 * 0.15).all()
    assert (points[:, :2] < 256 * 0.85).all()
    np.testing.assert_allclose(
        points[:, 2], face.landmarks[:, 2] * 256 / face.crop.size, rtol=1e-4, atol=1e-5
    )


def test_there_is_one_face_in_the_portrait(detector: Perception, astronaut: np.ndarray) -> None:
    assert len(find(detector, astronaut)) == 1


def test_two_faces_are_found_largest_first(detector: Perception, astronaut: np.ndarray) -> None:
    small = cv2.resize(astronaut[:, ::-1], None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    canvas = np.full((512, 512 + small.shape[1], 3), 100, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    canvas[:, small.shape[1] :] = astronaut
    faces = find(detector, canvas)
    assert len(faces) == 2
    assert faces[0].size > faces[1].size
    assert faces[0].box[0] > small.shape[1] > faces[1].box[0] + faces[1].box[2]
    assert faces[1].size == pytest.approx(0.7 * faces[0].size, rel=0.1)


def noise(low: int, high: int) -> np.ndarray:
    return np.random.default_rng(5).integers(low, high, (300, 360, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "nothing",
    [
        noise(0, 256),
        noise(0, 8),
        np.zeros((300, 360, 3), np.uint8),
        np.full((300, 360, 3), 255, np.uint8),
        np.repeat(np.linspace(0, 255, 360).astype(np.uint8)[None, :, None], 300, 0).repeat(3, 2),
    ],
    ids=["noise", "dark noise", "black", "white", "ramp"],
)
def test_no_face_is_found_where_there_is_none(detector: Perception, nothing: np.ndarray) -> None:
    assert find(detector, nothing) == []


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 500), (500, 1), (2, 2), (23, 23), (24, 24), (8, 900)]
)
def test_tiny_and_thin_pictures_have_no_face(detector: Perception, shape: tuple[int, int]) -> None:
    assert find(detector, np.full((*shape, 3), 90, np.uint8)) == []


@pytest.mark.parametrize("share", [0.08, 0.05])
@pytest.mark.parametrize("place", [(0.1, 0.1), (0.6, 0.55)])
def test_a_small_face_in_a_large_photo_is_found(
    detector: Perception,
    astronaut: np.ndarray,
    face: Face,
    share: float,
    place: tuple[float, float],
) -> None:
    width, height = 2000, 1400
    scale = share * width / face.box[2]
    # The head and shoulders in front of a plain wall, as deep in the photo as they would be.
    cut = astronaut[20:360, 60:380]
    small = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((height, width, 3), 120, np.uint8)
    left, top = round(place[0] * width), round(place[1] * height)
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    faces = find(detector, frame)
    assert len(faces) == 1
    expected = (
        left + (face.box[0] - 60) * scale,
        top + (face.box[1] - 20) * scale,
        face.box[2] * scale,
        face.box[3] * scale,
    )
    np.testing.assert_allclose(faces[0].box, expected, atol=0.12 * expected[2])


def test_a_face_found_is_as_wide_as_promised(detector: Perception, astronaut: np.ndarray) -> None:
    for side in (512, 256, 160, 128, 96):
        small = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
        assert all(f.box[2] >= SMALLEST_FACE for f in find(detector, small))


def test_a_face_that_fills_the_frame_is_found(
    detector: Perception, astronaut: np.ndarray, face: Face
) -> None:
    left, top, width, height = (round(v) for v in face.box)
    close = astronaut[top - 10 : top + height + 10, left - 15 : left + width + 15]
    close = cv2.resize(close, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert len(find(detector, close)) == 1


def test_a_dark_photos_face_is_found(
    detector: Perception, astronaut: np.ndarray, face: Face
) -> None:
    faces = find(detector, (astronaut * 0.03).astype(np.uint8))
    assert len(faces) == 1
    np.testing.assert_allclose(faces[0].box, face.box, atol=15)


@pytest.mark.parametrize(("lit", "most_deg"), [("left", 3.3), ("right", 4.5)])
def test_a_face_half_in_shadow_has_the_same_landmarks(
    detector: Perception, astronaut: np.ndarray, face: Face, lit: str, most_deg: float
) -> None:
    left, _, width, _ = face.box
    across = np.clip((np.arange(512) - left) / width * 4 - 1.5, 0, 1)
    across = 1 - across if lit == "left" else across
    shaded = (astronaut * (0.02 + 0.98 * across[None, :, None])).astype(np.uint8)
    found = find(detector, shaded)
    assert len(found) == 1
    moved = np.linalg.norm((found[0].landmarks - face.landmarks)[:, :2], axis=1).mean()
    assert moved < 0.015 * width
    # Brighter to the other side than the photo, it is looked at the other way round, too.
    assert turned_deg(found[0].head_pose, face.head_pose) < most_deg


def test_the_result_scales_with_the_photo(
    detector: Perception, astronaut: np.ndarray, face: Face
) -> None:
    large = cv2.resize(astronaut, (2048, 2048), interpolation=cv2.INTER_CUBIC)
    faces = find(detector, large)
    assert len(faces) == 1
    np.testing.assert_allclose(np.array(faces[0].box) / 4, face.box, atol=5)
    assert turned_deg(faces[0].head_pose, face.head_pose) < 4


def test_a_mirrored_photo_has_the_mirrored_head(
    detector: Perception, astronaut: np.ndarray, face: Face
) -> None:
    mirrored = find(detector, np.ascontiguousarray(astronaut[:, ::-1]))
    assert len(mirrored) == 1
    left, top, width, height = face.box
    expected = (512 - left - width, top, width, height)
    np.testing.assert_allclose(mirrored[0].box, expected, atol=0.1)
    flip = np.diag([-1.0, 1.0, 1.0])
    assert turned_deg(mirrored[0].head_pose, flip @ face.head_pose @ flip) < 0.2


@pytest.mark.parametrize("side", [-1, 1])
def test_a_head_turned_image_right_has_positive_yaw_and_its_mirror_negative(
    detector: Perception, astronaut: np.ndarray, side: int
) -> None:
    """The face's middle is pushed sideways between its edges, as turning the head does."""
    y, x = np.mgrid[:512, :512].astype(np.float32)
    t = np.clip((x - 225) / 46, -1, 1)
    pushed = cv2.remap(astronaut, x - side * 16 * (1 - t * t), y, cv2.INTER_LINEAR)
    yaw = head_angles(find(detector, pushed)[0].head_pose)[0]
    assert np.sign(yaw) == side
    assert abs(yaw) > 6
    mirrored = head_angles(find(detector, np.ascontiguousarray(pushed[:, ::-1]))[0].head_pose)[0]
    assert mirrored == pytest.approx(-yaw, abs=0.2)


@pytest.mark.parametrize("turn", [-25, 25])
def test_a_turned_photo_has_the_tilted_head(
    detector: Perception, astronaut: np.ndarray, face: Face, turn: float
) -> None:
    matrix = cv2.getRotationMatrix2D((225, 130), turn, 1.0)  # > 0 is counter-clockwise
    tilted = cv2.warpAffine(astronaut, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    faces = find(detector, tilted)
    assert len(faces) == 1
    change = head_angles(faces[0].head_pose)[2] - head_angles(face.head_pose)[2]
    assert change == pytest.approx(turn, abs=6)


def test_views_that_are_not_contiguous_give_the_same_faces(
    detector: Perception, astronaut: np.ndarray, face: Face
) -> None:
    wide = np.zeros((512, 1024, 3), np.uint8)
    wide[:, ::2] = astronaut
    views = {
        "every other column": wide[:, ::2],
        "twice flipped": np.ascontiguousarray(astronaut[:, ::-1])[:, ::-1],
        "channels last of three planes": np.moveaxis(
            np.ascontiguousarray(np.moveaxis(astronaut, 2, 0)), 0, 2
        ),
        "read only": astronaut,
    }
    views["read only"].flags.writeable = False
    for name, view in views.items():
        faces = find(detector, view)
        assert len(faces) == 1, name
        np.testing.assert_array_equal(faces[0].landmarks, face.landmarks, err_msg=name)


def test_finding_changes_no_pixel(detector: Perception, astronaut: np.ndarray) -> None:
    photo = astronaut.copy()
    find(detector, photo)
    np.testing.assert_array_equal(photo, astronaut)


def test_after_an_error_faces_are_found_again(detector: Perception, astronaut: np.ndarray) -> None:
    with pytest.raises((ValueError, RuntimeError)):
        detector.boxes(np.zeros((0, 0, 3), np.uint8))
    assert len(find(detector, astronaut)) == 1
