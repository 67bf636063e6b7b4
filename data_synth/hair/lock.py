# SPDX-License-Identifier: Apache-2.0
"""Locks of hair: neighbours on the scalp that hang together, in wisps and in locks of wisps.

Reference:
    Choe and Ko 2005, "A Statistical Wisp Model and Pseudophysical Approaches for Interactive
    Hairstyle Generation".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Index = NDArray[np.int64]

WISP_STRANDS = 16
LOCK_STRANDS = 110
"""Strands of a wisp and of a lock: a lock is one to two centimetres wide at the scalp, as in
portraits."""
FREE_SHARE = 0.05
"""Strands of the scalp that belong to no lock: fly-aways."""
MAX_PULL = 0.95
APART_CM = 40.0
"""Further than any two roots: how far a parting sets them apart."""


@dataclass(frozen=True)
class Locks:
    """Which of ``N`` strands hang together.

    Attributes:
        wisp: ``(N,)`` the strand that leads each one's wisp.
        lock: ``(N,)`` the strand that leads its lock.
        free: ``(N,)`` bool: fly-aways.
    """

    wisp: Index
    lock: Index
    free: NDArray[np.bool_]

    def spread(self, values: NDArray[Any], own: float) -> NDArray[np.float64]:
        """Values ``(N, ...)`` shared within wisps; a share ``own`` is each strand's.

        The variance stays that of the values where they are independent.
        """
        middle = values.mean(0)
        shared = (values[self.wisp] - middle) * np.sqrt(1 - own**2) + (values - middle) * own
        free = self.free.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(middle + np.where(free, values - middle, shared), np.float64)

    def pull(self, strands: Float, leader: Index, strength: NDArray[Any]) -> Float:
        """Strands ``(N, K, 3)`` drawn to those that lead them by ``strength`` ``(N, K, 1)``."""
        strength = np.where(self.free[:, None, None], 0, np.minimum(strength, MAX_PULL))
        root = strands[:, :1]
        offset = (root - root[leader]) * (1 - 0.6 * strength)
        return strands * (1 - strength) + (strands[leader] + offset) * strength

    def extended(self, wisp: Index) -> Locks:
        """With more strands behind these, in wisps of their own numbered ``wisp`` ``(M,)``."""
        count = len(self.wisp)
        wisp = np.unique(wisp, return_index=True)[1][np.unique(wisp, return_inverse=True)[1]]
        more = count + wisp
        return Locks(
            np.concatenate([self.wisp, more]),
            np.concatenate([self.lock, more]),
            np.concatenate([self.free, np.zeros(len(wisp), bool)]),
        )


def gather_locks(
    position: Float,
    rng: np.random.Generator,
    beyond: NDArray[np.bool_] | None = None,
    free_share: float = FREE_SHARE,
) -> Locks:
    """Gather strands by where they grow.

    Args:
        position: ``(N, 3)`` of the roots.
        rng: draws the leaders and the fly-aways.
        beyond: ``(N,)`` whether they lie beyond a parting, which no lock crosses.
        free_share: of the strands are fly-aways.
    """
    from scipy.spatial import cKDTree

    number = len(position)
    place = np.asarray(position, np.float64)
    if beyond is not None:
        place = np.concatenate([place, np.where(beyond[:, None], APART_CM, 0.0)], 1)

    def leaders(strands: int) -> Index:
        chosen = rng.choice(number, max(1, number // strands), replace=False)
        return np.asarray(chosen[cKDTree(place[chosen]).query(place)[1]], np.int64)

    wisp = leaders(WISP_STRANDS)
    lock = leaders(LOCK_STRANDS)[wisp]  # wisps are not torn apart
    return Locks(wisp, lock, rng.random(number) < free_share)
