# SPDX-License-Identifier: Apache-2.0
"""Keras against TFLite: each output on the same inputs, and relit photos.

Each network's error is measured on the inputs that it gets in a chain of Keras networks; that of
relit photos is the error of all networks together, as the library runs them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.error import ExportError
from export.model import manifest
from relight import Light, Relighter
from relight.environment import Environment
from relight.face.face import Face
from relight.face.perception import Perception
from relight.face.search import find
from relight.geometry import angles
from relight.models.library import Models
from relight.stage.stages import Stages
from relight.stage.tflite import TfliteStages
from training.judge.metric import psnr
from training.networks.keras_stages import KerasStages

if TYPE_CHECKING:
    import keras

Image = NDArray[np.uint8]
Float = NDArray[np.float32]
Tensors = dict[str, NDArray[Any]]

LIGHTS = (
    Light(45, 30, 1.0, softness_deg=15),
    Light(-60, 10, 1.0, (1.0, 0.8, 0.6), softness_deg=2),
)
"""Keys that every photo is relit with, besides one from the direction of the estimated light."""
EQUAL_DB = 100.0
"""Reported for pictures that are equal in every bit."""


@dataclass(frozen=True)
class Gates:
    """What a file must reach to ship.

    Attributes:
        float32_error: largest error of any output, absolute up to 1 and relative above.
        shipped_db: least PSNR of a photo relit by the shipped files, over pixels that were relit.
        int8_db: the same; an int8 file below it is not offered.
        megabytes: all shipped models together, MediaPipe's among them.
    """

    float32_error: float = 1e-4
    shipped_db: float = 50.0
    int8_db: float = 38.0
    megabytes: float = 10.0


@dataclass(frozen=True)
class Call:
    """One run of a network in Keras.

    Attributes:
        network: its name.
        inputs: by name, without batch axis.
        outputs: likewise.
    """

    network: str
    inputs: Tensors
    outputs: Tensors


@dataclass(frozen=True)
class OutputError:
    """Absolute difference of one output from Keras's.

    Attributes:
        largest: over all pixels and inputs.
        scaled: likewise, of the difference over Keras's value where that is above 1: a gain or a
            radiance has no upper bound, and float32 has seven digits.
        mean: likewise, absolute.
        spread: standard deviation of Keras's values, for comparison.
    """

    largest: float
    scaled: float
    mean: float
    spread: float


@dataclass(frozen=True)
class Parity:
    """How closely files follow Keras.

    Attributes:
        errors: by network, then by output.
        decibels: PSNR of the relit photo, by photo.
    """

    errors: dict[str, dict[str, OutputError]]
    decibels: dict[str, float]

    @property
    def worst_db(self) -> float:
        """Least PSNR of any photo."""
        return min(self.decibels.values())


class _Recorder(KerasStages):
    """The stages by the Keras networks; records every call."""

    def __init__(self, networks: Mapping[str, keras.Model]) -> None:
        super().__init__(networks)
        self.calls: list[Call] = []

    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """Run and record."""
        outputs = super().run(name, inputs)
        self.calls.append(Call(name, dict(inputs), outputs))
        return outputs


class Bench:
    """Photos relit by Keras, to compare files with.

    Args:
        networks: the Keras networks by name.
        photos: ``(H, W, 3)`` uint8 sRGB by name; those without a face are left out.

    Raises:
        ExportError: if no photo shows a face.
    """

    def __init__(self, networks: Mapping[str, keras.Model], photos: Mapping[str, Image]) -> None:
        self._detector = Perception()
        found = {name: find(self._detector, photo)[:1] for name, photo in photos.items()}
        self._scenes = {name: (photos[name], faces[0]) for name, faces in found.items() if faces}
        if not self._scenes:
            raise ExportError("no photo shows a face; give portraits: --photos DIR")
        stages = _Recorder(networks)
        self._relit = {name: self._relight(stages, *scene) for name, scene in self._scenes.items()}
        self._calls = stages.calls

    def __enter__(self) -> Bench:
        """Use as a context manager: the detector's models are freed at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Free the detector's models."""
        self._detector.close()

    def calibration(self, network: str) -> list[Tensors]:
        """A network's inputs on these photos, with a batch axis of 1."""
        return [
            {key: np.asarray(x, np.float32)[None] for key, x in call.inputs.items()}
            for call in self._calls
            if call.network == network
        ]

    def judge(self, contents: Mapping[str, bytes]) -> Parity:
        """Compare the files with Keras."""
        with tempfile.TemporaryDirectory() as folder:
            manifest.write(Path(folder), contents, "verified")
            models = TfliteStages(Models(folder))
            found = {
                name: decibels(self._relight(models, photo, face), self._relit[name], photo)
                for name, (photo, face) in self._scenes.items()
            }
            return Parity(_errors(models, self._calls), found)

    def _relight(self, stages: Stages, photo: Image, face: Face) -> Image:
        relighter = Relighter(detector=self._detector, models=stages)
        portrait = relighter.look(photo, [face])
        lights = [*LIGHTS, _existing(portrait.analyses[0].environment)]
        result = portrait.render(lights, 1 / len(lights))
        image: Image = result.image
        return image


def failures(float32: Parity, shipped: Parity, megabytes: float, gates: Gates) -> list[str]:
    """Why the files must not be shipped, a sentence each; empty if they may."""
    reasons = []
    for network, outputs in float32.errors.items():
        for output, error in outputs.items():
            if not error.scaled <= gates.float32_error:  # catches NaN too
                reasons.append(
                    f"{network}: float32 {output} differs from Keras by {error.scaled:.1e},"
                    f" allowed is {gates.float32_error:g}"
                )
    for photo, value in shipped.decibels.items():
        if not value >= gates.shipped_db:
            reasons.append(
                f"{photo}: relit by the shipped files at {value:.1f} dB of Keras's,"
                f" needed are {gates.shipped_db:g}"
            )
    if megabytes > gates.megabytes:
        reasons.append(f"the models take {megabytes:.2f} MB, allowed are {gates.megabytes:g}")
    return reasons


def _existing(environment: Environment) -> Light:
    """A key from where the environment is brightest, so that the lighting network counts, too."""
    azimuth, elevation = (float(x) for x in angles(environment.dominant_direction()))
    return Light(float(np.degrees(azimuth)), float(np.degrees(elevation)))


def _errors(models: TfliteStages, calls: Sequence[Call]) -> dict[str, dict[str, OutputError]]:
    found: dict[str, dict[str, list[tuple[Float, Float]]]] = {}
    for call in calls:
        outputs = models.run(call.network, call.inputs)
        for name, expected in call.outputs.items():
            pairs = found.setdefault(call.network, {}).setdefault(name, [])
            pairs.append((outputs[name], expected))
    return {
        network: {name: _output_error(pairs) for name, pairs in outputs.items()}
        for network, outputs in found.items()
    }


def scaled_errors(given: NDArray[Any], expected: NDArray[Any]) -> NDArray[np.float64]:
    """Differences of two arrays, over the expected value where that is above 1."""
    difference = np.abs(given.astype(float) - expected)
    found: NDArray[np.float64] = difference / np.maximum(np.abs(expected), 1)
    return found


def _output_error(pairs: Sequence[tuple[Float, Float]]) -> OutputError:
    given, expected = (np.stack(side).astype(float) for side in zip(*pairs, strict=True))
    difference = np.abs(given - expected)
    return OutputError(
        largest=float(difference.max()),
        scaled=float(scaled_errors(given, expected).max()),
        mean=float(difference.mean()),
        spread=float(expected.std()),
    )


def decibels(image: Image, expected: Image, photo: Image) -> float:
    """PSNR over the pixels that either picture relit."""
    relit = (expected != photo).any(-1) | (image != photo).any(-1)
    if not relit.any():
        return EQUAL_DB
    return min(EQUAL_DB, psnr(image / 255, expected / 255, relit))
