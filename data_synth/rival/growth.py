# SPDX-License-Identifier: Apache-2.0
"""How the cost of views and of pairs grows with pixels, lights and people, in CPU seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_synth.run.field import Field
from data_synth.sample.illumination import EnvironmentBank
from data_synth.sample.pair import PairMaker
from data_synth.source import Source
from data_synth.stage.render import RenderSettings, Stage
from data_synth.stage.rig import Rig

MAPS, PAIRS = 5, 16
"""Environment maps that light the pairs, and pairs made of a view."""


@dataclass(frozen=True)
class Growth:
    """What one view of one person took.

    Attributes:
        seed: of the person.
        size: of the view, pixels along each side.
        lights: of the rig.
        person_s: CPU seconds to make the person and its bounce, once for all its views.
        view_s: CPU seconds of the view.
        bytes: of its OLATs.
        pairs_per_s: pairs of 128 x 128 that a CPU second makes of it.
    """

    seed: int
    size: int
    lights: int
    person_s: float
    view_s: float
    bytes: int
    pairs_per_s: float

    @property
    def light_ms(self) -> float:
        """CPU milliseconds of one light of the view."""
        return 1e3 * self.view_s / self.lights


def grow(
    source: Source,
    assets: Path | None,
    seeds: Sequence[int],
    sizes: Sequence[int],
    lights: Sequence[int],
) -> Iterator[Growth]:
    """Measure each size and number of lights on each person.

    Args:
        source: of the people.
        assets: its files.
        seeds: of the people.
        sizes: of the views.
        lights: numbers of lights.
    """
    rng = np.random.default_rng(0)
    bank = EnvironmentBank.make(MAPS, rng)
    for seed in seeds:
        for count in lights:
            rig = Rig.make(count)
            for size in sizes:
                begin = time.process_time()
                person = source.make_subject(seed, assets=assets)
                stage = Stage(person, rig.lights, RenderSettings(size=size))
                stage.bounce()
                made = time.process_time()
                camera = rig.cameras[0]
                view = stage.render(camera, np.random.default_rng(seed))
                seen = time.process_time()
                about = {
                    "subject": {"seed": seed},
                    "camera": {"rotation_right_up_back": camera.rotation.tolist()},
                    "lights_camera_frame": camera.to_camera(rig.lights).tolist(),
                    "solid_angles_sr": rig.solid_angles.tolist(),
                }
                field = Field.encode(view, about)
                start = time.process_time()
                PairMaker(field, bank).make(PAIRS, rng)
                rate = PAIRS / max(time.process_time() - start, 1e-9)
                yield Growth(seed, size, count, made - begin, seen - made, field.codes.nbytes, rate)
