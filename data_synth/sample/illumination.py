# SPDX-License-Identifier: Apache-2.0
"""Light around the subject: a user's HDR maps, or skies, rooms, studios and nights made here.

Maps stand in the world's frame (+y up, +z in front of the subject). They become one weight per
light of the rig: radiance integrated over the light's cell of the sphere.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError
from relight.color import luminance
from relight.environment import Environment, directions, solid_angles
from relight.geometry import direction

Float = NDArray[np.float32]

HEIGHT = 64
"""Rows of the maps that light the subjects."""
KINDS = ("sky", "overcast", "room", "studio", "night")


@dataclass(frozen=True)
class EnvironmentRanges:
    """What is drawn for each use of a map.

    Attributes:
        mix: chance that two maps are added, in random proportion.
        point_lights: chance that one to three small lights join.
        saturation: colours are raised or lowered by a factor from this range.
    """

    mix: float = 0.25
    point_lights: float = 0.3
    saturation: tuple[float, float] = (0.6, 1.2)


class EnvironmentBank:
    """Maps to draw from, each ``(64, 128, 3)``, scaled to mean radiance 1.

    Args:
        maps: ``(N, 64, 128, 3)`` float32.
        names: of the maps.
        ranges: how they are varied.
    """

    def __init__(
        self, maps: Float, names: Sequence[str], ranges: EnvironmentRanges | None = None
    ) -> None:
        weight = solid_angles(maps.shape[1])
        mean = (luminance(maps) * weight).sum((1, 2)) / (4 * np.pi)
        self.maps: Float = maps / np.maximum(mean, 1e-9)[:, None, None, None]
        self.names = list(names)
        self.ranges = ranges or EnvironmentRanges()

    @classmethod
    def load(cls, folder: Path, ranges: EnvironmentRanges | None = None) -> EnvironmentBank:
        """All .hdr and .exr files of a folder.

        Raises:
            AssetError: if the folder holds none.
            EnvironmentFileError: if one cannot be read.
        """
        paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in (".hdr", ".exr"))
        if not paths:
            raise AssetError(f"{folder}: no .hdr or .exr environment maps there")
        maps = np.stack([Environment.load(p, HEIGHT).data for p in paths])
        return cls(maps, [p.stem for p in paths], ranges)

    @classmethod
    def make(
        cls, count: int, rng: np.random.Generator, ranges: EnvironmentRanges | None = None
    ) -> EnvironmentBank:
        """Procedural maps of all kinds in turn."""
        names = [KINDS[i % len(KINDS)] for i in range(count)]
        return cls(np.stack([make_environment(name, rng) for name in names]), names, ranges)

    def draw(self, rng: np.random.Generator) -> Float:
        """A map ``(64, 128, 3)`` turned at random, perhaps mixed and joined by small lights."""
        result = self._turned(rng)
        if rng.random() < self.ranges.mix:
            share = rng.uniform(0.1, 0.9)
            result = (1 - share) * result + share * self._turned(rng)
        if rng.random() < self.ranges.point_lights:
            result = result.copy()
            for _ in range(int(rng.integers(1, 4))):
                towards = direction(rng.uniform(-np.pi, np.pi), rng.uniform(-0.3, 1.2))
                power = rng.uniform(0.5, 8) * light_color(rng)
                result += lamp(towards, rng.uniform(0.04, 0.15)) * power
        grey = luminance(result)[..., None]
        saturation = np.float32(rng.uniform(*self.ranges.saturation))
        return np.maximum(grey + (result - grey) * saturation, 0).astype(np.float32)

    def _turned(self, rng: np.random.Generator) -> Float:
        image = self.maps[int(rng.integers(len(self.maps)))]
        if rng.random() < 0.5:
            image = image[:, ::-1]
        return np.roll(image, int(rng.integers(image.shape[1])), 1)


class Projector:
    """Turns maps into weights of a rig's lights and into maps of a camera's frame.

    Args:
        lights: ``(L, 3)`` unit vectors, world frame.
        height: rows of the maps.
    """

    def __init__(self, lights: Float, height: int = HEIGHT) -> None:
        self._towards = directions(height).reshape(-1, 3)
        self._angle = np.repeat(solid_angles(height)[:, 0], 2 * height)
        self._count, self._height = len(lights), height
        self._cell = np.argmax(self._towards @ np.asarray(lights, np.float32).T, 1)

    def weights(self, image: Float) -> Float:
        """Radiance integrated over each light's cell, ``(L, 3)``; all power is kept."""
        return _binned(self._cell, image.reshape(-1, 3) * self._angle[:, None], self._count)

    def in_camera(self, rotation: NDArray[Any], height: int) -> CameraMap:
        """How maps turn into maps of a camera's frame with ``height`` rows."""
        local = self._towards @ np.asarray(rotation, np.float32)
        seen = directions(height).reshape(-1, 3) @ np.asarray(rotation, np.float32).T
        return CameraMap(height, _pixel(local, height), _pixel(seen, self._height), self._angle)


class CameraMap:
    """Resamples world maps into one camera's frame; keeps the light's power.

    Args:
        height: rows of the result.
        target: ``(H * 2H,)`` pixel of the result that each pixel of a world map falls on.
        source: ``(height * 2 height,)`` pixel of the world map at each pixel's centre.
        angle: ``(H * 2H,)`` solid angles of the world map's pixels.
    """

    def __init__(
        self, height: int, target: NDArray[np.int64], source: NDArray[np.int64], angle: Float
    ) -> None:
        count = 2 * height * height
        self._height, self._target, self._source, self._angle = height, target, source, angle
        self._area = np.bincount(target, angle, minlength=count).astype(np.float32)[:, None]

    def __call__(self, image: Float) -> Float:
        """The map ``(height, 2 height, 3)``: mean radiance of each pixel."""
        flat = image.reshape(-1, 3)
        power = _binned(self._target, flat * self._angle[:, None], len(self._area))
        # Pixels near a pole may be so narrow that no world pixel's centre falls on them.
        filled = np.where(self._area > 0, power / np.maximum(self._area, 1e-12), flat[self._source])
        return filled.astype(np.float32).reshape(self._height, 2 * self._height, 3)


def _pixel(vectors: NDArray[Any], height: int) -> NDArray[np.int64]:
    """Flat pixel of a lat-long map on which unit vectors ``(N, 3)`` fall."""
    azimuth = np.arctan2(vectors[:, 0], vectors[:, 2])
    elevation = np.arcsin(np.clip(vectors[:, 1], -1, 1))
    row = ((0.5 - elevation / np.pi) * height).astype(np.int64)
    column = ((0.5 - azimuth / (2 * np.pi)) * 2 * height).astype(np.int64)
    return np.clip(row, 0, height - 1) * 2 * height + column % (2 * height)


def _binned(index: NDArray[np.int64], values: Float, count: int) -> Float:
    columns = [np.bincount(index, values[:, c], minlength=count) for c in range(3)]
    return np.stack(columns, 1).astype(np.float32)


def light_color(rng: np.random.Generator) -> Float:
    """Colour of a lamp of luminance 1: usually between candle and sky, seldom vivid."""
    if rng.random() < 0.15:
        color = rng.dirichlet([0.8, 0.8, 0.8]) + 0.02
    else:
        warmth = rng.uniform(-0.6, 1)
        color = np.array([1 + 0.5 * warmth, 1, 1 - 0.6 * warmth])
    return (color / luminance(color)).astype(np.float32)


def lamp(towards: Float, radius: float) -> Float:
    """A soft disk ``(64, 128, 1)`` whose radiance integrates to 1; ``radius`` in radians."""
    cosine = directions(HEIGHT) @ towards
    shape = np.exp((cosine - 1) / max(radius, 0.03) ** 2)
    total = float((shape * solid_angles(HEIGHT)).sum())
    return (shape / total)[..., None].astype(np.float32)


def make_environment(kind: str, rng: np.random.Generator) -> Float:
    """One procedural map ``(64, 128, 3)`` float32 of any exposure; ``kind`` is in ``KINDS``."""
    result: Float = np.maximum(_MAKERS[kind](rng), 0).astype(np.float32)
    return result


def _sky(rng: np.random.Generator) -> NDArray[Any]:
    """Clear sky with a sun anywhere above the horizon, ground, perhaps a skyline."""
    towards = directions(HEIGHT)
    elevation = np.radians(rng.uniform(3, 75))
    sun = direction(0.0, elevation)
    low = np.exp(-np.degrees(elevation) / 15)  # 1 at sunset
    zenith = np.array([0.22, 0.42, 0.9]) * rng.uniform(0.8, 1.2, 3)
    horizon = np.array([0.75 + 0.5 * low, 0.8 - 0.15 * low, 0.95 - 0.5 * low])
    height = np.clip(towards[..., 1:2], 0, 1)
    glow = np.exp((towards @ sun - 1) / 0.15)[..., None] * rng.uniform(0.5, 2)
    sky = zenith + (horizon - zenith) * (1 - height) ** 3 + glow * (0.4 + 0.6 * horizon)
    sky *= 1 + rng.uniform(0, 0.6) * (_clouds(rng) - 0.5)
    color = np.array([1.0, 0.93 - 0.35 * low, 0.85 - 0.65 * low])
    power = rng.uniform(3, 25) * (1 - 0.7 * low)
    shade = rng.uniform(0, 1) < 0.25  # the sun behind something
    total = sky + lamp(sun, 0.03) * color * power * (0.0 if shade else 1.0)
    irradiance = 1.5 + power * float(sun[1]) / np.pi * (not shade)
    ground = rng.uniform(0.08, 0.35) * np.array([1.0, 0.92, 0.8]) * irradiance
    ground = ground * (0.8 + 0.4 * _clouds(rng))
    line = _skyline(rng) if rng.random() < 0.6 else np.zeros((1, 2 * HEIGHT, 1))
    wall = rng.uniform(0.1, 0.4) * rng.uniform(0.7, 1, 3)
    y = towards[..., 1:2]
    return np.where(y < 0, ground, np.where(y < line, wall * (0.7 + 0.6 * _clouds(rng)), total))


def _overcast(rng: np.random.Generator) -> NDArray[Any]:
    """Cloudy sky, three times brighter overhead than at the horizon (Moon and Spencer 1942)."""
    y = directions(HEIGHT)[..., 1:2]
    color = np.array([0.92, 0.97, 1.05]) * rng.uniform(0.95, 1.05, 3)
    sky = (1 + 2 * np.clip(y, 0, 1)) / 3 * color * (0.75 + 0.5 * _clouds(rng))
    ground = rng.uniform(0.05, 0.4) * np.array([1.0, 0.95, 0.85])
    line = _skyline(rng) if rng.random() < 0.7 else np.zeros((1, 2 * HEIGHT, 1))
    wall = rng.uniform(0.05, 0.3) * rng.uniform(0.7, 1, 3)
    return np.where(y < 0, ground, np.where(y < line, wall, sky))


def _room(rng: np.random.Generator) -> NDArray[Any]:
    """A room with windows and lamps; the subject stands somewhere in it."""
    towards = directions(HEIGHT)
    half = np.array([rng.uniform(1.5, 4), rng.uniform(1.2, 1.8), rng.uniform(1.5, 4)])
    place = half * rng.uniform(-0.6, 0.6, 3) * np.array([1, 0.5, 1])
    with np.errstate(divide="ignore"):
        reach = np.where(towards > 0, half - place, half + place) / np.maximum(
            np.abs(towards), 1e-9
        )
    axis = np.argmin(reach, 2)
    point = place + towards * reach.min(2)[..., None]
    wall = rng.uniform(0.25, 0.8) * rng.uniform(0.75, 1.0, 3)
    surfaces = np.stack([wall, np.array([0.85, 0.83, 0.8]), wall])
    albedo = surfaces[axis]
    floor = (axis == 1) & (towards[..., 1] < 0)
    albedo[floor] = rng.uniform(0.1, 0.5) * np.array([1.0, 0.75, 0.55])
    daylight = np.array([0.8, 0.95, 1.2]) * rng.uniform(4, 16)
    result = np.zeros_like(towards)
    open_area = 0.0
    for _ in range(int(rng.integers(1, 4))):
        side, sign = int(rng.choice([0, 2])), rng.choice([-1, 1])
        across = 2 - side
        center, width = rng.uniform(-0.6, 0.6) * half[across], rng.uniform(0.3, 1.0)
        bottom, top = rng.uniform(-0.6, 0), rng.uniform(0.3, half[1])
        pane = (axis == side) & (np.sign(towards[..., side]) == sign)
        pane &= np.abs(point[..., across] - center) < width
        pane &= (point[..., 1] > bottom) & (point[..., 1] < top)
        open_area += 2 * width * (top - bottom)
        result += pane[..., None] * daylight * (0.5 + _clouds(rng))
    bounce = 0.06 * open_area * daylight * rng.uniform(0.5, 1.5)
    for _ in range(int(rng.integers(0, 3))):
        power = rng.uniform(0.5, 6) * np.array([1.3, 0.95, 0.5])
        spot = direction(rng.uniform(-np.pi, np.pi), rng.uniform(0.0, 1.4))
        result += lamp(spot, rng.uniform(0.05, 0.2)) * power
        bounce = bounce + 0.05 * power
    result[result.sum(2) < 1e-3] = 0
    return result + albedo * bounce * (0.7 + 0.6 * _clouds(rng))


def _studio(rng: np.random.Generator) -> NDArray[Any]:
    """Softboxes around the subject, over a background of any grey or colour."""
    towards = directions(HEIGHT)
    base = rng.uniform(0.01, 0.3) * (1 + rng.uniform(-0.2, 0.2, 3))
    result = np.broadcast_to(base, towards.shape) * (0.8 + 0.4 * _clouds(rng))
    for _ in range(int(rng.integers(1, 5))):
        azimuth, elevation = rng.uniform(-np.pi, np.pi), np.radians(rng.uniform(-15, 70))
        center = direction(azimuth, elevation)
        right = direction(azimuth + np.pi / 2, 0.0)
        up = np.cross(center, right)
        wide, high = rng.uniform(0.12, 0.5, 2)
        ahead = np.maximum(towards @ center, 1e-3)
        x, y = (towards @ right) / ahead / wide, (towards @ up) / ahead / high
        shape = np.hypot(x, y) if rng.random() < 0.3 else np.maximum(np.abs(x), np.abs(y))
        inside = (towards @ center > 0) / (1 + np.exp(np.clip((shape - 1) * 12, -30, 30)))
        color = light_color(rng) if rng.random() < 0.35 else np.ones(3)
        result = result + inside[..., None] * color * rng.uniform(0.5, 3) / (wide * high)
    return result


def _night(rng: np.random.Generator) -> NDArray[Any]:
    """Dark surroundings with street lamps, signs and screens."""
    y = directions(HEIGHT)[..., 1:2]
    sky = np.array([0.02, 0.025, 0.05]) * rng.uniform(0.3, 3)
    result = np.where(y > 0, sky, sky * 0.6 + 0.01) * (0.5 + _clouds(rng))
    for _ in range(int(rng.integers(2, 9))):
        towards = direction(rng.uniform(-np.pi, np.pi), rng.uniform(-0.2, 0.9))
        power = rng.lognormal(-0.5, 0.8) * light_color(rng)
        result = result + lamp(towards, rng.uniform(0.03, 0.25)) * power
    return result


_MAKERS = {
    "sky": _sky,
    "overcast": _overcast,
    "room": _room,
    "studio": _studio,
    "night": _night,
}


@functools.lru_cache(maxsize=1)
def _waves() -> Float:
    return directions(HEIGHT) * np.float32(np.pi)


def _clouds(rng: np.random.Generator) -> Float:
    """Smooth noise over the sphere, ``(64, 128, 1)``, about 0 to 1."""
    total = np.zeros((HEIGHT, 2 * HEIGHT), np.float32)
    for octave in range(3):
        for _ in range(3):
            wave = rng.standard_normal(3).astype(np.float32) * 2**octave
            total += np.sin(_waves() @ wave + np.float32(rng.uniform(0, 6.3))) / 2**octave
    return np.clip(0.5 + total[..., None] / 6, 0, 1)


def _skyline(rng: np.random.Generator) -> NDArray[Any]:
    """Height of houses or trees by column, as the sine of elevation, ``(1, 128, 1)``."""
    columns = 2 * HEIGHT
    steps = np.sort(rng.integers(0, columns, int(rng.integers(3, 14))))
    heights = rng.uniform(0, rng.uniform(0.1, 0.7), len(steps) + 1)
    return heights[np.searchsorted(steps, np.arange(columns)) % len(heights)][None, :, None]
