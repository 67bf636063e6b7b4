# SPDX-License-Identifier: Apache-2.0
"""Extended Yale B: real faces photographed under one light at a time.

Reference: Georghiades et al. 2001, "From Few to Many: Illumination Cone Models for Face
Recognition under Variable Lighting and Pose"; Lee et al. 2005, "Acquiring Linear Subspaces for
Face Recognition under Variable Lighting". Cropped images of 168 x 192 pixels, grey, 8 bit, close
to linear. The names give the light, ``A`` azimuth in degrees with positive = image *left*.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from data_synth.run.capture_file import NORMALS, lamp_deg
from relight import geometry
from relight.color import linear_to_srgb, to_uint8
from relight.error import RelightError
from relight.face import mesh
from relight.face.face import Face
from training.judge import metric

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

PAD = 60
"""Pixels of repeated edge around the tight crops, so that a face detector finds the face."""
ENLARGE = 3
"""Factor by which padded crops are enlarged, for the same reason."""
DARKEST = 0.02
"""Captures with a lower mean are faulty: the lamp did not fire."""
BRIGHTEST = 0.98
"""Pixels of a capture at or above this are clipped and do not count."""

MIXED_KINDS = ("ambient", "left", "right")
"""Photos lit softly, by many lights at once: the ones that residuals are averaged over."""
HARD_KINDS = ("hard side", "hard top", "side lamp", "top lamp")
"""Photos lit by one small light and little else, which throw deep shadows; with the latter two the
light stands where a portrait's may, and there is half as much again besides."""
LAMP = (0.85, 0.15)
"""Shares of the lamp and of all lights in them."""


class DatasetError(RelightError):
    """A dataset is missing, incomplete or not in its own layout."""


@dataclass(frozen=True)
class Capture:
    """One subject under one light at a time.

    Attributes:
        name: the subject's folder, for example ``yaleB01``.
        images: ``(N, H, W)`` float32 linear, 1.0 = white.
        azimuths_deg: ``(N,)`` > 0 towards image right.
        elevations_deg: ``(N,)`` > 0 up.
        normals: ``(H, W, 3)`` true ones, camera frame, 0 outside the person; ``None`` for real
            people, whose normals are not known. See :mod:`data_synth.run.capture`.
    """

    name: str
    images: Float
    azimuths_deg: NDArray[np.float64]
    elevations_deg: NDArray[np.float64]
    normals: Float | None = None

    @property
    def lights(self) -> Float:
        """Unit vectors ``(N, 3)`` towards the lights, camera frame."""
        return geometry.direction(np.radians(self.azimuths_deg), np.radians(self.elevations_deg))

    def photos(self) -> dict[str, Float]:
        """Photos ``(H, W)`` linear to be relit, by kind.

        ``ambient`` is the mean of all lights; ``left`` and ``right`` 0.7 x the mean of the lights
        at azimuth 45 to 60 and up to 20 high or low on that side + 0.3 x ambient. ``hard side`` is
        the one light nearest to azimuth 65, elevation 0 among those at azimuth 60 to 70, and
        ``hard top`` the one nearest to azimuth 0, elevation 70 among those above 60, each + 0.1 x
        ambient. ``side lamp`` is 0.85 x the light nearest to azimuth 50, elevation 0 and ``top
        lamp`` 0.85 x the one nearest to azimuth 0, elevation 45, each + 0.15 x ambient.

        Raises:
            DatasetError: if a light that is needed is missing.
        """
        ambient = self.images.mean(0)
        result = {"ambient": ambient}
        low = np.abs(self.elevations_deg) <= 20
        for side, sign in (("left", -1), ("right", 1)):
            azimuth = self.azimuths_deg * sign
            chosen = low & (azimuth >= 45) & (azimuth <= 60)
            if not chosen.any():
                raise DatasetError(f"{self.name}: no light at azimuth 45 to 60 on the {side}")
            result[side] = 0.7 * self.images[chosen].mean(0) + 0.3 * ambient
        aside, height = np.abs(self.azimuths_deg), self.elevations_deg
        for kind, allowed, target, shares in (
            ("hard side", (aside >= 60) & (aside <= 70), (65, 0), (1, 0.1)),
            ("hard top", height >= 60, (0, 70), (1, 0.1)),
            ("side lamp", (aside >= 40) & (aside < 60) & (np.abs(height) <= 20), (50, 0), LAMP),
            ("top lamp", (aside <= 20) & (height >= 30) & (height < 60), (0, 45), LAMP),
        ):
            if not allowed.any():
                raise DatasetError(f"{self.name}: no light for the photo {kind!r}")
            away = geometry.angle_between(self.lights, geometry.direction(*np.radians(target)))
            nearest = int(np.argmin(np.where(allowed, away, np.inf)))
            result[kind] = shares[0] * self.images[nearest] + shares[1] * ambient
        return result

    def key_indices(self) -> NDArray[np.int64]:
        """Indices of the lights that a key is judged at: 20 to 50 off axis, up to 45 high."""
        azimuth = np.abs(self.azimuths_deg)
        return np.nonzero((azimuth >= 20) & (azimuth <= 50) & (np.abs(self.elevations_deg) <= 45))[
            0
        ]


def subjects(root: Path, count: int | None = None) -> list[Path]:
    """The subjects' folders in CroppedYale's own layout: all of them, or so many evenly chosen.

    Raises:
        DatasetError: if there is none.
    """
    for base in (root, root / "CroppedYale"):
        found = sorted(p for p in base.glob("yaleB[0-9][0-9]") if p.is_dir())
        if found:
            return found[:: max(1, len(found) // count)][:count] if count else found
    raise DatasetError(f"{root}: no yaleB01, yaleB02, ... here; give the CroppedYale folder")


def load(folder: Path) -> Capture:
    """Read a subject's captures, leaving out faulty ones.

    Raises:
        DatasetError: if the folder holds too few readable captures.
    """
    images: list[Float] = []
    azimuths: list[float] = []
    elevations: list[float] = []
    for path in sorted(folder.glob("*.pgm")):
        lamp = lamp_deg(path.name)
        if lamp is None:
            continue
        try:
            with Image.open(path) as file:
                image = np.asarray(file.convert("L"), np.float32) / 255
        except (OSError, ValueError) as error:
            raise DatasetError(f"{path}: cannot be read ({error}); fetch it again") from error
        if image.mean() < DARKEST or (images and image.shape != images[0].shape):
            continue
        images.append(image)
        azimuths.append(lamp[0])
        elevations.append(lamp[1])
    if len(images) < 16:
        raise DatasetError(f"{folder}: only {len(images)} captures; a subject has 64")
    pictures = np.stack(images)
    return Capture(
        folder.name,
        pictures,
        np.array(azimuths),
        np.array(elevations),
        _true_normals(folder / NORMALS, pictures.shape[1:]),
    )


def _true_normals(path: Path, shape: tuple[int, ...]) -> Float | None:
    """What is known of a synthetic person; ``None`` for a real one."""
    if not path.exists():
        return None
    try:
        normals = np.load(path, allow_pickle=False)
        if normals.shape != (*shape, 3):
            raise ValueError(f"its shape is {normals.shape}")
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{path}: no normals of these captures ({error})") from error
    return normals.astype(np.float32)


def photometric_stereo(capture: Capture, rounds: int = 8) -> tuple[Float, Float]:
    """True normals ``(H, W, 3)`` and albedo ``(H, W)`` from a subject's single-light photos.

    Per pixel, a Lambert surface is fitted by reweighted least squares to the lights that it shows
    plainly: neither in shadow nor glinting nor clipped.

    Reference: Woodham 1980, "Photometric Method for Determining Surface Orientation from Multiple
    Images".
    """
    count, height, width = capture.images.shape
    observed = capture.images.reshape(count, -1).T.astype(np.float64)
    lights = capture.lights.astype(np.float64)
    plain = (observed < BRIGHTEST) & (observed > 0.01)
    weight = plain * 1.0
    for _ in range(rounds):
        normal = np.einsum("pn,ni,nj->pij", weight, lights, lights) + 1e-6 * np.eye(3)
        target = np.einsum("pn,pn,ni->pi", weight, observed, lights)
        surface = np.linalg.solve(normal, target[..., None])[..., 0]
        predicted = surface @ lights.T
        scale = np.linalg.norm(surface, axis=1, keepdims=True) + 1e-6
        error = (observed - predicted) / scale
        lit = predicted > 0.05 * scale
        weight = plain * lit / (1 + (error / 0.06) ** 2) + 1e-9
    albedo = np.linalg.norm(surface, axis=1)
    normals = geometry.normalize(surface)
    return normals.reshape(height, width, 3), albedo.reshape(height, width).astype(np.float32)


def stereo_doubt_deg(capture: Capture, mask: Mask) -> float:
    """How far photometric stereo's normals depend on the lamps: skin is no Lambert surface.

    Returns:
        Mean angle in degrees, inside ``mask``, between normals from the lamps on the left and
        normals from those on the right; lamps up to 15 degrees off the middle count on both sides.
    """
    normals = []
    for side in (-1, 1):
        chosen = capture.azimuths_deg * side > -15
        half = dataclasses.replace(
            capture,
            images=capture.images[chosen],
            azimuths_deg=capture.azimuths_deg[chosen],
            elevations_deg=capture.elevations_deg[chosen],
        )
        normals.append(photometric_stereo(half)[0])
    return metric.normal_error_deg(normals[0], normals[1], mask)


def as_photo(linear: Float) -> NDArray[np.uint8]:
    """Turn a tight linear crop ``(H, W)`` into a photo ``(H', W', 3)`` uint8 sRGB with margins."""
    return np.repeat(to_uint8(linear_to_srgb(onto_photo(linear)))[..., None], 3, 2)


def onto_photo(values: Float) -> Float:
    """Enlarge values ``(H, W[, C])`` on a tight crop to those on such a photo ``(H', W'[, C])``."""
    import cv2

    padded = cv2.copyMakeBorder(values, PAD, PAD, PAD, PAD, cv2.BORDER_REPLICATE)
    size = (padded.shape[1] * ENLARGE, padded.shape[0] * ENLARGE)
    enlarged: Float = cv2.resize(padded, size, interpolation=cv2.INTER_CUBIC)
    return enlarged


def from_photo(values: Float) -> Float:
    """Bring values ``(H', W'[, C])`` on such a photo back to the tight crop ``(H, W[, C])``."""
    import cv2

    size = (values.shape[1] // ENLARGE, values.shape[0] // ENLARGE)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return small[PAD:-PAD, PAD:-PAD]


def drawn_mesh(face: Face, shape: tuple[int, ...]) -> tuple[Float, Mask]:
    """The face mesh's normals and mask on the tight crop, from a face of its enlarged photo."""
    scale = np.float32(1 / ENLARGE)
    shift = np.array([PAD, PAD, 0], np.float32)
    drawn = mesh.surface(face.landmarks * scale - shift, face.head_pose, max(shape))
    return drawn.normals[: shape[0], : shape[1]], drawn.mask[: shape[0], : shape[1]]
