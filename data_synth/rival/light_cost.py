# SPDX-License-Identifier: Apache-2.0
"""What one light of a view costs here, by Cycles and by Mitsuba, at like noise, in one run.

The same bare person (no fibres, no bumps), the same camera. Noise is told by rendering each twice
with other random numbers; a path tracer's falls with the root of its samples, so its cost at our
noise is its cost times the square of the ratio. Costs are CPU seconds of this process, which a busy
machine changes little, where it changes wall time a lot.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_synth.error import AssetError
from data_synth.rival.mitsuba_stage import MitsubaStage
from data_synth.stage.reference import CyclesStage
from data_synth.stage.render import RenderSettings, Stage, View
from data_synth.stage.rig import Camera, Rig
from data_synth.subject import Subject
from relight.geometry import direction

Float = NDArray[np.float32]

LIGHTS_DEG = ((-45, 30), (70, 10), (10, 60))
"""Azimuth and elevation of the lights that the path tracers render."""
CAMERA = Camera(15, 5, field_cm=40.0, target=(0.0, 2.0, 8.0))


@dataclass(frozen=True)
class Cost:
    """What one renderer took.

    Attributes:
        name: of the renderer.
        samples: a pixel.
        light_s: CPU seconds of one light of the view, the view's own share included.
        noise: root of the mean square of what two renders differ by, over root 2 and the mean, on
            lit skin.
        brightness: median of its lit pixels over ours; 1 for ours.
    """

    name: str
    samples: int
    light_s: float
    noise: float
    brightness: float

    def like(self, ours: Cost) -> float:
        """CPU seconds of a light at another's noise."""
        return self.light_s * (self.noise / max(ours.noise, 1e-9)) ** 2


def compare(
    person: Subject, size: int, lights: int, samples: int, paths: int
) -> Iterator[Cost | str]:
    """Render by each renderer that is installed, ours first.

    Args:
        person: who.
        size: side of the pictures.
        lights: of our rig; its cost is shared by them.
        samples: of ours, points a pixel.
        paths: a pixel of the others.

    Yields:
        Costs; for a renderer that is missing, a line that says how to install it.
    """
    smooth = {k: replace(t, height=np.zeros_like(t.height)) for k, t in person.textures.items()}
    bare = replace(person, textures=smooth, strands=[])
    chosen = np.stack([direction(np.radians(a), np.radians(e)) for a, e in LIGHTS_DEG])
    cost, pictures, mask = _ours(bare, chosen, size, lights, samples)
    yield cost
    yield from _theirs("Mitsuba 3", bare, chosen, size, paths, _mitsuba, pictures, mask)
    yield from _theirs("Cycles", bare, chosen, size, paths, _cycles, pictures, mask)


Draw = Callable[[Float, int], Float]


def _ours(
    person: Subject, chosen: Float, size: int, lights: int, samples: int
) -> tuple[Cost, Float, NDArray[np.bool_]]:
    rig = np.concatenate([chosen, Rig.make(lights).lights])
    settings = RenderSettings(size=size, samples=samples, scattering=False)
    stage = Stage(person, rig, settings)
    stage.bounce()
    begin = time.process_time()
    views = [stage.render(CAMERA, np.random.default_rng(seed)) for seed in (0, 1)]
    spent = (time.process_time() - begin) / 2 / len(rig)
    pair = [np.stack([_picture(view, k) for k in range(len(chosen))]) for view in views]
    mask = views[0].alpha > 0.99
    noise, _ = _noise(pair[0], pair[1], mask)
    return Cost("Light Stage", samples, spent, noise, 1.0), pair[0], mask


def _theirs(
    name: str,
    person: Subject,
    chosen: Float,
    size: int,
    paths: int,
    make: Callable[[Subject, int, int, Path], Draw],
    ours: Float,
    mask: NDArray[np.bool_],
) -> Iterator[Cost | str]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            draw = make(person, size, paths, Path(folder))
        except AssetError as error:
            yield f"{name} is left out. {error}"
            return
        draw(
            chosen[0], 9
        )  # what is done once, acceleration structures and textures, is not counted
        begin = time.process_time()
        pair = [np.stack([draw(light, seed) for light in chosen]) for seed in (0, 1)]
        spent = (time.process_time() - begin) / 2 / len(chosen)
    noise, lit = _noise(pair[0], pair[1], mask)
    ratio = float(np.median(pair[0][lit].sum(-1) / np.maximum(ours[lit].sum(-1), 1e-6)))
    yield Cost(name, paths, spent, noise, ratio)


def _mitsuba(person: Subject, size: int, paths: int, folder: Path) -> Draw:
    return MitsubaStage(person, CAMERA, size, paths).render


def _cycles(person: Subject, size: int, paths: int, folder: Path) -> Draw:
    stage = CyclesStage(person, CAMERA, size, paths, scattering=False)

    def draw(light: Float, seed: int) -> Float:
        stage.seed(seed)
        return stage.render(light, 0.0, folder / "cycles.exr")

    return draw


def _noise(one: Float, other: Float, mask: NDArray[np.bool_]) -> tuple[float, NDArray[np.bool_]]:
    """Noise of either of two renders, and where they are lit, ``(K, S, S)``."""
    mean = (one + other).mean(-1) / 2
    lit = mask & (mean > 0.25 * np.median(mean[np.broadcast_to(mask, mean.shape)]))
    apart = (one - other).mean(-1)[lit]
    return float(np.sqrt((apart**2).mean() / 2) / mean[lit].mean()), lit


def _picture(view: View, number: int) -> Float:
    size = view.alpha.shape[0]
    result = np.zeros((size * size, 3), np.float32)
    result[view.pixels] = view.olat[..., number].T
    return result.reshape(size, size, 3)
