# SPDX-License-Identifier: Apache-2.0
"""A view as pictures that any program opens: one a light, and its surface.

``olat-000`` ... are radiance under each light of unit irradiance, premultiplied by coverage. As
EXR all values are linear floats. As PNG, OLATs and albedo are sRGB in 16 bits, OLATs times the
factor ``exposure`` of ``export.json``; normals are ``(n + 1) / 2``, coverage and hair as they are,
and depth is ``(depth - near) / (far - near)`` with the two numbers of that file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_synth.run.field import Field
from data_synth.share.picture_file import PictureError, save_picture, write_png
from relight.storage import whole_file

Float = NDArray[np.float32]

DOCUMENT = "export.json"
"""Written last: a folder that has it is complete."""
BRIGHT_SHARE = 99.9
"""Percentile of all OLAT values that PNG files show as white; highlights above it are cut."""


class Kind(StrEnum):
    """Formats of the pictures."""

    EXR = "exr"
    PNG = "png"


def export_view(
    field: Field, folder: Path, kind: Kind = Kind.EXR, every: int = 1
) -> Iterator[Path]:
    """Write a view's pictures.

    Args:
        field: the view.
        folder: to write into; made if missing.
        kind: of the pictures.
        every: of the lights, the first of so many.

    Yields:
        Each file as it is written, ``export.json`` last.

    Raises:
        PictureError: if one cannot be written.
        EnvironmentFileError: if OpenEXR is needed and not installed.
    """
    lights = list(range(0, len(field.lights), every))
    about = {
        "format": str(kind),
        "lights": lights,
        "lights_camera_frame": np.round(field.lights[lights].astype(float), 6).tolist(),
        "solid_angles_sr": np.round(field.solid_angles[lights].astype(float), 6).tolist(),
        "subject": field.metadata["subject"],
        "camera": field.metadata["camera"],
        "face_box_px": field.metadata["face_box_px"],
    }
    factor = 1.0
    if kind is Kind.PNG:
        factor = 1 / max(float(np.percentile(field.scale, BRIGHT_SHARE)), 1e-6)
        about["exposure"] = factor
    for number in lights:
        picture = one_light(field, number) * np.float32(factor)
        yield save_picture(picture, folder / f"olat-{number:03d}.{kind}")
    yield save_picture(field.albedo, folder / f"albedo.{kind}")
    yield from _surface(field, folder, kind, about)
    path = folder / DOCUMENT
    try:
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(about, indent=1) + "\n")
    except OSError as error:
        raise PictureError(f"{path}: cannot be written ({error.strerror or error})") from error
    yield path


def one_light(field: Field, number: int) -> Float:
    """The subject under one light of unit irradiance at normal incidence, ``(S, S, 3)``."""
    picture = np.zeros((field.size * field.size, 3), np.float32)
    root = field.codes[..., number] / np.float32(255)
    picture[field.pixels] = (root * root * field.scale).T
    return picture.reshape(field.size, field.size, 3)


def _surface(field: Field, folder: Path, kind: Kind, about: dict[str, object]) -> Iterator[Path]:
    planes = {"alpha": field.alpha, "hair": field.hair}
    if kind is Kind.EXR:
        planes |= {"normals": field.normals, "depth": field.depth}
        for name, values in planes.items():
            yield save_picture(values, folder / f"{name}.exr")
        return
    seen = field.depth > 0
    near, far = (float(f(field.depth[seen])) if seen.any() else 0.0 for f in (np.min, np.max))
    about["depth_cm"] = [near, far]
    for name, values in planes.items():
        yield write_png(folder / f"{name}.png", values)
    yield write_png(folder / "normals.png", (field.normals + 1) / 2, 16)
    depth = np.where(seen, (field.depth - near) / max(far - near, 1e-6), 0)
    yield write_png(folder / "depth.png", depth, 16)
