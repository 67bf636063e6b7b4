# SPDX-License-Identifier: Apache-2.0
"""The split networks behind the runtime's interface, to judge their weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from relight.environment import Environment
from relight.face.mirror import reflect
from relight.light import Light
from relight.stage.analysis import mean_irradiance
from relight.stage.cast_shadow import unshadowed
from relight.stage.shading import belief, shading
from relight.stage.stages import GREY, Stages
from relight.stage.view import View
from training.analytic.formula import FLOOR, between, mirror_of
from training.networks.weight_file import WeightsError

if TYPE_CHECKING:
    import keras

Float = NDArray[np.float32]
Inputs = dict[str, NDArray[Any]]


class SplitStages:
    """Shading and key networks behind :class:`relight.stage.stages.Stages`.

    Args:
        base: estimates normals and the light already there.
        networks: that give ``log_shading`` and ``key``: two, or one for both.
        gloss: factor on the key's gloss.
    """

    def __init__(self, base: Stages, networks: dict[str, keras.Model], gloss: float = 1.0) -> None:
        self._base, self._networks, self._gloss = base, networks, gloss
        self._kept: WeakKeyDictionary[View, tuple[Environment, Inputs, Float, float]] = (
            WeakKeyDictionary()
        )

    def normals(self, view: View) -> tuple[Float, Float]:
        """Those of the stages given."""
        return self._base.normals(view)

    def lighting(self, view: View, normals: Float) -> Environment:
        """That of the stages given."""
        return self._base.lighting(view, normals)

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Key gain; see :class:`relight.stage.stages.Stages`."""
        inputs, log_shading, level = self._existing(view, normals, environment)
        radius = math.radians(light.softness_deg)
        free = unshadowed(view.mesh, light.direction, radius)[..., None]
        given = np.array([*light.direction, radius], np.float32)
        found = self._run(inputs | {"unshadowed": free, "light": given})
        log_shading, key = found.get("log_shading", log_shading), found["key"]
        shine = np.float32(self._gloss * level) * key[..., 1:] / np.maximum(view.linear, FLOOR)
        return np.asarray(key[..., :1] * np.exp(-log_shading) + shine, np.float32)

    def close(self) -> None:
        """Close the stages given."""
        self._base.close()

    def _existing(
        self, view: View, normals: Float, environment: Environment
    ) -> tuple[Inputs, Float, float]:
        """What the networks are told of a face, its shading and the light's level, kept."""
        kept = self._kept.get(view)
        if kept is None or kept[0] is not environment:
            surface = between(view, normals)
            inputs = shading_inputs(view, surface, environment)
            found = self._run(inputs).get("log_shading", np.zeros_like(surface))
            if np.ptp(view.photo, axis=-1).max() < GREY:
                found = np.repeat(found.mean(-1, keepdims=True), 3, -1)  # grey photos stay grey
            level = mean_irradiance(environment, surface, view.face)
            kept = self._kept[view] = environment, inputs, found, level
        return kept[1:]

    def _run(self, inputs: Inputs) -> dict[str, Float]:
        """Outputs of the networks whose inputs are all there."""
        result: dict[str, Float] = {}
        for network in self._networks.values():
            names = [tensor.name for tensor in network.inputs]
            if not set(names) <= set(inputs):
                continue
            if "key" not in network.output and "light" in inputs:
                continue  # the shading is known
            outputs = network({name: inputs[name][None] for name in names}, training=False)
            result |= {name: np.asarray(found)[0] for name, found in outputs.items()}
        return result


def shading_inputs(view: View, surface: Float, environment: Environment) -> Inputs:
    """What the shading network is told of a face, by name, and ``normals`` for the key network.

    Args:
        view: the face.
        surface: ``(128, 128, 3)`` normals, 0 outside the person.
        environment: the light already there.
    """
    lit = shading(environment, surface, view.face)
    images = mirror_of(view)
    seen = np.concatenate([view.photo, lit.mean(-1, keepdims=True)], -1).astype(np.float32)
    return {
        "photo": view.fine_photo,
        "mirrored": np.concatenate([reflect(seen, images), images.trust[..., None]], -1),
        "normals": surface,
        "shading": lit,
        "face": view.face[..., None].astype(np.float32),
        "belief": np.array([belief(lit, view.face)], np.float32),
    }


def load_split(path: Path) -> dict[str, keras.Model]:
    """The networks of a file that :mod:`training.split.run` left.

    Raises:
        WeightsError: if the file is missing or fits no such networks.
    """
    from training.split.joint_network import joint_network
    from training.split.split_network import key_network, shading_network

    makers: dict[str, Callable[[], keras.Model]] = {
        "shading": shading_network,
        "key": key_network,
        "joint": joint_network,
    }
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        names = sorted({name.split("/")[0] for name in arrays}, reverse=True)
        networks = {name: makers[name]() for name in names}
        for name, network in networks.items():
            for variable in network.trainable_variables:
                variable.assign(arrays[f"{name}/{variable.path}"])
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{path}: not weights of the split networks ({error})") from error
    return networks
