# SPDX-License-Identifier: Apache-2.0
"""Golden vectors of the whole runtime: ``python -m export.golden``.

Every stage's inputs and outputs, from small made-up cases to the example portrait relit, with the
portrait's landmarks and outline, so that a port of the runtime to another language can be checked
stage by stage without MediaPipe. Run it again whenever a model or a formula changes.

Files: those of :mod:`export.vectors.vector`; ``relit.png``, the example relit automatically; and
``leaning.png``, the example's head leaning. Vectors named ``leaning`` are of that, those named
``quarter`` of the example turned clockwise by a quarter.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

from export.vectors import (
    light_vector,
    perception_vector,
    pixel_vector,
    placement_vector,
    steady_vector,
)
from export.vectors.notation import add_gain_map, described, square
from export.vectors.vector import Vectors
from relight import Analysis, Face, Light, Portrait, Relighter, Setup, load_photo
from relight.error import plain_errors
from relight.face.perception import Perception
from relight.gain.guide import FaceGain, upsample
from relight.gain.reach import Reach
from relight.geometry import Crop
from relight.models.library import read_manifest
from relight.stage.analysis import key_gain
from relight.stage.silhouette import SEEN_SIDE
from relight.stage.tflite import TfliteStages

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "astronaut.png"
DEFAULT_OUT = ROOT / "app" / "android" / "core" / "src" / "test" / "resources" / "golden"
RELIT, LEANING = "relit.png", "leaning.png"
LEANING_DEG, LEANING_SIDE = 40, 320
"""How far the head of the second picture leans to image right, and its side in pixels."""
EVERY = 4
"""Of large results every so many rows and columns are kept."""
ENLARGED = 5
"""The example is enlarged by this to exceed the size at which gains are fitted."""
PREVIEW_SIDE = 200
USER_LIGHTS = (
    Light(-50.0, 25.0, 0.8, (1.0, 0.85, 0.7), 20.0),
    Light(120.0, 10.0, 0.5, (0.6, 0.7, 1.0), 2.0),
)
STRENGTH = 0.75
FILL = 0.4

Image8 = NDArray[np.uint8]
Float = NDArray[np.float32]


class _Recorded(Perception):
    """Knows one person's outlines, around the head and around the body, and no more."""

    def __init__(self, person: Image8) -> None:
        super().__init__()
        self._masks = itertools.cycle(person)

    def person(self, image: Image8) -> Float:
        """The outlines in turn, whatever the picture."""
        return next(self._masks).astype(np.float32) / 255


class _Recorder(TfliteStages):
    """The shipped models, remembering what passed through them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, tuple[dict[str, NDArray[Any]], dict[str, Float]]] = {}

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """Run and remember the first call of each model."""
        found = super().run(name, inputs)
        self.calls.setdefault(name, (inputs, found))
        return found


def find(pixels: Image8) -> tuple[Float, Image8]:
    """Landmarks ``(478, 3)`` of a photo's largest face, and its outlines, ``(N, 256, 256)``."""
    with Relighter() as relighter:
        face = relighter.find_faces(pixels)[0]
    detector = Perception()
    try:
        squares = Reach.of(face.crop, pixels.shape)
        seen = [detector.person(crop.extract(pixels, SEEN_SIDE)) for crop in squares if crop]
    finally:
        detector.close()
    return face.landmarks, np.round(np.stack(seen) * 255).astype(np.uint8)


def make(pixels: Image8, landmarks: Float, person: Image8) -> tuple[Vectors, Image8]:
    """All vectors but those of turned photos, and the relit photo.

    Args:
        pixels: the example, ``(H, W, 3)`` uint8 sRGB.
        landmarks: of its face, ``(478, 3)``.
        person: its outlines on the face's crop and on the body's square, ``(2, 256, 256)`` uint8,
            255 for certain.
    """
    vectors = Vectors()
    for stage in (*pixel_vector.STAGES, *light_vector.STAGES):
        stage(vectors, pixels, landmarks)
    perception_vector.add(vectors, pixels, turned(pixels))
    face = Face.from_landmarks(landmarks, pixels.shape)
    models = _Recorder()
    with Relighter(detector=_Recorded(person), models=models) as relighter:
        portrait = relighter.look(pixels, [face])
        analysis = portrait.analyses[0]
        _look(vectors, face, analysis, person)
        setup = portrait.suggest()
        result = portrait.render(setup)
        _networks(vectors, models, analysis)
        steady_vector.add(vectors, pixels, landmarks, person)
        _gain(vectors, pixels, models, analysis, result.lights[0])
        gain = key_gain(models, analysis, result.lights[0]).head
        placement_vector.add(vectors, analysis, light_vector.poses(), gain)
        placement_vector.given_gains(vectors, analysis)
        placement_vector.set_up(vectors, "relight/setup", setup)
        report = result.report()
        del report["timings_s"], report["photo"]
        vectors.value("relight/report", report)
        vectors.value("relight/placed", described(relighter.place(analysis)))
        vectors.value("relight/lights", [described(light) for light in USER_LIGHTS])
        vectors.value("relight/strength", STRENGTH)
        vectors.value("relight/every", EVERY)
        own = portrait.render(USER_LIGHTS, STRENGTH)
        vectors.array("relight/own_lights", own.image[::EVERY, ::EVERY])
        _group(vectors, relighter, pixels, landmarks)
        _portrait(vectors, portrait)
    vectors.value(
        "models", {n: e.sha256 for n, e in read_manifest(models.models.folder)[1].items()}
    )
    return vectors, result.image


def _portrait(vectors: Vectors, portrait: Portrait) -> None:
    """What a photo looked at once gives: a light's gain, a preview, and less of the old light."""
    vectors.value("preview/side", PREVIEW_SIDE)
    preview = portrait.render(USER_LIGHTS[0], side=PREVIEW_SIDE)
    vectors.array("preview/relit", preview.image)
    add_gain_map(vectors, "portrait/gain", portrait.gain(USER_LIGHTS[1]), EVERY)
    small = portrait.gain(USER_LIGHTS[1], PREVIEW_SIDE)
    add_gain_map(vectors, "portrait/preview_gain", small, EVERY)
    setup = Setup(USER_LIGHTS, FILL)
    vectors.value("portrait/fill", FILL)
    for name, strength in (("filled", 1.0), ("partly_filled", STRENGTH), ("overdone", 1.5)):
        vectors.value(f"portrait/{name}", strength)
        changed = portrait.render(setup, strength).image
        vectors.array(f"portrait/{name}", changed[::EVERY, ::EVERY])
    vectors.array("portrait/filled_preview", portrait.render(setup, side=PREVIEW_SIDE).image)
    report = portrait.render(setup).report()
    vectors.value("portrait/key_to_fill_after", report["faces"][0]["key_to_fill_after"])


def add_turned(
    vectors: Vectors, name: str, pixels: Image8, landmarks: Float, person: Image8
) -> None:
    """A photo of a head that leans: how it is seen and lit."""
    face = Face.from_landmarks(landmarks, pixels.shape)
    with Relighter(detector=_Recorded(person)) as relighter:
        portrait = relighter.look(pixels, [face])
        analysis = portrait.analyses[0]
        vectors.array(f"{name}/landmarks", landmarks)
        vectors.array(f"{name}/person_mask", person[0])
        vectors.array(f"{name}/body_mask", person[1])
        vectors.value(f"{name}/crop", square(face.crop))
        vectors.value(f"{name}/head_pose", face.head_pose)
        vectors.value(f"{name}/crop_pose", face.crop_pose)
        vectors.array(f"{name}/photo", np.round(analysis.view.photo * 255).astype(np.uint8))
        vectors.array(f"{name}/mesh_normals", analysis.view.mesh.normals[::2, ::2])
        vectors.array(f"{name}/crop_environment", analysis.crop_environment.data)
        vectors.array(f"{name}/environment", analysis.environment.data)
        vectors.array(f"{name}/existing_direction", analysis.existing_direction)
        vectors.array(f"{name}/normals", analysis.crop_normals[::2, ::2])
        setup = portrait.suggest()
        placement_vector.set_up(vectors, f"{name}/suggested", setup)
        automatic, own = portrait.render(setup), portrait.render(USER_LIGHTS)
        vectors.value(f"{name}/report", automatic.report()["faces"][0])
        vectors.array(f"{name}/relit", automatic.image[::EVERY, ::EVERY])
        vectors.array(f"{name}/own_lights", own.image[::EVERY, ::EVERY])


def turned(pixels: Image8) -> Image8:
    """The example's head leaning to image right, cut to it, ``(320, 320, 3)``."""
    cut = Crop(225, 160, LEANING_SIDE, -math.radians(LEANING_DEG))
    leaning: Image8 = cut.extract(pixels, LEANING_SIDE)
    return leaning


def _look(vectors: Vectors, face: Face, analysis: Analysis, person: Image8) -> None:
    """The face as the stages see it."""
    view = analysis.view
    crop = face.crop
    vectors.value("face/crop", square(crop))
    vectors.value("face/box", face.box)
    vectors.value("face/size", face.size)
    vectors.value("face/head_from_cam", face.head_from_cam)
    vectors.value("face/head_pose", face.head_pose)
    vectors.value("face/crop_pose", face.crop_pose)
    vectors.array("view/person_mask", person[0])
    vectors.array("view/body_mask", person[1])
    vectors.array("view/photo", np.round(view.photo * 255).astype(np.uint8))
    vectors.array("view/mesh_normals", view.mesh.normals)
    vectors.array("view/mesh_depth", view.mesh.depth)
    vectors.array("view/face", view.face)
    vectors.array("view/inner_face", view.inner_face)
    vectors.array("view/skin", view.skin)
    vectors.array("view/person", view.person)
    vectors.array("view/silhouette", analysis.person[::2, ::2])
    vectors.value("view/mean_irradiance", analysis.mean_irradiance)


def _networks(vectors: Vectors, models: _Recorder, analysis: Analysis) -> None:
    """What goes into the networks, what comes out, and what is made of it."""
    inputs, found = models.calls["normals"]
    vectors.array("normals/normals", found["normals"])
    vectors.array("normals/network_confidence", found["confidence"])
    vectors.array("normals/confidence", analysis.crop_confidence)
    inputs, found = models.calls["lighting"]
    vectors.array("lighting/normals", inputs["normals"][::2, ::2])
    vectors.array("lighting/log_environment", found["log_environment"])
    vectors.array("lighting/environment", analysis.crop_environment.data)
    inputs, found = models.calls["shading"]
    vectors.array("shading/mirrored", inputs["mirrored"][::2, ::2])
    vectors.array("shading/normals", inputs["normals"][::2, ::2])
    vectors.array("shading/shading", inputs["shading"][::2, ::2])
    vectors.value("shading/belief", float(inputs["belief"][0]))
    vectors.array("shading/log_shading", found["log_shading"])
    inputs, found = models.calls["key"]
    vectors.array("key/unshadowed", inputs["unshadowed"])
    vectors.array("key/light", inputs["light"])
    vectors.array("key/key", found["key"])


def _gain(
    vectors: Vectors, pixels: Image8, models: _Recorder, analysis: Analysis, light: Light
) -> None:
    """The gain on the photo's edges, in the example and enlarged beyond the working size."""
    strength = light.intensity * np.array(light.color, np.float32)
    unit = key_gain(models, analysis, light)
    gain = FaceGain(strength * unit.head, None if unit.body is None else strength * unit.body)
    added = upsample(pixels, [analysis.outline], [gain])
    vectors.array("relight/added_gain", gain.head)
    own = models.gain(
        analysis.view,
        analysis.crop_normals,
        analysis.crop_environment,
        light.rolled(-analysis.face.crop.roll),
    )
    vectors.array("relight/head_gain", own)  # before the body lends it some
    body = analysis.body
    assert body is not None  # noqa: S101
    assert unit.body is not None  # noqa: S101
    for name in ("person", "normals", "existing", "trust", "meeting", "share"):
        vectors.array(f"body/{name}", getattr(body, name)[::2, ::2])
    vectors.array("body/gain", unit.body[::2, ::2])
    add_gain_map(vectors, "relight/gain_map", added, EVERY)
    large = np.ascontiguousarray(pixels.repeat(ENLARGED, 0).repeat(ENLARGED, 1))
    outline = analysis.outline.scaled(ENLARGED)
    vectors.value("guide/enlarged", ENLARGED)
    add_gain_map(vectors, "guide/large", upsample(large, [outline], [gain]), 4 * EVERY)


def _group(vectors: Vectors, relighter: Relighter, pixels: Image8, landmarks: Float) -> None:
    """The example twice, side by side, the second smaller: several faces, one light."""
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    pair = np.concatenate([pixels, np.concatenate([small, small], 0)], 1)
    offset = np.array([width, 0, 0], np.float32)
    faces = [
        Face.from_landmarks(points, pair.shape)
        for points in (landmarks, landmarks / np.float32(2) + offset)
    ]
    portrait = relighter.look(pair, faces)
    result = portrait.render(portrait.suggest())
    placement_vector.set_up(vectors, "group/setup", result.setup)
    vectors.array("group/relit", result.image[::EVERY, ::EVERY])


def write(folder: Path) -> None:
    """Make the vectors of the example and write them."""
    pixels = load_photo(EXAMPLE).rgb8
    vectors, relit = make(pixels, *find(pixels))
    leaning = turned(pixels)
    for name, photo in (
        ("quarter", np.ascontiguousarray(np.rot90(pixels, -1))),
        ("leaning", leaning),
    ):
        add_turned(vectors, name, photo, *find(photo))
    vectors.write(folder)
    for file, image in ((RELIT, relit), (LEANING, leaning)):
        Image.fromarray(image).save(folder / file, optimize=True)


def main(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = DEFAULT_OUT,
) -> None:
    """Write the golden vectors."""
    with plain_errors():
        write(out)


if __name__ == "__main__":
    typer.run(main)
