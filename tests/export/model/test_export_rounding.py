# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import zlib

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from export_network import inputs, network

from export.model.convert import Precision, convert
from export.model.rounding import MANTISSA_BITS, rounded, shortened
from relight.models.interpreter import load_interpreter
from relight.models.library import SIGNATURE

ALL = np.arange(0x7C00, dtype=np.uint16).view(np.float16)
"""Every float16 from zero to the largest."""


def test_weights_go_to_the_nearest_with_fewer_bits() -> None:
    found = shortened(ALL).astype(float)
    exact = ALL.astype(float)
    spacing = 2.0 ** (np.floor(np.log2(np.maximum(exact, 2.0**-14))) - MANTISSA_BITS)
    np.testing.assert_array_equal(found % spacing, 0)
    inside = exact < 2.0**15 * (2 - 2.0**-MANTISSA_BITS)  # above, only rounding down is possible
    assert (np.abs(found - exact)[inside] <= spacing[inside] / 2).all()
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(shortened(-ALL), -shortened(ALL))
    assert len(set(found)) == 31 * 2**MANTISSA_BITS  # 30 powers of two, and the subnormals


def test_ties_go_to_even() -> None:
    one, tie = 1.0, 2.0 ** -(MANTISSA_BITS + 1)
    halfway = np.array([one + tie, one + 3 * tie], np.float16)
    np.testing.assert_array_equal(shortened(halfway), [one, one + 4 * tie])


def test_a_rounded_file_answers_nearly_the_same_and_packs_better() -> None:
    plain = convert(network("normals"), Precision.FLOAT16)
    content = rounded(plain)
    given = inputs(network("normals"))
    before, after = (
        load_interpreter(one).get_signature_runner(SIGNATURE)(**given) for one in (plain, content)
    )
    for name in before:
        difference = np.abs(after[name] - before[name])
        assert 0 < difference.mean() < 0.005
    assert len(zlib.compress(content)) < 0.9 * len(zlib.compress(plain))
