# SPDX-License-Identifier: Apache-2.0
"""The shading and key networks, trained further as one on photographs of one lamp at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from relight import Light
from relight.stage.quotient import SHINE, Inputs, key_inputs, shading_inputs
from relight.stage.stages import NetworkStages, mirrored
from relight.stage.view import SIDE
from training.judge.look.captured_face import CapturedFace
from training.judge.yaleb import Capture

Float = NDArray[np.float32]
Networks = dict[str, keras.Model]
"""``shading`` and ``key``."""


@dataclass(frozen=True)
class FurtherConfig:
    """How the networks are trained further.

    Attributes:
        steps: of training.
        seed: of the choice of photographs.
        batch: keys a step.
        learning_rate: at the beginning of half a cosine: a fifth of what the networks were trained
            with from the start (:class:`training.split.step.StepConfig`).
        most: residual from which a photograph teaches no more: a lamp or a face that moved leaves
            nearly as much under true normals.
    """

    steps: int
    seed: int = 0
    batch: int = 8
    learning_rate: float = 4e-4
    most: float = 0.3


@dataclass(frozen=True)
class LampKey:
    """One key over one photo.

    Attributes:
        inputs: of the key network.
        mirrored: whether it sees them mirrored.
        gloss: what its gloss counts for.
        lamp: ``(H, W)`` float32 the photograph under it.
        truth: ``(128, 128, 2)`` float32 on the crop: the same, and 1 where it counts.
    """

    inputs: Inputs
    mirrored: bool
    gloss: float
    lamp: Float
    truth: Float


@dataclass(frozen=True)
class LampFace:
    """One photo of one person, and all keys over it.

    Attributes:
        face: the photo and what is told of it.
        linear: ``(128, 128)`` float32 the photo, on the crop.
        shine: ``(128, 128)`` float32, see :class:`relight.stage.quotient.Existing`.
        inputs: of the shading network.
        keys: over it.
    """

    face: CapturedFace
    linear: Float
    shine: Float
    inputs: Inputs
    keys: list[LampKey]

    @classmethod
    def of(cls, face: CapturedFace, stages: NetworkStages, capture: Capture) -> LampFace:
        """Of a subject's photo, prepared with any stages that the normals and light came from."""
        analysis, view = face.analysis, face.analysis.view
        there = stages.existing(view, analysis.crop_normals, analysis.crop_environment)
        keys = []
        for index in capture.key_indices():
            light = Light(capture.azimuths_deg[index], capture.elevations_deg[index])
            light = light.rolled(-analysis.face.crop.roll)
            lamp = capture.images[index]
            told = key_inputs(view, there.surface, light)
            truth = np.stack([face.on_crop(lamp), face.usable_on_crop(lamp)], -1)
            mirror, gloss = bool(light.direction[0] < 0), SHINE * light.gloss
            keys.append(LampKey(told, mirror, gloss, lamp, truth.astype(np.float32)))
        told = shading_inputs(view, there.surface, analysis.crop_environment)
        return cls(face, face.on_crop(face.linear), there.shine.mean(-1), told, keys)

    def example(self, number: int) -> tuple[Inputs, Float]:
        """Inputs of :func:`joined` and truth ``(128, 128, 2)`` for one key.

        The networks see the mirror images that they see in use; the rest lies as the shading
        network's.
        """
        key, turn = self.keys[number], self.face.analysis.view.mirrored
        inputs = {
            "shading": mirrored(self.inputs) if turn else self.inputs,
            "key": mirrored(key.inputs) if key.mirrored else key.inputs,
        }
        told = {f"{part}_{name}": x for part, of in inputs.items() for name, x in of.items()}
        told["turned"] = np.array([turn != key.mirrored], np.float32)
        picture = np.stack([self.linear, key.gloss * self.shine], -1)
        told["picture"] = picture[:, ::-1] if turn else picture
        return told, key.truth[:, ::-1] if turn else key.truth


def joined(networks: Networks) -> keras.Model:
    """Both networks as one, whose output is the added light ``(B, 128, 128, 1)``.

    Inputs: those of the networks, named ``shading_...`` and ``key_...``; ``turned`` ``(B, 1)``,
    whether one network sees the other's mirror image; ``picture`` ``(B, 128, 128, 2)``: the photo,
    linear, and what gloss counts for.
    """
    told: dict[str, dict[str, Any]] = {
        part: {
            each.name: keras.Input(each.shape[1:], name=f"{part}_{each.name}")
            for each in network.inputs
        }
        for part, network in networks.items()
    }
    turned, picture = keras.Input((1,), name="turned"), keras.Input((SIDE, SIDE, 2), name="picture")
    log_shading = ops.mean(networks["shading"](told["shading"])["log_shading"], -1, keepdims=True)
    key = networks["key"](told["key"])["key"]
    key = ops.where(ops.reshape(turned, (-1, 1, 1, 1)) > 0, ops.flip(key, 2), key)
    gain = key[..., :1] / ops.exp(log_shading) + key[..., 1:] * picture[..., 1:]
    given = {f"{part}_{name}": x for part, of in told.items() for name, x in of.items()}
    return keras.Model({**given, "turned": turned, "picture": picture}, picture[..., :1] * gain)


def train_further(networks: Networks, faces: list[LampFace], config: FurtherConfig) -> None:
    """Train both networks as one on photographs of faces; they keep the weights."""

    def residual(truth: Any, added: Any) -> Any:
        lamp, usable = truth[..., :1], truth[..., 1:]
        pairs = (added, lamp), (added, added), (lamp, lamp)
        cross, own, energy = (ops.sum(a * b * usable, (1, 2, 3)) for a, b in pairs)
        return ops.minimum(1 - cross * cross / (own * energy + 1e-6), config.most)

    model = joined(networks)
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.steps)
    jit = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(rate), loss=residual, jit_compile=jit)
    rng = np.random.default_rng(config.seed)
    known = [(face, number) for face in faces for number in range(len(face.keys))]
    steps, errors = range(config.steps), Console(stderr=True)
    for _ in track(steps, "Training", console=errors, transient=True):
        chosen = [known[i] for i in rng.integers(0, len(known), config.batch)]
        told, truth = zip(*(face.example(number) for face, number in chosen), strict=True)
        batch = {name: np.stack([one[name] for one in told]) for name in told[0]}
        model.train_on_batch(batch, np.stack(truth))
