# SPDX-License-Identifier: Apache-2.0
"""A face's estimates through a take: noise is averaged, what the face does is followed at once.

The estimates lie on the face's upright crop, which goes along with it: there a person keeps their
place. The key itself is worked out anew for each picture, from landmarks that are smoothed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from relight.environment import Environment
from relight.face.face import Face
from relight.face.perception import Perception
from relight.geometry import normalize
from relight.light import Light
from relight.stage import body as bodies
from relight.stage.analysis import Analysis
from relight.stage.quotient import Existing, between, existing_at
from relight.stage.shading import mean_irradiance
from relight.stage.silhouette import Look
from relight.stage.stages import NetworkStages
from relight.stage.view import View, look
from relight.video.smoothing import kept

Float = NDArray[np.float32]

MEMORY_S = 0.5
"""Over so many seconds the shading and the normals of a still face are averaged,"""
FORGOTTEN_DEG = 5.0
"""but over less the more the head turns: by so many degrees as by that time."""
OUTLINE_S = 0.12
"""The person's outline is averaged over so many seconds: arms and hair move fast."""
LIGHT_S = 2.0
"""The estimated environment is averaged over so many seconds,"""
LIGHT_EVERY_S = 0.4
"""and estimated again so often: a room's light changes slowly."""
SHADING_EVERY_S = 0.06
"""The shading network looks so often at a still face: each second picture of 30 a second;"""
STILL = 0.85
"""still is a face of which so much of what is known holds on."""
DARKEST = 1e-6
"""Radiance that counts as black, so that its logarithm is finite."""


@dataclass(eq=False)
class _Kept:
    """What is known of a face from the pictures before; all but the light on its crop.

    Attributes:
        pose: ``(3, 3)`` of the latest picture.
        outline: ``(256, 256)`` the person.
        body: ``(256, 256)`` the person on the body's square; ``None`` where there is none.
        turn: ``(128, 128, 3)`` what the normals differ by from the mesh's.
        trust: ``(128, 128)`` in the normals.
        log_light: ``(16, 32, 3)`` logarithm of the environment, camera frame.
        level: mean irradiance over pi on the face.
        log_lift: ``(128, 128, 3)`` logarithm of what a key's diffuse light counts for.
        light_age_s: seconds since the environment was estimated.
        shading_age_s: seconds since the shading was.
    """

    pose: Float
    outline: Float
    body: Float | None
    turn: Float
    trust: Float
    log_light: Float
    level: float
    log_lift: Float
    light_age_s: float = 0.0
    shading_age_s: float = 0.0


class SteadyLook:
    """Looks at the faces of one take; what is known of a face goes on from picture to picture."""

    def __init__(self, stages: NetworkStages, perception: Perception) -> None:
        """Prepare.

        Args:
            stages: the networks.
            perception: MediaPipe's models, for the person's outline.
        """
        self._stages, self._perception = stages, perception
        self._known: dict[int, _Kept] = {}

    def look(
        self, rgb: NDArray[np.uint8], number: int, face: Face, level_up: float, step_s: float
    ) -> tuple[Analysis, Existing]:
        """Look at a face of the next picture: what is seen, and the light already there.

        Args:
            rgb: the picture, ``(H, W, 3)`` uint8.
            number: tells whose face it is.
            face: in this picture.
            level_up: how far its light is up, in [0, 1].
            step_s: seconds since the last look at it.
        """
        seen = look(self._perception, rgb, face)
        known = self._known.get(number)
        old = 0.0 if known is None else _still(known.pose, face.crop_pose, step_s)
        if known is not None:
            blurred = _mean(known.outline, seen.outline, kept(step_s, OUTLINE_S))
            seen = replace(seen, outline=blurred)
        found, trust = self._stages.normals(seen)
        turn = found - seen.mesh.normals
        if known is not None:
            turn, trust = _mean(known.turn, turn, old), _mean(known.trust, trust, old)
        normals = normalize(seen.mesh.normals + turn)
        light, level, light_age_s = self._light(known, seen, normals, face.crop.roll, step_s)
        around = Environment(np.exp(light)).roll(-face.crop.roll)
        there, shading_age_s = self._existing(known, seen, normals, around, level, old, step_s)
        below = self._below(known, rgb, face, step_s)
        person, body = bodies.body_of(below, face.crop, seen, normals, trust, around)
        self._known[number] = _Kept(
            face.crop_pose,
            seen.outline,
            None if below is None else below.person,
            turn,
            trust,
            light,
            level,
            np.log(there.lift),
            light_age_s,
            shading_age_s,
        )
        if level_up < 1:
            person = person * np.float32(level_up)
            seen = replace(seen, inner_face=seen.inner_face * np.float32(level_up))
            if body is not None:
                body = replace(body, person=body.person * np.float32(level_up))
        analysis = Analysis(
            face=face,
            view=seen,
            crop_environment=around,
            crop_normals=normals,
            crop_confidence=trust,
            mean_irradiance=level,
            photo_rgb=rgb,
            person=person,
            body=body,
        )
        return analysis, there

    def forget(self, numbers: set[int]) -> None:
        """Drop what is known of all faces but these."""
        self._known = {n: kept for n, kept in self._known.items() if n in numbers}

    def _light(
        self, known: _Kept | None, view: View, normals: Float, roll: float, step_s: float
    ) -> tuple[Float, float, float]:
        """The environment's logarithm, its mean irradiance on the face, and its age in seconds."""
        if known is not None and known.light_age_s + step_s < LIGHT_EVERY_S:
            return known.log_light, known.level, known.light_age_s + step_s
        found = self._stages.lighting(view, normals)
        level = mean_irradiance(found, normals, view.face)
        light = np.log(np.maximum(found.roll(roll).data, DARKEST))
        if known is None:
            return light, level, 0.0
        old = kept(known.light_age_s + step_s, LIGHT_S)
        return _mean(known.log_light, light, old), known.level**old * level ** (1 - old), 0.0

    def _existing(
        self,
        known: _Kept | None,
        view: View,
        normals: Float,
        around: Environment,
        level: float,
        old: float,
        step_s: float,
    ) -> tuple[Existing, float]:
        """The light already there on a face, and the age of its shading in seconds."""
        surface = between(view, normals)
        age_s = 0.0 if known is None else known.shading_age_s + step_s
        if known is not None and age_s < SHADING_EVERY_S and old > STILL:
            return existing_at(view, surface, level, -known.log_lift), age_s
        there = existing_at(view, surface, level, self._stages.log_shading(view, surface, around))
        if known is None:
            return there, 0.0
        old **= max(1.0, age_s / step_s)
        lift = np.exp(_mean(known.log_lift, np.log(there.lift), old))
        return there._replace(lift=lift), 0.0

    def _below(
        self, known: _Kept | None, rgb: NDArray[np.uint8], face: Face, step_s: float
    ) -> Look | None:
        """What is seen of the body below a face, the person averaged as on the head's crop."""
        seen = bodies.see(self._perception, rgb, face)
        if seen is None or known is None or known.body is None:
            return seen
        mean = _mean(known.body, seen.person, kept(step_s, OUTLINE_S))
        return seen._replace(person=mean)


class PictureStages:
    """The stages of one picture's faces, behind :class:`relight.stage.stages.Stages`.

    Args:
        stages: the networks.
        there: the light already there, for each face's view.
    """

    def __init__(self, stages: NetworkStages, there: dict[View, Existing]) -> None:
        self._stages, self._there = stages, there

    def normals(self, view: View) -> tuple[Float, Float]:
        """See :class:`relight.stage.stages.Stages`."""
        return self._stages.normals(view)

    def lighting(self, view: View, normals: Float) -> Environment:
        """See :class:`relight.stage.stages.Stages`."""
        return self._stages.lighting(view, normals)

    def gain(self, view: View, normals: Float, environment: Environment, light: Light) -> Float:
        """See :class:`relight.stage.stages.Stages`."""
        return self._stages.gain_over(self._there[view], view, light)

    def close(self) -> None:
        """See :class:`relight.stage.stages.Stages`."""
        self._stages.close()


def _still(before: Float, now: Float, step_s: float) -> float:
    """How far what is known of a face still holds, in [0, 1], by time and by the head's turn."""
    cosine = (float(np.trace(before.T @ now)) - 1) / 2
    turned = math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))
    return kept(step_s, MEMORY_S) * math.exp(-((turned / FORGOTTEN_DEG) ** 2))


def _mean(old: Float, new: Float, share: float) -> Float:
    """A share of what is known, and the rest of what is new."""
    return np.asarray(np.float32(share) * old + np.float32(1 - share) * new, np.float32)
