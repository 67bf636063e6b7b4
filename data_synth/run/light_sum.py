# SPDX-License-Identifier: Apache-2.0
"""Adds up the lights of a field: by NumPy, or by PyTorch or JAX where they are, GPUs included.

The three share one path, written in what their arrays have in common.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.error import SynthError

Float = NDArray[np.float32]

LIBRARIES = ("numpy", "torch", "jax")
"""What adds up lights."""
FULL = np.array([255], np.float32)
"""The largest code."""


@dataclass(frozen=True)
class Arrays:
    """One array library, on one device.

    Attributes:
        put: a NumPy array as one of the library's.
        take: the reverse.
        exact: a context in which float32 is multiplied as float32; GPUs would use fewer bits.
    """

    put: Callable[[NDArray[Any]], Any]
    take: Callable[[Any], Float]
    exact: Callable[[], Any] = contextlib.nullcontext


def find_arrays(library: str = "numpy", device: str | None = None) -> Arrays:
    """An array library by its name.

    Args:
        library: one of :data:`LIBRARIES`.
        device: as the library names it, for example ``cuda``; None takes its default, which for
            PyTorch is the GPU if there is one.

    Raises:
        SynthError: it is unknown or not installed.
    """
    if library not in LIBRARIES:
        raise SynthError(f"--library {library}: unknown, give one of {', '.join(LIBRARIES)}")
    if library == "numpy":
        return Arrays(np.asarray, np.asarray)
    try:
        module = importlib.import_module(library)
    except ImportError as error:
        raise SynthError(f"--library {library}: not installed; pip install {library}") from error
    if library == "jax":
        place = module.devices(device)[0] if device else None
        return Arrays(
            lambda values: module.device_put(values, place),
            np.asarray,
            lambda: module.default_matmul_precision("highest"),
        )
    place = device or ("cuda" if module.cuda.is_available() else "cpu")
    return Arrays(
        lambda values: module.as_tensor(values, device=place),
        lambda values: np.asarray(values.cpu().numpy()),
    )


class LightSum:
    """A field's pixels under any number of lightings; the field is put on the device once.

    Args:
        codes: ``(3, P, L)`` uint8, see :class:`data_synth.run.field.Field`.
        scale: ``(3, P)`` float32.
        arrays: what adds up.
    """

    def __init__(self, codes: NDArray[np.uint8], scale: Float, arrays: Arrays) -> None:
        self._arrays = arrays
        self._codes = [arrays.put(codes[c]) for c in range(3)]
        self._scale = [arrays.put(scale[c][:, None]) for c in range(3)]
        self._full = arrays.put(FULL)

    def __call__(self, weights: NDArray[Any]) -> Float:
        """Sums ``(N, P, 3)`` float32 for weights ``(N, L, 3)``."""
        weights = np.asarray(weights, np.float32)
        arrays = self._arrays
        result = np.empty((len(weights), len(self._scale[0]), 3), np.float32)
        for c in range(3):
            given = arrays.put(np.ascontiguousarray(weights[..., c].T))
            with arrays.exact():
                root = self._codes[c] / self._full
                total = ((root * root) @ given) * self._scale[c]
            result[..., c] = arrays.take(total).T
        return result
