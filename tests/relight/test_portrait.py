# SPDX-License-Identifier: Apache-2.0
"""A photo looked at once: what a change of the light redoes, and what it leaves alone."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from relight import Environment, Light, NoFaceError, Photo, Portrait, Relighter, Setup
from relight.face.perception import Perception
from relight.portrait import FITS, GAINS
from relight.stage.tflite import TfliteStages

KEY = Light(45, 30, 0.8)
RIM = Light(-50, 10, 0.4, (1, 0.8, 0.6), softness_deg=25)


class Counted(TfliteStages):
    """The shipped models, counting what they are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def run(self, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """Count and run."""
        self.calls.append(name)
        return super().run(name, inputs)


@pytest.fixture(scope="module")
def portrait(relighter: Relighter, astronaut: np.ndarray) -> Portrait:
    return relighter.look(astronaut)


@pytest.fixture
def counted(detector: Perception, astronaut: np.ndarray) -> tuple[Portrait, list[str]]:
    """A portrait of its own, and the networks that it has run since."""
    models = Counted()
    portrait = Relighter(detector=detector, models=models).look(astronaut)
    assert models.calls == ["normals", "lighting"]
    models.calls.clear()
    return portrait, models.calls


# --- What runs a network


def test_only_a_lights_direction_softness_and_gloss_run_a_network(
    counted: tuple[Portrait, list[str]],
) -> None:
    portrait, calls = counted
    first = portrait.render(KEY).image
    assert calls == ["shading", "key"]
    for light in (replace(KEY, intensity=0.2), replace(KEY, color=(1, 0.5, 0.2))):
        for fill in (1.0, 0.5):
            for strength in (0.3, 1.0, 2.0):
                for side in (None, 200):
                    portrait.render(Setup((light,), fill), strength, side)
    portrait.gain(KEY)
    portrait.gain(KEY, 200)
    assert calls == ["shading", "key"]
    moved = portrait.render(Light(-45, 30, 0.8)).image
    assert (moved != first).any()
    portrait.render(replace(KEY, softness_deg=20))
    portrait.render([KEY, RIM])
    matte = portrait.render(replace(KEY, gloss=0)).image
    assert calls == ["shading"] + ["key"] * 5
    np.testing.assert_array_equal(portrait.render(KEY).image, first)
    assert calls == ["shading"] + ["key"] * 5
    assert (matte < first).sum() > 20 * (matte > first).sum()  # bright colours are pressed a little


def test_a_light_that_is_off_runs_nothing(counted: tuple[Portrait, list[str]]) -> None:
    portrait, calls = counted
    portrait.render([Light(0, 0, 0), Light(10, 0, color=(0, 0, 0))])
    portrait.render([])
    assert not calls


def test_what_is_kept_of_old_lights_is_bounded(counted: tuple[Portrait, list[str]]) -> None:
    portrait, calls = counted
    lights = [Light(azimuth, 20) for azimuth in range(GAINS + 1)]
    for light in lights:
        portrait.gain(light, 64)
    assert calls == ["shading"] + ["key"] * (GAINS + 1)
    for light in lights[-FITS - 2 :]:
        portrait.gain(light, 64)
    assert len(calls) == GAINS + 2  # fitted again, but not predicted again
    portrait.gain(lights[0], 64)
    assert len(calls) == GAINS + 3


# --- Gains


def test_a_lights_gain_is_that_of_the_unit_white_light(portrait: Portrait) -> None:
    one = portrait.gain(KEY)
    other = portrait.gain(replace(KEY, intensity=7, color=(1, 0.5, 0)))
    np.testing.assert_array_equal(one.gain, other.gain)
    assert one.gain.min() >= 0
    assert one.gain.max() > 0.2


def test_fitted_gains_add_up(relighter: Relighter, portrait: Portrait) -> None:
    """What is kept of each light and summed is what would be fitted to all of them at once."""
    both = portrait.render([KEY, RIM])
    grid, other = portrait.gain(KEY), portrait.gain(RIM)
    weighted = [
        gain.gain * np.float32(light.intensity) * np.array(light.color, np.float32)
        for gain, light in ((grid, KEY), (other, RIM))
    ]
    from relight.gain.apply import apply

    summed = apply(portrait.photo.rgb, replace(grid, gain=sum(weighted)))
    assert np.abs(summed.astype(int) - both.image).max() <= 1


# --- Sizes


@pytest.mark.parametrize("setup", [KEY, [KEY, RIM], Setup((KEY,), 0.5)])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_photo_no_larger_than_the_preview_is_relit_as_ever(
    portrait: Portrait, setup: Light | list[Light] | Setup, strength: float
) -> None:
    expected = portrait.render(setup, strength).image
    np.testing.assert_array_equal(portrait.render(setup, strength, 1024).image, expected)


@pytest.mark.parametrize("fill", [1.0, 0.4])
def test_the_preview_is_the_relit_photo_made_small(
    relighter: Relighter, astronaut: np.ndarray, fill: float
) -> None:
    large = cv2.resize(astronaut, (1500, 1500), interpolation=cv2.INTER_CUBIC)
    portrait = relighter.look(large)
    setup = Setup((KEY,), fill)
    full = portrait.render(setup).image
    expected = cv2.resize(full, (400, 400), interpolation=cv2.INTER_AREA).astype(int)
    plain = portrait.render([], side=400).image.astype(int)
    shown = portrait.render(setup, side=400).image.astype(int)
    assert shown.shape == (400, 400, 3)
    added = np.abs(shown - plain)
    assert added.max() > 20
    assert np.abs(shown - expected).mean() < 0.1 * added.mean() + 0.3
    wrong = portrait.render(replace(setup, lights=(Light(-45, 30, 0.8),)), side=400).image
    assert np.abs(wrong - expected).mean() > 3 * np.abs(shown - expected).mean()


@pytest.mark.parametrize(("width", "height"), [(700, 512), (512, 700)])
def test_the_longer_side_is_the_one_asked_for(
    relighter: Relighter, astronaut: np.ndarray, width: int, height: int
) -> None:
    canvas = np.full((height, width, 3), 90, np.uint8)
    canvas[:512, :512] = astronaut
    result = relighter.look(canvas).render(KEY, side=350)
    assert result.image.shape == (height // 2, width // 2, 3)
    assert result.image.dtype == np.uint8
    assert result.photo.shape == canvas.shape
    assert result.relit.shape == result.image.shape


def test_a_preview_of_a_16_bit_photo_with_alpha_can_be_saved(
    relighter: Relighter, astronaut: np.ndarray
) -> None:
    alpha = np.full(astronaut.shape[:2], 65535, np.uint16)
    deep = Photo(astronaut.astype(np.uint16) * 257, alpha)
    portrait = relighter.look(deep)
    assert portrait.render(KEY).relit.rgb.dtype == np.uint16
    small = portrait.render(KEY, side=128).relit
    assert small.rgb.dtype == np.uint8
    assert small.alpha is not None
    assert small.alpha.shape == (128, 128)
    assert small.alpha.min() == 255


# --- Fill and strength


def test_strength_0_is_the_photo_bit_for_bit(portrait: Portrait, astronaut: np.ndarray) -> None:
    for side in (None, 300):
        plain = portrait.render([], side=side).image
        for setup in (KEY, Setup((KEY, RIM), 0.3)):
            shown = portrait.render(setup, 0, side).image
            np.testing.assert_array_equal(shown, plain)
            assert not np.shares_memory(shown, plain)
    np.testing.assert_array_equal(portrait.render(Setup((KEY,), 0.3), 0).image, astronaut)


def face_of(portrait: Portrait) -> tuple[slice, slice]:
    left, top, width, height = (round(value) for value in portrait.faces[0].box)
    middle = slice(top + height // 3, top + height * 2 // 3)
    return middle, slice(left + width // 3, left + width * 2 // 3)


@pytest.mark.parametrize("fill", [0.7, 0.5, 0.25])
def test_fill_leaves_a_share_of_the_light_on_the_face(
    portrait: Portrait, astronaut: np.ndarray, fill: float
) -> None:
    from relight.color import srgb_to_linear

    where = face_of(portrait)
    before = srgb_to_linear(astronaut[where] / 255)
    after = srgb_to_linear(portrait.render(Setup((), fill)).image[where] / 255)
    assert after.mean() / before.mean() == pytest.approx(fill, rel=0.03)
    half = srgb_to_linear(portrait.render(Setup((), fill), 0.5).image[where] / 255)
    assert half.mean() / before.mean() == pytest.approx((1 + fill) / 2, rel=0.03)
    thrice = portrait.render(Setup((), fill), 3).image
    np.testing.assert_array_equal(thrice, portrait.render(Setup((), fill)).image)


def test_fill_changes_nothing_outside_the_person(portrait: Portrait, astronaut: np.ndarray) -> None:
    image = portrait.render(Setup((KEY,), 0.3)).image
    outside = portrait.analyses[0].mask < 0.01
    near = cv2.erode(outside.astype(np.uint8), np.ones((41, 41))) > 0
    np.testing.assert_array_equal(image[near], astronaut[near])
    assert near.mean() > 0.1


def test_with_less_fill_a_key_makes_more_of_a_ratio(portrait: Portrait) -> None:
    ratios = [
        portrait.render(Setup((KEY,), fill)).report()["faces"][0]["key_to_fill_after"]
        for fill in (1.0, 0.5, 0.25)
    ]
    assert ratios[0] < ratios[1] < ratios[2]
    report = portrait.render(Setup((KEY,), 0.25)).report()
    assert report["fill"] == 0.25


def test_fill_1_is_what_lights_alone_give(portrait: Portrait) -> None:
    np.testing.assert_array_equal(
        portrait.render(Setup((KEY,), 1.0)).image, portrait.render(KEY).image
    )


# --- Faces, threads, and what is refused


def test_every_face_of_a_group_is_lit(relighter: Relighter, astronaut: np.ndarray) -> None:
    two = np.concatenate([astronaut, astronaut[:, ::-1]], 1)
    portrait = relighter.look(two)
    assert len(portrait.faces) == len(portrait.analyses) == 2
    plain = portrait.render([], side=512).image.astype(int)
    added = portrait.render(Light(0, 20), side=512).image - plain
    for face in portrait.faces:
        left, top, width, height = (round(value / 2) for value in face.box)
        assert added[top : top + height, left : left + width].mean() > 5


def test_only_the_faces_asked_for_are_lit(relighter: Relighter, astronaut: np.ndarray) -> None:
    two = np.concatenate([astronaut, astronaut[:, ::-1]], 1)
    faces = relighter.find_faces(two)
    portrait = relighter.look(two, faces[1:])
    assert portrait.faces == faces[1:]
    added = portrait.render(KEY).image.astype(int) - two
    left, top, width, height = (round(value) for value in faces[0].box)
    assert added[top : top + height, left : left + width].mean() < 1


def test_what_is_suggested_is_what_relight_does(
    relighter: Relighter, portrait: Portrait, astronaut: np.ndarray
) -> None:
    setup = portrait.suggest()
    assert setup.fill < 1  # she is bright: a key needs room
    assert setup.reason == setup.lights[0].reason != ""
    assert setup.lights == (relighter.place(portrait.analyses[0]),)
    result = relighter.relight(astronaut)
    assert result.lights == list(setup.lights)
    np.testing.assert_array_equal(result.image, portrait.render(setup).image)
    assert result.reason == setup.reason
    filled = relighter.relight(astronaut, [KEY], 0.5, 0.8)
    assert (filled.fill, filled.strength) == (0.5, 0.8)
    np.testing.assert_array_equal(
        filled.image, portrait.render(Setup((KEY,), 0.5), strength=0.8).image
    )


def test_threads_share_a_portrait(portrait: Portrait) -> None:
    lights = [Light(azimuth, 25) for azimuth in (-70, -20, 15, 55)]
    expected = [portrait.render(light, side=200).image for light in lights]
    found: dict[int, list[np.ndarray]] = {}

    def work(turn: int) -> None:
        order = lights[turn:] + lights[:turn]
        images = [portrait.render(light, side=201).image for light in order]
        found[turn] = images[-turn:] + images[:-turn] if turn else images

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for images in found.values():
        for image, other in zip(images, found[0], strict=True):
            np.testing.assert_array_equal(image, other)
    assert len(found) == len(expected) == 4


def test_the_older_preview_is_a_portrait_at_preview_size(
    relighter: Relighter, astronaut: np.ndarray, portrait: Portrait
) -> None:
    preview = relighter.preview(astronaut, side=256)
    np.testing.assert_array_equal(preview.rgb, portrait.render([], side=256).image)
    np.testing.assert_array_equal(
        preview.relight(KEY, strength=0.7), portrait.render(KEY, 0.7, 256).image
    )
    assert isinstance(preview.analyses[0].environment, Environment)


def test_what_cannot_be_rendered_is_refused(
    relighter: Relighter, astronaut: np.ndarray, portrait: Portrait
) -> None:
    with pytest.raises(NoFaceError, match="no face"):
        relighter.look(np.full((100, 100, 3), 120, np.uint8))
    with pytest.raises(ValueError, match="side"):
        portrait.render(KEY, side=0)
    for strength in (-0.1, math.nan, 101):
        with pytest.raises(ValueError, match="strength"):
            portrait.render(KEY, strength)
    for fill in (0, -0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="fill"):
            relighter.relight(astronaut, KEY, fill)
    for lights in (None, 3, ["45,30"], [None]):
        with pytest.raises(TypeError, match="Light"):
            portrait.render(lights)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="face"):
        Portrait(portrait.photo, [], TfliteStages())
