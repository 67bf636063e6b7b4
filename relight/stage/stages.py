# SPDX-License-Identifier: Apache-2.0
"""The estimates behind a relit face, as one interface; and the networks' way to make them.

Whoever implements :class:`Stages` can relight: the TFLite models that come with the package, the
Keras networks under training, or analytic estimates to compare them with.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from relight.color import channel_mean
from relight.environment import Environment
from relight.geometry import smoothstep
from relight.light import Light
from relight.stage.fine_shading import fine_shading
from relight.stage.quotient import SHINE, Existing, Inputs, between, key_inputs, shading_inputs
from relight.stage.quotient import existing as existing_light
from relight.stage.shading import cast, skin_colors, uncovered
from relight.stage.view import SIDE, View

Float = NDArray[np.float32]

TRUSTED = (0.1, 0.5)
"""Expected quality of a normal, cosine-like in [0, 1], between which trust in it grows to 1."""
TRUST_BLUR = SIDE / 32
"""Width in pixels over which trust changes: no edge of it may show in the light."""
LOG_RANGE = (-16.0, 16.0)
"""Natural logarithms of radiance are clipped to this, so that every map is finite."""
SIDED = ("normals", "mesh", "light")
"""Networks' inputs and outputs whose first channel points to image right."""


class Stages(Protocol):
    """The estimates made of a face, all on its upright crop at 128 pixels and in the crop's frame.

    The crop's frame is the camera frame turned about the camera's axis so that the head is upright.
    """

    def normals(self, view: View) -> tuple[Float, Float]:
        """Surface normals of the person.

        Returns:
            ``(128, 128, 3)`` float32 unit normals, crop's frame, and the trust in them,
            ``(128, 128)`` float32 in [0, 1], 0 outside the person.
        """

    def lighting(self, view: View, normals: Float) -> Environment:
        """The light already there, 16 x 32, in the photo's linear units, crop's frame.

        Args:
            view: the face.
            normals: ``(128, 128, 3)`` of :meth:`normals`.
        """

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Key gain G of a light's direction, softness and gloss, for unit intensity, white.

        Args:
            view: the face.
            normals: ``(128, 128, 3)`` of :meth:`normals`.
            environment: the light already there, crop's frame.
            light: the key, its direction in the crop's frame.

        Returns:
            ``(128, 128, 3)`` float32 >= 0.
        """

    def close(self) -> None:
        """Free what is loaded; a later call loads it again."""


class NetworkStages(ABC):
    """The stages as the four networks make them, whatever runs the networks.

    The networks are ``normals`` (photo, mesh -> normals, confidence), ``lighting`` (photo, normals,
    skin -> log_environment), ``shading`` (photo and its mirror image, normals, the lighting's
    shading -> log_shading) and ``key`` (normals, mesh, cast shadows, light -> key). A light that
    moves runs the last alone.
    """

    @abstractmethod
    def run(self, name: str, inputs: dict[str, NDArray[Any]]) -> dict[str, Float]:
        """Outputs of a network by name; no array has a batch axis."""

    @abstractmethod
    def close(self) -> None:
        """Free what is loaded; a later call loads it again."""

    def normals(self, view: View) -> tuple[Float, Float]:
        """Surface normals of the person and the trust in them; see :class:`Stages`."""
        import cv2

        mask = view.face[..., None].astype(np.float32)
        mesh = np.concatenate([view.mesh.normals, mask], -1)
        found = self.ask("normals", {"photo": view.photo, "mesh": mesh}, view.mirrored)
        trust = smoothstep(found["confidence"][..., 0], *TRUSTED)
        trust = cv2.GaussianBlur(trust, (0, 0), TRUST_BLUR, borderType=cv2.BORDER_REPLICATE)
        return found["normals"], trust * view.person

    def lighting(self, view: View, normals: Float) -> Environment:
        """The light already there; see :class:`Stages`."""
        inputs = {
            "photo": view.photo,
            "normals": _on_person(normals, view),
            "skin": view.skin[..., None],
        }
        found = self.ask("lighting", inputs, view.mirrored)["log_environment"]
        return Environment(radiance(found))

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """Key gain of one light; see :class:`Stages`."""
        return self.gain_over(self.existing(view, normals, environment), view, light)

    def gain_over(self, there: Existing, view: View, light: Light) -> Float:
        """Key gain of one light over the light already there."""
        inputs = key_inputs(view, there.surface, light)
        key = self.ask("key", inputs, light.direction[0] < 0)["key"]
        return there.gain(key, SHINE * light.gloss)

    def existing(self, view: View, normals: Float, environment: Environment) -> Existing:
        """The light already there on a face, kept: a light that moves leaves it alone.

        Args:
            view: the face.
            normals: ``(128, 128, 3)`` of :meth:`normals`.
            environment: the light already there, crop's frame.
        """
        kept = self._kept.get(view)
        if kept is None or kept[0] is not environment or kept[1] is not normals:
            surface = between(view, normals)
            log_shading = self.log_shading(view, surface, environment)
            there = existing_light(view, surface, environment, log_shading)
            kept = self._kept[view] = environment, normals, there
        return kept[2]

    def log_shading(self, view: View, surface: Float, environment: Environment) -> Float:
        """Logarithm of the existing light's shading, ``(128, 128, 3)``, with its colour on skin."""
        inputs = shading_inputs(view, surface, environment)
        found = self.ask("shading", inputs, view.mirrored)["log_shading"]
        smooth = inputs["belief"] * channel_mean(inputs["shading"])[..., None]
        colors = skin_colors(view.linear, view.skin)
        found = fine_shading(found, view.linear, view.images, view.face, colors.other)
        return uncovered(found, smooth, colors) + cast(colors)

    def ask(self, name: str, inputs: Inputs, mirror: bool) -> dict[str, Float]:
        """Outputs of a network.

        Args:
            name: the network.
            inputs: by name.
            mirror: whether it is to see the mirror image; see :attr:`View.mirrored`. A moving light
                must not turn the face over for the other networks, nor the face a light.
        """
        return mirrored(self.run(name, mirrored(inputs))) if mirror else self.run(name, inputs)

    @functools.cached_property
    def _kept(self) -> WeakKeyDictionary[View, tuple[Environment, Float, Existing]]:
        """Each face's environment, normals and what they make, while the face is in use."""
        return WeakKeyDictionary()


def mirrored(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Float]:
    """Inputs or outputs of a network, by name, as the mirror image has them."""
    result = {}
    for name, values in arrays.items():
        other = np.array(values[:, ::-1] if values.ndim > 1 else values, np.float32)
        if name in SIDED:
            other[..., 0] *= -1
        result[name] = other
    return result


def radiance(log_environment: Float) -> Float:
    """Finite radiance from the lighting network's natural logarithms, of the same shape."""
    result: Float = np.exp(np.clip(log_environment, *LOG_RANGE))
    return result


def _on_person(normals: Float, view: View) -> Float:
    """Normals as the networks were trained on them: 0 outside the person."""
    return normals * view.person[..., None]
