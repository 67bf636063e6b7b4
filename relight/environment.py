# SPDX-License-Identifier: Apache-2.0
"""HDR environment maps: the light around the subject, and the three spheres that show it.

A map is lat-long ``H x 2H``, linear, row 0 = +y (up), ``u = 0.5 - az / 2 pi``,
``v = 0.5 - el / pi``, pixel centres (as OpenEXR and Mitsuba): the middle column is behind the
camera, the left half of the map lights image right. Its scale is the photo's own: a white Lambert
sphere rendered under it looks as it would in the photo.

References:
    OpenEXR, ImfEnvmap.h (lat-long maps). LeGendre et al. 2020, "Learning Illumination from
    Diverse Portraits", section 3 (diffuse, matte silver and mirror spheres).
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight import geometry
from relight.color import linear_to_srgb, luminance, to_uint8
from relight.error import EnvironmentFileError
from relight.photo import hdr
from relight.storage import whole_file

Float = NDArray[np.float32]

HEIGHT, WIDTH = 16, 32
"""Size of the maps that the product estimates."""
MATTE_EXPONENT = 24
"""Phong exponent of the matte silver sphere (LeGendre et al. 2020)."""
BRIGHTEST = 1e8
"""Higher radiances are clipped to this, so that sums stay finite."""
ROLL_SAMPLES = 4
"""A map is rolled at so many times its height, then averaged: near its poles pixels are small."""
CHEEK_AZIMUTH = np.radians(50.0)
"""Azimuth, in the head's frame, of the two cheek normals whose irradiances are key and fill."""
SHADOW = 1e-6
"""Irradiance that the darker cheek counts as having at least, so that the ratio is finite."""
EVEN = 1e-4
"""Share of all light below which its first moment is rounding, and the light has no direction."""
BLOCK = 128
"""Normals whose irradiance is summed at once: their cosines stay in the cache, and OpenBLAS does so
small a product alone. Its threads wait for each other longer than they work."""
RIM = 0.999
"""Radius of a sphere at which its rim is drawn: beyond, normals turn away faster than pixels."""


def map_position(
    vectors: NDArray[Any], height: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Column and row of vectors ``(..., 3)`` on a lat-long map; integers are pixel centres.

    Args:
        vectors: of any length.
        height: rows of the map, which has twice as many columns.
    """
    azimuth, elevation = geometry.angles(vectors)
    column = (0.5 - azimuth / (2 * np.pi)) * (2 * height) - 0.5
    return column, (0.5 - elevation / np.pi) * height - 0.5


@functools.lru_cache(maxsize=8)
def directions(height: int) -> Float:
    """Unit vectors ``(H, 2H, 3)`` towards the centres of a map's pixels, read-only."""
    azimuth = (0.5 - (np.arange(2 * height) + 0.5) / (2 * height)) * 2 * np.pi
    elevation = (0.5 - (np.arange(height) + 0.5) / height) * np.pi
    result = geometry.direction(azimuth[None, :], elevation[:, None])
    result.flags.writeable = False
    return result


@functools.lru_cache(maxsize=8)
def solid_angles(height: int) -> Float:
    """Solid angle ``(H, 1)`` in steradians of a pixel of each row; all pixels sum to 4 pi."""
    edges = np.sin((0.5 - np.arange(height + 1) / height) * np.pi)
    result = ((edges[:-1] - edges[1:]) * np.pi / height)[:, None].astype(np.float32)
    result.flags.writeable = False
    return result


class Spheres(NamedTuple):
    """Three spheres lit by a map, as the camera sees them: ``(S, S, 3)`` float32 linear each.

    Attributes:
        diffuse: white Lambert sphere.
        matte_silver: rough metal (Phong lobe).
        mirror: perfect mirror.
    """

    diffuse: Float
    matte_silver: Float
    mirror: Float

    def image(self, background: int = 24) -> NDArray[np.uint8]:
        """The three side by side as sRGB bytes, ``(S, 3 S, 3)``."""
        size = self.diffuse.shape[0]
        _, mask = sphere_normals(size)
        linear = np.concatenate(list(self), 1)
        coverage = np.tile(mask, (1, 3))[..., None]
        return to_uint8(linear_to_srgb(linear) * coverage + background / 255 * (1 - coverage))


def sphere_normals(size: int) -> tuple[Float, Float]:
    """Normals ``(S, S, 3)`` of a sphere filling a square, and its antialiased mask ``(S, S)``."""
    x = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(x, -x)
    radius = np.hypot(x, y)
    inside = np.minimum(radius, RIM)
    shrink = inside / np.maximum(radius, 1e-9)
    normals = np.stack([x * shrink, y * shrink, np.sqrt(1 - inside**2)], -1).astype(np.float32)
    return normals, np.clip((1 - radius) * size / 2 + 0.5, 0, 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Environment:
    """The light around a subject.

    Attributes:
        data: ``(H, 2H, 3)`` float32 radiance >= 0, linear sRGB primaries, camera frame.
    """

    data: Float

    def __post_init__(self) -> None:
        """Check the map's shape and values."""
        data = np.asarray(self.data, np.float32)
        if data.ndim != 3 or data.shape[2] != 3 or data.shape[1] != 2 * data.shape[0]:
            raise ValueError(f"expected an environment map H x 2H x 3, got {data.shape}")
        if not np.isfinite(data).all() or (data < 0).any():
            raise ValueError("an environment map holds finite radiances >= 0")
        object.__setattr__(self, "data", data)

    # --- Making and changing maps

    @classmethod
    def uniform(cls, radiance: Any = 1.0, height: int = HEIGHT) -> Environment:
        """The same radiance (scalar or RGB) from everywhere."""
        return cls(
            np.broadcast_to(np.asarray(radiance, np.float32), (height, 2 * height, 3)).copy()
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str], height: int | None = None) -> Environment:
        """Read a lat-long .hdr or .exr file.

        Args:
            path: the file; alpha is ignored, NaN and negative radiances become 0,
                infinite ones :data:`BRIGHTEST`.
            height: rows to resample to; ``None`` keeps the file's own.

        Raises:
            EnvironmentFileError: if it cannot be read or is not twice as wide as high.
        """
        path = Path(path)
        pixels = hdr.read(path)
        pixels = np.clip(np.nan_to_num(pixels, nan=0.0), 0, BRIGHTEST)
        rows, columns = pixels.shape[:2]
        if columns != 2 * rows:
            raise EnvironmentFileError(
                f"{path}: a lat-long environment map is twice as wide as high,"
                f" this one is {columns} x {rows}; convert it to lat-long first"
            )
        result = cls(pixels)
        return result if height is None else result.resample(height)

    def resample(self, height: int) -> Environment:
        """The map at another resolution with the same energy, weighted by solid angle."""
        import cv2

        if height < 1:
            raise ValueError(f"a map has at least one row, got {height}")
        rows = self.data.shape[0]
        if height == rows:
            return self
        if height > rows:
            scale = height / rows
            big = cv2.resize(
                self._bordered(), (round((2 * rows + 4) * scale), round((rows + 4) * scale))
            )
            start = round(2 * scale)
            grown = big[start : start + height, start : start + 2 * height]
            ratio = self.power() / np.maximum(Environment(grown).power(), 1e-20)
            return Environment(grown * ratio.astype(np.float32))
        weighted = cv2.resize(
            self.data * solid_angles(rows)[..., None],
            (2 * height, height),
            interpolation=cv2.INTER_AREA,
        )
        area = (rows / height) ** 2
        return Environment(weighted * np.float32(area) / solid_angles(height)[..., None])

    def _bordered(self) -> Float:
        """The map with two more pixels on every side, taken from beyond the seam and the poles."""
        rows = self.data.shape[0]
        over = np.roll(self.data, rows, 1)  # beyond a pole is the opposite meridian
        whole = np.concatenate([over[1::-1], self.data, over[:-3:-1]], 0)
        return np.concatenate([whole[:, -2:], whole, whole[:, :2]], 1)

    def rotate(self, azimuth: float) -> Environment:
        """Turn the light about the vertical by ``azimuth`` radians (> 0: towards image right)."""
        width = self.data.shape[1]
        shift = -azimuth / (2 * np.pi) * width
        whole = int(np.floor(shift))
        part = np.float32(shift - whole)
        near, far = np.roll(self.data, whole, 1), np.roll(self.data, whole + 1, 1)
        return Environment(near * (1 - part) + far * part)

    def roll(self, angle: float) -> Environment:
        """Turn the light about the camera's axis, its power kept.

        Args:
            angle: radians, > 0 clockwise as the viewer sees it: from above towards image right.
        """
        if angle == 0:
            return self
        rows = len(self.data)
        towards = geometry.rolled(directions(ROLL_SAMPLES * rows), -angle)
        turned = Environment(self.sample(towards)).resample(rows)
        kept = self.power() / np.maximum(turned.power(), 1e-20)
        return Environment(turned.data * kept.astype(np.float32))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the map as Radiance .hdr or as 32-bit float .exr, complete or not at all.

        Raises:
            EnvironmentFileError: for another suffix, or if the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in (".hdr", ".exr"):
            raise EnvironmentFileError(
                f"{path}: lighting is saved as .hdr or .exr; name such a file"
            )
        try:
            with whole_file(path) as temporary:
                hdr.write(temporary, self.data)
        except OSError as error:
            reason = error.strerror or error
            raise EnvironmentFileError(f"{path}: cannot be written ({reason})") from error
        return path

    # --- What the light does

    def power(self) -> NDArray[np.float64]:
        """Radiance integrated over the sphere, RGB."""
        weights = solid_angles(self.data.shape[0])[..., None]
        total: NDArray[np.float64] = (self.data * weights).sum((0, 1), dtype=np.float64)
        return total

    def irradiance(self, normals: NDArray[Any]) -> Float:
        """Irradiance over pi, i.e. radiance of a white Lambert surface, unshadowed.

        Args:
            normals: ``(..., 3)`` unit vectors, camera frame.

        Returns:
            ``(..., 3)`` float32 linear; 1 everywhere in an environment of uniform radiance 1.
        """
        height = self.data.shape[0]
        towards = directions(height).reshape(-1, 3)
        power = (self.data * solid_angles(height)[..., None]).reshape(-1, 3)
        flat = np.asarray(normals, np.float32).reshape(-1, 3)
        result = np.empty_like(flat)
        for start in range(0, len(flat), BLOCK):
            cosine = flat[start : start + BLOCK] @ towards.T
            result[start : start + BLOCK] = np.maximum(cosine, 0, out=cosine) @ power
        result /= np.float32(np.pi)
        return result.reshape(np.shape(normals))

    def sample(self, vectors: NDArray[Any]) -> Float:
        """Radiance seen along unit vectors ``(..., 3)``, bilinear, ``(..., 3)``."""
        import cv2

        x, y = map_position(vectors, len(self.data))
        shape = np.shape(x)
        u, v = ((np.reshape(c, (1, -1)) + 2).astype(np.float32) for c in (x, y))
        bordered, limit = self._bordered(), 32000  # pixels on a side that remap can make
        found = [
            cv2.remap(bordered, u[:, k : k + limit], v[:, k : k + limit], cv2.INTER_LINEAR)
            for k in range(0, u.size, limit)
        ]
        return np.concatenate(found, 1).reshape(*shape, 3)

    def dominant_direction(self) -> Float:
        """Unit vector towards where most light comes from: the first moment of luminance.

        Light that is the same from everywhere has none; the result is then (0, 0, 1), the camera.
        """
        moment = self._moment()
        length = np.linalg.norm(moment)
        if length < EVEN * max(float(luminance(self.power())), 1e-12):
            return np.array([0, 0, 1], np.float32)
        return (moment / length).astype(np.float32)

    def _moment(self) -> NDArray[np.float64]:
        height = self.data.shape[0]
        weight = luminance(self.data) * solid_angles(height)
        moment: NDArray[np.float64] = np.einsum("hw,hwi->i", weight, directions(height)).astype(
            float
        )
        return moment

    def cheek_irradiance(self, head_pose: NDArray[Any] | None = None) -> tuple[float, float]:
        """Luminance of irradiance over pi on the cheeks turned to image left and image right.

        Args:
            head_pose: ``(3, 3)`` rotation head to camera; ``None`` faces the camera.
        """
        pose = np.eye(3) if head_pose is None else np.asarray(head_pose)
        normals = geometry.direction([-CHEEK_AZIMUTH, CHEEK_AZIMUTH], 0.0) @ pose.T
        left, right = luminance(self.irradiance(normals))
        return float(left), float(right)

    def key_to_fill(self, head_pose: NDArray[Any] | None = None) -> float:
        """Irradiance of the lit cheek over that of the shadow cheek, >= 1."""
        left, right = self.cheek_irradiance(head_pose)
        return max(left, right) / max(min(left, right), SHADOW)

    def spheres(self, size: int = 128) -> Spheres:
        """Diffuse, matte silver and mirror sphere under this light, ``size`` pixels each."""
        normals, mask = sphere_normals(size)
        view = np.array([0, 0, 1], np.float32)
        reflected = 2 * (normals @ view)[..., None] * normals - view
        height = self.data.shape[0]
        towards = directions(height).reshape(-1, 3)
        lobe = np.maximum(reflected.reshape(-1, 3) @ towards.T, 0) ** MATTE_EXPONENT
        lobe *= np.repeat(solid_angles(height)[:, 0], 2 * height)
        lobe = lobe / lobe.sum(1, keepdims=True)
        matte = (lobe @ self.data.reshape(-1, 3)).reshape(size, size, 3)
        inside = (mask > 0)[..., None]
        return Spheres(
            self.irradiance(normals) * inside, matte * inside, self.sample(reflected) * inside
        )
