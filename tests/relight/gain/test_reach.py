# SPDX-License-Identifier: Apache-2.0
"""Where light reaches beyond the head: a drawn figure's shoulders, without a step on the way."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relight.gain.canvas import Canvas
from relight.gain.guide import FaceGain, Guide, Layer, Outline, upsample
from relight.gain.reach import Reach
from relight.geometry import Crop

SHAPE = (900, 800, 3)
HEAD = Crop(400, 200, 240)
"""A face 100 pixels high."""


def figure(shape: tuple[int, ...] = SHAPE, x: float = 400) -> np.ndarray:
    """A head on a neck on a body that the photo's lower border cuts: 1 inside."""
    drawn = np.zeros(shape[:2], np.float32)
    cv2.ellipse(drawn, (round(x), 200), (50, 70), 0, 0, 360, 1.0, -1)
    cv2.rectangle(drawn, (round(x) - 25, 240), (round(x) + 25, 340), 1.0, -1)
    cv2.ellipse(drawn, (round(x), 460), (150, 150), 0, 0, 360, 1.0, -1)
    cv2.rectangle(drawn, (round(x) - 150, 460), (round(x) + 150, shape[0]), 1.0, -1)
    return cv2.GaussianBlur(drawn, (0, 0), 1.0)


def photo_of(person: np.ndarray) -> np.ndarray:
    """The figure, grey, before a wall in another grey."""
    return np.rint(180 - 70 * person)[..., None].repeat(3, 2).astype(np.uint8)


def outline_of(person: np.ndarray, head: Crop = HEAD, *, body: bool = True) -> Outline:
    crop = Reach.of(head, person.shape).body
    assert crop is not None
    seen = np.ones((128, 128), np.float32)
    wide = Layer(crop, crop.extract(person, 256), seen)
    near = head.extract(person, 256)
    return Outline(head, near, np.zeros((128, 128), np.float32), seen, wide if body else None)


def flat(value: float, side: int) -> np.ndarray:
    return np.full((side, side, 3), value, np.float32)


def lit(person: np.ndarray, outline: Outline, head: float, body: float) -> np.ndarray:
    gain = FaceGain(flat(head, 128), flat(body, 64))
    return upsample(photo_of(person), [outline], [gain]).expand((*person.shape, 3))[..., 0]


def people(person: np.ndarray, outlines: list[Outline]) -> np.ndarray:
    """The guide's person at every pixel of the photo."""
    photo = photo_of(person)
    guide = Guide(Canvas(photo, [one.reach for one in outlines]), outlines)
    found = np.zeros(person.shape, np.float32)
    grid = guide.grid
    grown = guide.person.repeat(grid.step, 0).repeat(grid.step, 1)
    part = found[grid.top :, grid.left :][: grown.shape[0], : grown.shape[1]]
    part[:] = grown[: part.shape[0], : part.shape[1]]
    return found


def test_the_body_s_square_holds_what_the_photo_shows_of_it() -> None:
    body = Reach.of(HEAD, SHAPE).body
    assert body is not None
    assert body.size <= 3 * HEAD.size
    rows, columns = body.visible(SHAPE)
    assert rows.start == 200 - 0.6 * 240
    assert rows.stop == 200 + 2.4 * 240
    assert (columns.start, columns.stop) == (400 - 360, 400 + 360)


@pytest.mark.parametrize("roll", [0.0, 0.4])
def test_a_photo_of_a_face_alone_has_no_other_square(roll: float) -> None:
    tight = Crop(100, 100, 400, roll)
    assert Reach.of(tight, (200, 200, 3)) == Reach(tight)
    assert Reach.of(tight, (600, 200, 3)).body is not None


def test_light_reaches_the_shoulders() -> None:
    person = figure()
    alone = lit(person, outline_of(person, body=False), 0.5, 0)
    both = lit(person, outline_of(person), 0.5, 0.5)
    assert alone[200, 400] == pytest.approx(0.5, abs=0.02)
    assert alone[400:, :].max() < 0.01
    inside = cv2.erode(person, np.ones((15, 15))) > 0.99
    inside[620:] = False  # there the square ends within the photo
    np.testing.assert_allclose(both[inside], 0.5, atol=0.02)


def test_fill_reaches_the_whole_person_and_nothing_else() -> None:
    person = figure()
    found = people(person, [outline_of(person)])
    inside = cv2.erode(person, np.ones((9, 9))) > 0.99
    assert found[inside][: np.count_nonzero(inside[:600])].min() > 0.97
    assert not found[cv2.dilate(person, np.ones((25, 25))) < 0.01].any()


@pytest.mark.parametrize("body", [0.0, 0.3, 0.6])
def test_no_step_shows_where_the_head_s_square_ends(body: float) -> None:
    """Along the figure's middle the gain goes from the head's to the body's gently."""
    person = np.ones(SHAPE[:2], np.float32)
    gain = lit(person, outline_of(person), 0.6, body)
    column = gain[200:500, 400]
    assert column[0] == pytest.approx(0.6, abs=0.01)
    assert column[200] == pytest.approx(body, abs=0.01)
    steepest = 1.5 * 0.6 / (0.22 * HEAD.size)  # of the smooth cubic over that share of the crop
    for axis in (0, 1):
        assert np.abs(np.diff(gain[150:550], axis=axis)).max() < 1.3 * steepest


def test_what_the_photo_cuts_does_not_fade_at_its_border() -> None:
    shape = (420, 800, 3)  # the border lies two face heights under the chin
    person = figure(shape)
    found = people(person, [outline_of(person)])
    assert found[419, 300:500].min() > 0.97
    gain = lit(person, outline_of(person), 0.5, 0.5)
    assert gain[419, 300:500].min() > 0.48


def test_the_mirrored_photo_gives_the_mirrored_light() -> None:
    person = figure(x=380)
    head = Crop(380, 200, 240, 0.15)
    mirrored = Crop(SHAPE[1] - 380, 200, 240, -0.15)
    one = lit(person, outline_of(person, head), 0.5, 0.3)
    other = lit(person[:, ::-1], outline_of(person[:, ::-1].copy(), mirrored), 0.5, 0.3)[:, ::-1]
    assert np.abs(one - other).max() < 0.15  # a fraction of a pixel at the outline
    assert np.abs(one - other).mean() < 1e-3


def test_two_people_are_each_lit_by_their_own_gain() -> None:
    shape = (700, 1400, 3)
    person = np.maximum(figure(shape, 400), figure(shape, 1000))
    heads = [HEAD, Crop(1000, 200, 240)]
    outlines = [outline_of(person, head) for head in heads]
    gains = [FaceGain(flat(level, 128), flat(level, 64)) for level in (0.2, 0.8)]
    photo = photo_of(person)
    found = upsample(photo, outlines, gains).expand(photo.shape)[..., 0]
    swapped = upsample(photo, outlines[::-1], gains[::-1]).expand(photo.shape)[..., 0]
    np.testing.assert_allclose(swapped, found, atol=1e-5)
    assert found[200, 400] == pytest.approx(0.2, abs=0.03)
    assert found[200, 1000] == pytest.approx(0.8, abs=0.03)
    assert found[450, 330] < 0.3
    assert found[450, 1070] > 0.7
    assert found.max() < 0.85
    both = people(person, outlines)
    inside = cv2.erode(person, np.ones((9, 9))) > 0.99
    assert both[:600][inside[:600]].min() > 0.97
    assert both.max() <= 1


@settings(deadline=None, max_examples=30)
@given(
    st.integers(8, 150),
    st.integers(8, 150),
    st.floats(-20, 170),
    st.floats(-20, 170),
    st.floats(4, 200),
    st.floats(-math.pi, math.pi),
    st.integers(0, 10**6),
)
def test_whatever_the_photo_and_the_squares_light_is_a_number(
    height: int, width: int, x: float, y: float, size: float, roll: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    reach = Reach.of(Crop(x, y, size, roll), photo.shape)
    visible = [crop.visible(photo.shape) for crop in reach if crop]
    assume(all(min(b.stop - b.start for b in box) > 2 for box in visible))
    cover = rng.uniform(0, 1, (64, 64)).astype(np.float32)
    body = None if reach.body is None else Layer(reach.body, cover.T.copy(), cover)
    gain = FaceGain(flat(2, 32), None if body is None else flat(1, 16))
    outline = Outline(reach.head, cover, (cover > 0.9).astype(np.float32), cover, body)
    found = upsample(photo, [outline], [gain])
    assert np.isfinite(found.gain).all()
    assert (found.gain >= 0).all()
