# SPDX-License-Identifier: Apache-2.0
"""Pictures that explain a result: before beside after, and the steps between."""

from __future__ import annotations

import dataclasses
import math
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from relight import Analysis, Light, Photo, PhotoError, Relighter, Result
from relight.stage.cast_shadow import light_visibility
from relight.storage import whole_file

Bytes = NDArray[np.uint8]

BACKGROUND = (24, 24, 24)
INK = (235, 235, 235)
FAINT = (160, 160, 160)
GAP = 16
"""Pixels between pictures."""
COMPARE_SIDE = 1600
"""Longer side of each half of a comparison, in pixels, at most."""
PANEL = 320
"""Side of the pictures of a sheet."""
LEAST_WHITE = 0.25
"""Smallest key gain shown as white."""


def compare(result: Result) -> Image.Image:
    """Before and after side by side, each at most 1600 pixels long."""
    before = _shrink(result.photo)
    after = _shrink(result.photo.with_rgb(result.image))
    size = max(12, min(28, before.width // 24))
    strip = size * 2
    sheet = Image.new("RGB", (before.width * 2 + GAP * 3, before.height + GAP + strip), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    light = " + ".join(_name(light, result.strength) for light in result.lights)
    for left, picture, head, tail in (
        (GAP, before, "Before", ""),
        (before.width + GAP * 2, after, "After", light),
    ):
        sheet.paste(picture, (left, GAP))
        below = before.height + GAP + strip // 2
        _write(draw, left, below, before.width, head, tail, size)
    return sheet


def explain(relighter: Relighter, result: Result) -> Image.Image:
    """The steps for the largest face: crop, normals, light, gain and result, with captions."""
    analysis = result.analyses[0]
    light = max(result.lights, key=lambda light: light.intensity)
    crop = analysis.face.crop
    before = crop.extract(result.photo.rgb8, PANEL)
    after = crop.extract(result.photo.with_rgb(result.image).rgb8, PANEL)
    spheres = analysis.environment.spheres(PANEL)
    # All three at the exposure at which the brightest diffuse point is nearly white.
    scale = np.float32(0.9 / max(float(spheres.diffuse.max()), 1e-6))
    balls = type(spheres)(*(ball * scale for ball in spheres)).image(BACKGROUND[0])
    gain = _gain(relighter, analysis, light)
    white = max(LEAST_WHITE, float(np.percentile(gain, 99.5)))
    gain = np.minimum(gain, white)
    ratio = result.report()["faces"][0]
    faces = len(result.faces)
    existing = Light.from_direction(analysis.existing_direction)
    panels = [
        (before, "1  Photo", "the largest face" if faces > 1 else "the face's crop"),
        (_normals(analysis), "2  Surface normals", "red right, green up, blue front"),
        (_visibility(analysis, light), "3  Light visibility", _place(light)),
        (
            np.round(gain / white * 255).astype(np.uint8),
            "4  Key gain",
            f"black 0, white {white:.2g}",
        ),
        (balls[:, :PANEL], "5  Existing light: diffuse", _place(existing)),
        (balls[:, PANEL : 2 * PANEL], "6  Matte silver sphere", "as it would look here"),
        (balls[:, 2 * PANEL :], "7  Mirror sphere", "all light around the face"),
        (
            after,
            "8  Relit",
            f"key-to-fill {ratio['key_to_fill_before']:.1f} to {ratio['key_to_fill_after']:.1f}",
        ),
    ]
    caption, size = 52, 17
    width = 4 * PANEL + 5 * GAP
    reasons = result.reason or " ".join(f"Light {_name(light)}." for light in result.lights)
    lines = textwrap.wrap(reasons, 140)
    height = GAP + 2 * (PANEL + caption + GAP) + len(lines) * 24 + GAP
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for index, (pixels, head, tail) in enumerate(panels):
        left = GAP + index % 4 * (PANEL + GAP)
        top = GAP + index // 4 * (PANEL + caption + GAP)
        sheet.paste(Image.fromarray(pixels), (left, top))
        _write(draw, left, top + PANEL + 16, PANEL, head, "", size)
        _write(draw, left, top + PANEL + 38, PANEL, "", tail, size - 3)
    for row, line in enumerate(lines):
        top = height - GAP - (len(lines) - row) * 24 + 12
        _write(draw, GAP, top, width - 2 * GAP, "", line, size - 1)
    return sheet


def save(image: Image.Image, path: Path) -> Path:
    """Write a picture in the format of its suffix, complete or not at all.

    Raises:
        PhotoError: if it cannot be written.
    """
    try:
        with whole_file(path) as temporary:
            image.save(temporary, quality=92, subsampling=0)
    except OSError as error:
        reason = error.strerror or error
        raise PhotoError(
            f"cannot write {path} ({reason}); choose another folder or name"
        ) from error
    return path


def _shrink(photo: Photo) -> Image.Image:
    """The photo, at most :data:`COMPARE_SIDE` long; transparent parts show the background."""
    image = Image.fromarray(photo.rgb8)
    if photo.alpha is not None:
        whole = np.iinfo(photo.alpha.dtype).max
        opacity = Image.fromarray((photo.alpha // ((whole + 1) // 256)).astype(np.uint8))
        image = Image.composite(image, Image.new("RGB", image.size, BACKGROUND), opacity)
    image.thumbnail((COMPARE_SIDE, COMPARE_SIDE))
    return image


def _normals(analysis: Analysis) -> Bytes:
    return _on_background((analysis.crop_normals + 1) / 2, analysis)


def _visibility(analysis: Analysis, light: Light) -> Bytes:
    radius = math.radians(light.softness_deg)
    towards = light.rolled(-analysis.face.crop.roll).direction
    lit = light_visibility(analysis.view.mesh, analysis.crop_normals, towards, radius)
    return _on_background(np.repeat(lit[..., None], 3, 2), analysis)


def _on_background(picture: NDArray[Any], analysis: Analysis) -> Bytes:
    import cv2

    person = analysis.view.person[..., None]
    mixed = picture * person + np.float32(BACKGROUND[0] / 255) * (1 - person)
    grown = cv2.resize(mixed, (PANEL, PANEL), interpolation=cv2.INTER_CUBIC)
    return (np.clip(grown, 0, 1) * 255 + 0.5).astype(np.uint8)


def _gain(relighter: Relighter, analysis: Analysis, light: Light) -> NDArray[np.float32]:
    """The key gain on the crop alone: at a large photo's resolution it would take gigabytes."""
    import cv2

    crop, shape = analysis.face.crop, analysis.photo_rgb.shape
    scale = min(1.0, PANEL / crop.size)
    size = tuple(max(1, round(side * scale)) for side in shape[1::-1])
    pixels = cv2.resize(analysis.photo_rgb, size, interpolation=cv2.INTER_AREA)
    face = dataclasses.replace(analysis.face, crop=crop.scaled(scale))
    small = dataclasses.replace(analysis, face=face, photo_rgb=pixels)
    gain: NDArray[np.float32] = crop.scaled(scale).extract(relighter.key_gain(small, light), PANEL)
    return gain


def _place(light: Light) -> str:
    azimuth, elevation = light.azimuth_deg, light.elevation_deg
    side = "right" if azimuth > 0 else "left"
    height = "up" if elevation >= 0 else "down"
    return f"{abs(azimuth):.0f}° {side}, {abs(elevation):.0f}° {height}"


def _name(light: Light, strength: float = 1.0) -> str:
    intensity = light.intensity * strength
    return f"{_place(light)}, intensity {intensity:.2f}" if intensity > 0 else "no light added"


def _write(
    draw: ImageDraw.ImageDraw, left: int, middle: int, width: int, head: str, tail: str, size: int
) -> None:
    """A bright and a faint text on one line, cut off at ``width`` pixels."""
    font = ImageFont.load_default(size)
    if head:
        draw.text((left, middle), head, INK, font, anchor="lm")
        used = int(draw.textlength(head, font)) + size
        left, width = left + used, width - used
    while tail and draw.textlength(tail, font) > width:
        tail = tail[: max(0, len(tail) - 4)].rstrip(" .,") + "..." if len(tail) > 4 else ""
    if tail:
        draw.text((left, middle), tail, FAINT, font, anchor="lm")
