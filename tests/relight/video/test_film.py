# SPDX-License-Identifier: Apache-2.0
"""A clip relit picture by picture: who is lit, by what setup, how steadily."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("av")

from conftest import ROOT
from PIL import Image
from reel_file import write_clip

from relight import Light, NoFaceError, Relighter, Setup
from relight.stage.stages import Stages
from relight.video.clip import Clip, ClipError, Picture
from relight.video.film import LOOK_AHEAD, Film, Frame, relight_clip

KEY = Light(45, 30, intensity=0.8)
FIXED = Setup((KEY,))
NOISE = 2.0
FACE = (slice(45, 85), slice(95, 132))
"""Rows and columns inside the face of the small example."""


class Reel:
    """Pictures in memory in a clip's place; remembers how many were asked for."""

    rate = Fraction(30)

    def __init__(self, pictures: list[np.ndarray]) -> None:
        self.pictures, self.asked = pictures, 0

    def parts(self) -> Iterator[Picture]:
        for number, rgb in enumerate(self.pictures):
            self.asked += 1
            yield Picture(rgb, number, number / 30)


@pytest.fixture(scope="module")
def relighter() -> Iterator[Relighter]:
    with Relighter() as made:
        yield made


@pytest.fixture(scope="module")
def small(astronaut: np.ndarray) -> np.ndarray:
    return cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)


def noisy(picture: np.ndarray, count: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = picture.shape
    return [
        np.clip(picture + rng.normal(0, NOISE, shape), 0, 255).astype(np.uint8)
        for _ in range(count)
    ]


def film(relighter: Relighter, reel: Reel, setup: Setup | None = FIXED) -> Film:
    return Film(
        reel,
        relighter._detector,
        relighter._stages,
        lambda portrait: setup or portrait.suggest(),
    )


def added(frame: Frame) -> np.ndarray:
    return frame.picture.rgb.astype(np.float32) - frame.before.rgb


def test_a_still_face_does_not_flicker(relighter: Relighter, small: np.ndarray) -> None:
    frames = list(film(relighter, Reel(noisy(small, 24))))
    light = np.array([cv2.blur(added(frame).mean(-1), (5, 5))[FACE] for frame in frames[10:]])
    assert light.mean() > 8
    assert np.abs(np.diff(light, axis=0)).mean() < 0.5


def test_each_take_has_one_setup_and_a_cut_begins_another(
    relighter: Relighter, small: np.ndarray
) -> None:
    wall = np.full_like(small, 90)
    cv2.circle(wall, (60, 60), 50, (200, 180, 60), -1)
    other = small[:, ::-1].copy()
    reel = Reel(noisy(small, 10) + noisy(wall, 4) + noisy(other, 10))
    frames = list(film(relighter, reel, None))
    assert [frame.take for frame in frames] == [0] * 10 + [1] * 4 + [2] * 10
    first, _, third = ({id(f.setup) for f in frames if f.take == n} for n in range(3))
    assert len(first) == len(third) == 1
    assert first != third
    assert all(frame.setup is None and frame.picture is frame.before for frame in frames[10:14])
    lights = [frames[n].setup.lights[0].azimuth_deg for n in (0, -1)]
    assert lights[0] * lights[1] < 0


def test_a_dissolve_begins_a_take_whose_light_comes_up_as_the_other_s_goes(
    relighter: Relighter, small: np.ndarray
) -> None:
    with Image.open(ROOT / "examples" / "portrait.jpg") as image:
        other = np.array(image.convert("RGB").resize((256, 256)))[:, ::-1]
    mixed = [small * (1 - n / 17) + other * (n / 17) for n in range(1, 17)]
    film_ = [small] * 10 + mixed + [other] * 24
    frames = list(film(relighter, Reel([noisy(p, 1, n)[0] for n, p in enumerate(film_)])))
    takes = [frame.take for frame in frames]
    assert takes == sorted(takes)
    assert set(takes) == {0, 1}
    begun = takes.index(1)
    assert 18 < begun < 38
    light = np.array([cv2.blur(added(frame).mean(-1), (5, 5)) for frame in frames])
    strength = np.abs(light).mean((1, 2))
    assert min(strength[8], strength[-1]) > 1.5
    assert strength[begun] < 0.3 * strength[-1]  # one is down before the other comes up
    steps = np.abs(np.diff(light, axis=0)).mean((1, 2))
    assert steps.max() < 0.25 * strength.max()


def test_a_face_that_comes_in_is_lit_gradually(relighter: Relighter, small: np.ndarray) -> None:
    empty = cv2.GaussianBlur(small, (0, 0), 40)
    empty[:, 60:160] = small[:, :100]
    reel = Reel([empty] * 3 + [small] * 40)
    frames = list(film(relighter, reel))
    strength = [float(added(frame)[FACE].mean()) for frame in frames]
    lit = next(n for n, level in enumerate(strength) if level > 0.5)
    assert strength[0] < 0.5
    assert strength[-1] > 8
    steps = np.diff(strength[lit - 1 :])
    assert steps.max() < 0.5 * strength[-1]


def test_no_more_of_a_long_clip_is_held_than_of_a_short_one(
    relighter: Relighter, small: np.ndarray
) -> None:
    reel = Reel([small] * 40)
    ahead = [reel.asked - n for n, _ in enumerate(film(relighter, reel), 1)]
    assert max(ahead) <= LOOK_AHEAD + 2


def test_a_clip_is_relit_into_a_file(
    relighter: Relighter, small: np.ndarray, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_clip(source, [small] * 12, sound="aac", metadata={"title": "Launch"})
    done: list[int] = []
    with Clip(source) as clip:
        setups = relight_clip(clip, relighter.video(clip, KEY, fill=0.8), target, done.append)
    assert done == list(range(1, 13))
    assert setups == [Setup((KEY,), 0.8)]
    with Clip(target) as clip:
        relit = list(clip.pictures())
        assert [s.type for s in clip.container.streams] == ["video", "audio"]
    assert len(relit) == 12
    with Clip(source) as clip:
        before = list(clip.pictures())
    change = np.abs(relit[6].rgb.astype(float) - before[6].rgb)
    assert change[FACE].mean() > 6
    assert change[:40, :60].mean() < 3  # only the encoder's


def test_a_clip_without_a_face_leaves_no_file(relighter: Relighter, tmp_path: Path) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_clip(source, [np.full((96, 128, 3), 90, np.uint8)] * 3)
    with Clip(source) as clip, pytest.raises(NoFaceError, match=r"in\.mp4: no face"):
        relight_clip(clip, relighter.video(clip), target)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_a_missing_clip_is_told_in_a_sentence(relighter: Relighter, tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="No such file"):
        relighter.video(tmp_path / "none.mp4")
    with pytest.raises(ValueError, match="strength"):
        relighter.video(tmp_path / "none.mp4", strength=-1)


def test_only_networks_relight_a_film(relighter: Relighter, small: np.ndarray) -> None:
    class Other:
        pass

    other: Stages = Other()  # type: ignore[assignment]
    with pytest.raises(TypeError, match="Other"):
        Film(Reel([small]), relighter._detector, other, lambda portrait: Setup())
