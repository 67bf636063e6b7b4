# SPDX-License-Identifier: Apache-2.0
"""Golden vectors of what is done with pixels: colour, crops, filters, gains."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from export.vectors.notation import Float, Image8, add_gain_map, smooth, square
from export.vectors.vector import Vectors
from relight import Environment, Light, color, geometry
from relight.face import mesh
from relight.gain import apply as quotient
from relight.gain.apply import GainMap
from relight.gain.canvas import Canvas
from relight.gain.edge import follow_colors, on_grid
from relight.gain.grain import grain_of, noise
from relight.gain.guide import FaceGain, Guide, Layer, Outline, upsample
from relight.gain.reach import FADE, Reach
from relight.geometry import Crop, Grid
from relight.stage.stages import NetworkStages
from relight.stage.view import FINE, SIDE, View

SHARES = (0.6, 0.3)
"""How much of two people's light is taken away."""


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
    changed = color.change_encoded(encoded, gain, color.encoded_gain(gain))
    vectors.array("color/change_encoded", changed)


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


def _guide(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    rows, columns = 150, 210
    photo = pixels[60 : 60 + rows, 120 : 120 + columns]
    crops = (Crop(50, 75, 120), Crop(150, 90, 140, 0.6))
    vectors.value("guide/photo", {"top": 60, "left": 120, "rows": rows, "columns": columns})
    vectors.value("guide/crops", [square(crop) for crop in crops])
    wider = Reach.of(crops[1], photo.shape).body
    assert wider is not None  # noqa: S101
    vectors.value("guide/wider", square(wider))
    outlines, gains = [], []
    for i, crop in enumerate(crops):
        person, trust = smooth((48, 48), 10 + i, 6.0), smooth((24, 24), 20 + i)
        face = (smooth((24, 24), 30 + i) > 0.7).astype(np.float32)
        outlines.append(Outline(crop, person, face, trust))
        gains.append(FaceGain(smooth((32, 32, 3), 40 + i, 4.0) * np.float32(2)))
        parts = {"person": person, "face": face, "confidence": trust, "gain": gains[-1].head}
        for name, array in parts.items():
            vectors.array(f"guide/{name}/{i}", array)
    vectors.value("guide/fade", FADE)
    add_gain_map(vectors, "guide/one", upsample(photo, outlines[:1], gains[:1]), 2)
    add_gain_map(vectors, "guide/two", upsample(photo, outlines, gains), 2)
    body = Layer(wider, smooth((64, 64), 50, 6.0), smooth((32, 32), 51))
    around = smooth((16, 16, 3), 52, 4.0)
    for name, array in (("person", body.person), ("confidence", body.confidence), ("gain", around)):
        vectors.array(f"guide/wider/{name}", array)
    outlines[1], gains[1] = replace(outlines[1], body=body), FaceGain(gains[1].head, around)
    add_gain_map(vectors, "guide/body", upsample(photo, outlines, gains), 3)
    guide = Guide(Canvas(photo, [outline.reach for outline in outlines]), outlines)
    vectors.array("guide/body/person", guide.person[::3, ::3])
    vectors.value("guide/body/shares", SHARES)
    vectors.array("guide/body/taken", guide.taken(SHARES)[::3, ::3])


class _Answer(NetworkStages):
    """Networks that answer the same, whatever they are asked."""

    def __init__(self, **answers: Float) -> None:
        self._answers = answers

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """The answers."""
        return self._answers

    def close(self) -> None:
        """Nothing is loaded."""


def _grey(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    log_shading, key = smooth((SIDE, SIDE, 3), 60), smooth((SIDE, SIDE, 2), 61)
    stages, whole = _Answer(log_shading=log_shading, key=key), np.ones((SIDE, SIDE), np.float32)
    flat = np.zeros((SIDE, SIDE), np.float32)
    normals = np.stack([flat, flat, whole], -1)
    drawn = mesh.Surface(normals, flat, whole > 0)
    levels, every = (0, 1, 3), 8
    vectors.value("grey/levels", levels)
    vectors.value("grey/every", every)
    vectors.array("grey/log_shading", log_shading)
    vectors.array("grey/key", key)
    for i, level in enumerate(levels):
        photo = np.full((FINE * SIDE, FINE * SIDE, 3), 128, np.uint8)
        photo[80:82, 100:102, 0] += np.uint8(level)
        outline = np.ones((FINE * SIDE, FINE * SIDE), np.float32)
        view = View(photo, drawn, whole, whole, outline)
        existing = Environment.uniform((0.5, 0.6, 0.7))
        gain = stages.gain(view, normals, existing, Light(30, 20))
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


def _grain(vectors: Vectors, pixels: Image8, landmarks: Float) -> None:
    shape, fill = (56, 72), 0.4
    stray = np.random.default_rng(91).normal(0, 7, (*shape, 3))
    photo = np.clip(160 * smooth((*shape, 3), 92, 3.0) + stray, 0, 255).astype(np.uint8)
    vectors.array("grain/photo", photo)
    vectors.value("grain/noise", noise(photo))
    vectors.value("grain/fill", fill)
    vectors.value("grain/steps", [1, 4])
    for step in (1, 4):
        cells = on_grid(photo, Grid(0, 0, step, shape[0] // step, shape[1] // step))
        grain = grain_of(noise(photo), cells, step)
        assert grain is not None  # noqa: S101
        gain = 2 * smooth(cells.shape, 93, 2.0)
        gain[gain < 0.4] = 0
        person = smooth(cells.shape[:2], 94, 3.0)
        added, taken = GainMap(0, 0, step, gain), np.float32(1 - fill) * person
        for name, array in (
            ("cells", cells),
            ("colors", grain.colors),
            ("dim", grain.dim),
            ("gain", gain),
            ("person", person),
            ("relit", quotient.apply(photo, added, taken=taken, grain=grain)),
            ("lit", quotient.apply(photo, added, grain=grain)),
        ):
            vectors.array(f"grain/{name}/{step}", array)


STAGES: tuple[Callable[[Vectors, Image8, Float], None], ...] = (
    _color,
    _geometry,
    _filter,
    _guide,
    _grey,
    _apply,
    _grain,
)
"""Each adds its vectors, given the example's pixels and landmarks."""
