# SPDX-License-Identifier: Apache-2.0
"""Golden vectors of single stages, on small made-up cases and on the example's face."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from export.vectors.vector import Vectors
from relight import Environment, Light, color, geometry, setup
from relight.face import mesh
from relight.face.face import Face
from relight.face.pose import head_from_camera
from relight.gain import apply as quotient
from relight.gain.apply import GainMap
from relight.gain.guide import FADE, Canvas, Guide, Outline, follow_colors, upsample
from relight.geometry import Crop, Grid
from relight.stage.cast_shadow import unshadowed
from relight.stage.stages import NetworkStages
from relight.stage.view import FEATURES, FINE, SIDE, View

Float = NDArray[np.float32]
Image8 = NDArray[np.uint8]

SPHERE = 24
"""Side of the spheres drawn."""
ROLL = 0.6
"""Radians that environments and a placed light are turned by."""


def described(light: Light) -> dict[str, Any]:
    """A light as JSON."""
    return {
        "azimuth_deg": light.azimuth_deg,
        "elevation_deg": light.elevation_deg,
        "intensity": light.intensity,
        "color": list(light.color),
        "softness_deg": light.softness_deg,
        "reason": light.reason,
    }


def add_gain_map(vectors: Vectors, name: str, added: GainMap, every: int) -> None:
    """A gain map, of whose cells every so many rows and columns are kept."""
    vectors.value(
        name,
        {
            "left": added.left,
            "top": added.top,
            "factor": added.factor,
            "rows": added.gain.shape[0],
            "columns": added.gain.shape[1],
            "every": every,
        },
    )
    vectors.array(name, added.gain[::every, ::every])


def smooth(shape: tuple[int, ...], seed: int, width: float = 3.0) -> Float:
    """Blurred noise in [0, 1]."""
    noise = np.random.default_rng(seed).random(shape).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), width)
    low, high = float(blurred.min()), float(blurred.max())
    result: Float = ((blurred - low) / (high - low)).astype(np.float32)
    return result


def _color(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    linear = np.linspace(0, 3, 241, dtype=np.float32) ** 2
    encoded = np.linspace(0, 1.2, 101, dtype=np.float32)
    gain = np.linspace(0, 8, 101, dtype=np.float32)
    rgb = smooth((6, 7, 3), 1, 1.0)
    vectors.array("color/table", color.srgb_to_linear(np.arange(256, dtype=np.uint8)))
    vectors.array("color/linear", linear)
    vectors.array("color/linear_to_srgb", color.linear_to_srgb(linear))
    vectors.array("color/encoded", encoded)
    vectors.array("color/srgb_to_linear", color.srgb_to_linear(encoded))
    vectors.array("color/rgb", rgb)
    vectors.array("color/luminance", color.luminance(rgb))
    vectors.array("color/gain", gain)
    vectors.array("color/encoded_gain", color.encoded_gain(gain))
    scaled = color.scale_encoded(encoded, gain, color.encoded_gain(gain))
    vectors.array("color/scale_encoded", scaled)


def _geometry(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    grid = np.array(list(itertools.product(range(-180, 181, 45), range(-90, 91, 30))), np.float32)
    directions = geometry.direction(np.radians(grid[:, 0]), np.radians(grid[:, 1]))
    vectors.array("geometry/angles_deg", grid)
    vectors.array("geometry/direction", directions)
    azimuth, elevation = geometry.angles(directions * np.float32(2.5))
    vectors.array("geometry/angles", np.stack([azimuth, elevation], 1))
    between = geometry.angle_between(directions[:-1], directions[1:])
    vectors.array("geometry/angle_between", between)
    crop = Crop.around(landmarks)
    vectors.value("geometry/around", square(crop))
    cases = [
        (crop, 32),
        (Crop(170, 80, 40), None),
        (Crop(170, 80, 40, 0.5), None),
        (Crop(170.3, 79.6, 40.7, -0.2), 64),
        (Crop(15, 25, 90), 60),
        (Crop(490, 500, 120, 2.8), 50),
        (Crop(250, 270, 700, 0.7), 48),
        (Crop(255.5, 205.5, 311, -1.6), 72),
    ]
    vectors.value("geometry/extract", [{**square(c), "resolution": r} for c, r in cases])
    for i, (cut, resolution) in enumerate(cases):
        vectors.array(f"geometry/extract/{i}", cut.extract(pixels, resolution))
    points = np.array([[150, 90], [200.5, 10]], np.float32)
    vectors.array("geometry/to_crop/points", points)
    vectors.array("geometry/to_crop", cases[3][0].to_crop(points, 64))
    shape = (400, 300)
    vectors.value("geometry/visible/shape", shape)
    vectors.value(
        "geometry/visible",
        [[[part.start, part.stop] for part in c.visible(shape)] for c, _ in cases],
    )
    values = smooth((24, 24, 3), 2)
    vectors.array("geometry/values", values)
    grids = [
        (Crop(80, 130, 200), Grid(0, 20, 3, 40, 36), None),
        (Crop(18, 18, 16, 0.4), Grid(8, 4, 1, 20, 24), None),
        (Crop(60, 50, 70, -2.5), Grid(0, 0, 4, 24, 28), 0.0),
    ]
    vectors.value(
        "geometry/onto_grid",
        [{"crop": square(c), "grid": g._asdict(), "outside": o} for c, g, o in grids],
    )
    for i, (cut, cells, outside) in enumerate(grids):
        vectors.array(f"geometry/onto_grid/{i}", cut.onto_grid(values, cells, outside))
    vectors.array("geometry/rolled", geometry.rolled(directions, 0.7))
    for factor in (2, 3):
        vectors.array(f"geometry/shrink/{factor}", geometry.shrink(pixels[:50, :47], factor))
        vectors.array(f"geometry/shrink_float/{factor}", geometry.shrink(values, factor))
    resized = cv2.resize(pixels, (37, 41), interpolation=cv2.INTER_AREA)
    vectors.array("geometry/resize_area", resized)


def square(crop: Crop) -> dict[str, float]:
    """A crop as JSON."""
    return {"x": crop.x, "y": crop.y, "size": crop.size, "roll": crop.roll}


def _filter(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    guide = smooth((44, 52, 3), 3)
    values = smooth((44, 52), 4)
    vectors.array("filter/guide", guide)
    vectors.array("filter/values", values)
    vectors.array("filter/box", cv2.blur(values, (5, 5)))
    vectors.array("filter/gaussian", cv2.GaussianBlur(values, (0, 0), 1.3))
    wide = cv2.GaussianBlur(values, (0, 0), 4.0, borderType=cv2.BORDER_REPLICATE)
    vectors.array("filter/gaussian_replicate", wide)
    mask = (values > 0.5).astype(np.uint8)
    vectors.array("filter/erode", cv2.erode(mask, np.ones((3, 3), np.uint8)))
    vectors.array("filter/dilate", cv2.dilate(mask, np.ones((3, 3), np.uint8)))
    for radius, scale in ((3, 1.0), (2, 0.25)):
        found = follow_colors(guide, values, radius, 1e-4, scale)
        vectors.array(f"filter/guided/{scale:g}", found)


def _mesh(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    vectors.array("mesh/landmarks", landmarks)
    face = Face.from_landmarks(landmarks, pixels.shape)
    drawing = face.crop_landmarks(SIDE)
    vectors.array("mesh/crop_landmarks", drawing)
    own = mesh.vertex_normals(drawing[: mesh.POINTS] * [1, -1, -1], mesh.template().triangles)
    vectors.array("mesh/vertex_normals", own)
    drawn = mesh.surface(drawing, face.crop_pose, 64)
    for name, values in drawn._asdict().items():
        vectors.array(f"mesh/{name}", values)
    vectors.array("mesh/region", mesh.region(drawing, FEATURES, SIDE))
    shape, poses = (480, 640), []
    for i, (yaw, pitch, roll) in enumerate(((0, 0, 0), (35, 10, 5), (-50, -20, -15), (10, 40, 30))):
        rotation = np.eye(3)
        for turn in ((0, 0, roll), (-pitch, 0, 0), (0, yaw, 0)):
            rotation = rotation @ cv2.Rodrigues(np.radians(np.array(turn, float)))[0]
        points = mesh.template().vertices_cm @ rotation.T + [5 * i - 6, 3 - 2 * i, -60.0]
        focal = 1.2 * max(shape)
        seen = np.stack(
            [
                shape[1] / 2 + focal * points[:, 0] / -points[:, 2],
                shape[0] / 2 - focal * points[:, 1] / -points[:, 2],
                -points[:, 2] * focal / 60,
            ],
            1,
        ).astype(np.float32)
        seen += np.random.default_rng(i).normal(0, 0.5, seen.shape).astype(np.float32)
        found = Face.from_landmarks(seen, shape)
        vectors.array(f"mesh/posed/{i}", seen)
        poses.append(
            {
                "head_from_cam": head_from_camera(seen, shape),
                "head_pose": found.head_pose,
                "crop": square(found.crop),
                "angles_deg": geometry.head_angles(found.head_pose),
            }
        )
    vectors.value("mesh/shape", shape)
    vectors.value("mesh/poses", poses)


def _shadow(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    face = Face.from_landmarks(landmarks, pixels.shape)
    drawn = mesh.surface(face.crop_landmarks(SIDE // 2), face.crop_pose, SIDE // 2)
    lights = [Light(40, 30), Light(-60, 10, softness_deg=3), Light(10, -50), Light(0, 0)]
    vectors.value("shadow/lights", [described(light) for light in lights])
    for name, values in drawn._asdict().items():
        vectors.array(f"shadow/{name}", values)
    for i, light in enumerate(lights):
        radius = float(np.radians(light.softness_deg))
        vectors.array(f"shadow/unshadowed/{i}", unshadowed(drawn, light.direction, radius))


def _environments() -> dict[str, Environment]:
    base = smooth((16, 32, 3), 5, 2.0) + np.float32(0.1)
    made = {"uniform": Environment.uniform((0.5, 0.6, 0.7)), "soft": Environment(base)}
    for name, row, column, power in (("left", 5, 21, 40.0), ("right", 4, 9, 90.0)):
        data = base.copy()
        data[row : row + 2, column : column + 2] += np.array([1, 0.9, 0.7], np.float32) * power
        made[name] = Environment(data)
    return made


def _poses() -> list[Float]:
    return [
        cv2.Rodrigues(np.radians(np.array([pitch, yaw, 0.0])))[0].astype(np.float32)
        for pitch, yaw in ((0, 0), (-12, 25), (15, -20))
    ]


def _environment(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    normals = geometry.normalize(np.random.default_rng(6).normal(size=(60, 3)))
    vectors.array("environment/normals", normals)
    vectors.value("environment/head_poses", _poses())
    for name, environment in _environments().items():
        path = f"environment/{name}"
        vectors.array(path, environment.data)
        vectors.array(f"{path}/irradiance", environment.irradiance(normals))
        vectors.array(f"{path}/sample", environment.sample(normals))
        vectors.array(f"{path}/rolled", environment.roll(ROLL).data)
        vectors.array(f"{path}/spheres", np.stack(environment.spheres(SPHERE)))
        vectors.value(
            path,
            {
                "dominant_direction": environment.dominant_direction(),
                "power": environment.power(),
                "key_to_fill": environment.key_to_fill(),
                "cheeks": [environment.cheek_irradiance(pose) for pose in _poses()],
            },
        )


def _light(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    cases: list[dict[str, Any]] = []
    placed: list[Light] = []
    choices = itertools.product(_environments().items(), enumerate(_poses()), (None, 0.15, 0.9))
    for (name, environment), (i, pose), headroom in choices:
        limit: dict[str, Any] = (
            {} if headroom is None else {"headroom": headroom, "mean_irradiance": 0.4}
        )
        roll = ROLL if i == 2 else 0.0
        light = setup.place(environment, pose, roll=roll, **limit)
        after = setup.key_to_fill_with(environment, pose, [light, light], 0.4)
        cases.append(
            {
                "environment": name,
                "head_pose": i,
                "roll": roll,
                **limit,
                "light": described(light),
                "key_to_fill_with": after,
            }
        )
        placed.append(light)
    vectors.value("light/place", cases)
    groups: list[tuple[list[int], list[float], float]] = [
        ([0, 12], [1.0, 2.0], 0.0),
        ([20, 30], [3.0, 1.0], 0.0),
        ([19, 20, 21], [1.0, 1.0, 4.0], 0.0),
        ([0, 12], [1.0, 2.0], 1.2),
    ]
    vectors.value(
        "light/place_group",
        [
            {
                "cases": chosen,
                "weights": weights,
                "roll": roll,
                "light": described(setup.place_group([placed[k] for k in chosen], weights, roll)),
            }
            for chosen, weights, roll in groups
        ],
    )


def _guide(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    rows, columns = 150, 210
    photo = pixels[60 : 60 + rows, 120 : 120 + columns]
    crops = (Crop(50, 75, 120), Crop(150, 90, 140, 0.6))
    vectors.value("guide/photo", {"top": 60, "left": 120, "rows": rows, "columns": columns})
    vectors.value("guide/crops", [square(crop) for crop in crops])
    outlines, gains = [], []
    for i, crop in enumerate(crops):
        person, trust = smooth((48, 48), 10 + i, 6.0), smooth((24, 24), 20 + i)
        face = (smooth((24, 24), 30 + i) > 0.7).astype(np.float32)
        outlines.append(Outline(crop, person, face, trust))
        gains.append(smooth((32, 32, 3), 40 + i, 4.0) * np.float32(2))
        parts = {"person": person, "face": face, "confidence": trust, "gain": gains[-1]}
        for name, array in parts.items():
            vectors.array(f"guide/{name}/{i}", array)
    vectors.value("guide/fade", FADE)
    add_gain_map(vectors, "guide/one", upsample(photo, outlines[:1], gains[:1]), 2)
    add_gain_map(vectors, "guide/two", upsample(photo, outlines, gains), 2)
    vectors.array("guide/two/person", Guide(Canvas(photo, crops), outlines).person[::2, ::2])


class _Answer(NetworkStages):
    """A network that gives the same gain, whatever it is asked."""

    def __init__(self, gain: Float) -> None:
        self._gain = gain

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """The gain."""
        return {"gain": self._gain}

    def close(self) -> None:
        """Nothing is loaded."""


def _grey(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    answer = np.round(smooth((SIDE, SIDE, 3), 60) * 255).astype(np.uint8)
    stages, whole = _Answer(answer.astype(np.float32)), np.ones((SIDE, SIDE), np.float32)
    flat = np.zeros((SIDE, SIDE), np.float32)
    normals = np.stack([flat, flat, whole], -1)
    drawn = mesh.Surface(normals, flat, whole > 0)
    levels, every = (0, 1, 3), 8
    vectors.value("grey/levels", levels)
    vectors.value("grey/every", every)
    vectors.array("grey/network_gain", answer)
    for i, level in enumerate(levels):
        photo = np.full((FINE * SIDE, FINE * SIDE, 3), 128, np.uint8)
        photo[80:82, 100:102, 0] += np.uint8(level)
        outline = np.ones((FINE * SIDE, FINE * SIDE), np.float32)
        view = View(photo, drawn, whole, whole, outline)
        gain = stages.gain(view, normals, Environment.uniform(), Light(30, 20))
        vectors.array(f"grey/gain/{i}", gain[::every, ::every])


def _apply(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    photo = (smooth((45, 38, 3), 50, 1.5) * 255).astype(np.uint8)
    vectors.array("apply/photo", photo)
    cases = [
        (1, 0.0, 4.0, 1.0),
        (1, 1.0, 1.0, 1.0),
        (2, 0.5, 2.0, 1.0),
        (4, 3.0, 8.0, 1.0),
        (1, 1.0, 2.0, 0.5),
        (2, 0.7, 0.0, 0.1),
        (4, 2.0, 6.0, 0.25),
    ]
    vectors.value("apply/cases", [{"factor": f, "strength": s, "fill": k} for f, s, _, k in cases])
    for i, (factor, strength, most, fill) in enumerate(cases):
        gain = smooth((36 // factor, 24 // factor, 3), 51 + i, 2.0) * np.float32(most)
        gain[gain < 0.2 * most] = 0
        added = GainMap(9, 7, factor, gain)
        vectors.array(f"apply/gain/{i}", gain)
        person = smooth(gain.shape[:2], 71 + i, 3.0)
        person[person < 0.3] = 0
        vectors.array(f"apply/person/{i}", person)
        taken = np.float32(1 - fill) * person
        changed = quotient.apply(photo, added, strength=strength, taken=taken)
        vectors.array(f"apply/relit/{i}", changed)
        if factor > 1:
            vectors.array(f"apply/expanded/{i}", added.expand(photo.shape)[::2, ::2])


STAGES: tuple[Callable[[Vectors, Image8, Float], None], ...] = (
    _color,
    _geometry,
    _filter,
    _mesh,
    _shadow,
    _environment,
    _light,
    _guide,
    _grey,
    _apply,
)
"""Each adds its vectors, given the example's pixels and landmarks."""
