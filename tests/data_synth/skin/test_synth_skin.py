# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_synth.hair.hair_color import COLORS, fibre_colors
from data_synth.skin.skin import look_up_color, reflectance, skin_color, tone_label, typology_angle

MELANIN = st.floats(0.01, 0.5)
BLOOD = st.floats(0.01, 0.07)


@given(MELANIN, BLOOD)
def test_more_melanin_is_darker_in_every_channel(melanin: float, blood: float) -> None:
    assert (skin_color(melanin * 1.1, blood) < skin_color(melanin, blood)).all()


@given(MELANIN, BLOOD)
def test_more_blood_is_redder(melanin: float, blood: float) -> None:
    before, after = skin_color(melanin, blood), skin_color(melanin, blood * 1.2)
    assert after[0] / after[1] > before[0] / before[1]
    assert (after < before).all()


@given(MELANIN, BLOOD)
def test_skin_reflects_less_than_all_light_and_is_warm(melanin: float, blood: float) -> None:
    spectrum = reflectance(melanin, blood)
    assert (spectrum > 0).all()
    assert (spectrum < 1).all()
    red, green, blue = skin_color(melanin, blood)
    assert red > green > blue


def test_dark_skin_is_not_orange() -> None:
    # Measured dark skin keeps a blue share that the textbook's melanin alone takes away.
    red, _, blue = skin_color(0.45, 0.03)
    assert 0.1 < blue / red < 0.4


def test_the_table_agrees_with_the_formula() -> None:
    rng = np.random.default_rng(0)
    melanin, blood = rng.uniform(0.01, 0.5, (8, 9)), rng.uniform(0.01, 0.08, (8, 9))
    np.testing.assert_allclose(
        look_up_color(melanin, blood), skin_color(melanin, blood), atol=0.004
    )


def test_labels_run_from_light_to_dark() -> None:
    labels = [tone_label(m, 0.02) for m in np.geomspace(0.01, 0.5, 40)]
    order = ["very light", "light", "intermediate", "tan", "brown", "dark"]
    ranks = [order.index(label) for label in labels]
    assert ranks == sorted(ranks)
    assert set(ranks) >= {0, 2, 4, 5}
    assert typology_angle(np.ones(3) * 0.9) > typology_angle(skin_color(0.1, 0.03))


def test_fibres_without_pigment_are_grey() -> None:
    rng = np.random.default_rng(1)
    for name in COLORS:
        locks = (np.arange(500) // 50,)
        young, old = fibre_colors(name, 0.0, locks, rng), fibre_colors(name, 1.0, locks, rng)
        assert np.ptp(old.mean(0)) < 0.05
        np.testing.assert_allclose(young.mean(0), COLORS[name], rtol=0.12, atol=0.02)
