# SPDX-License-Identifier: Apache-2.0
"""What each network's training samples are drawn from.

The same photos, crops and disturbances serve all three networks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from data_synth.sample.pair_ranges import PairRanges
from relight.stage.view import FINE, SIDE


@dataclass(frozen=True)
class DataConfig:
    """What training samples are drawn from.

    Attributes:
        batch: samples of a batch.
        views: views of a block.
        pairs: pairs made of each view for a block.
        reuse: times that each pair is used, mirrored at random.
        grey: share of photos without colour.
        tight: share of photos cut just around the face, their edges repeated outside, with the
            landmarks that Face Mesh finds there.
        outlined: share of photos in which the outline is known, and not the face mesh alone.
        mesh_tilt_deg: deviation of the rotations by which the face mesh's normals are turned about
            the image's axes for the normals network, as Face Mesh misjudges a real head's pose.
        mesh_depth: deviation of the logarithm of a factor on the mesh's depth, for the same reason.
        normal_error: largest strength of the smooth error on the normals that the lighting and
            quotient networks are given.
        shading_error: largest strength of a smooth error on the logarithm of the estimated shading,
            and deviation of a factor on its contrast, as light is estimated worse on real people.
        told: share of photos for which the quotient network is given normals with a random error
            and the true light instead of estimates.
        seed: of all randomness.
        pair: what pairs are drawn from.
    """

    batch: int = 16
    views: int = 32
    pairs: int = 32
    reuse: int = 4
    grey: float = 0.2
    tight: float = 0.35
    outlined: float = 0.85
    mesh_tilt_deg: float = 3.0
    mesh_depth: float = 0.1
    normal_error: float = 0.35
    shading_error: float = 0.3
    told: float = 0.15
    seed: int = 0
    pair: PairRanges = field(
        default_factory=lambda: PairRanges(
            resolution=SIDE, photo_scale=FINE, azimuth_deg=100, dominant=0.6, fill=(0.02, 0.5)
        )
    )

    @property
    def batches_per_block(self) -> int:
        """Number of batches in a block."""
        return max(1, self.views * self.pairs * self.reuse // self.batch)


class Network(StrEnum):
    """Names of the networks."""

    NORMALS = "normals"
    LIGHTING = "lighting"
    QUOTIENT = "quotient"


_OTHER_RELIEF = DataConfig(pair=replace(DataConfig().pair, relief=0.6))

DRAWS: dict[str, DataConfig] = {
    Network.NORMALS: _OTHER_RELIEF,
    Network.QUOTIENT: _OTHER_RELIEF,
    Network.LIGHTING: DataConfig(
        grey=0.35,
        tight=0.4,
        outlined=0.6,
        pair=PairRanges(
            resolution=SIDE,
            photo_scale=FINE,
            azimuth_deg=100,
            dominant=0.8,
            flash=0.25,
            upended=0.5,
            lamp_elevation_deg=(-55, 55),
            stubble=0.55,
            zones=0.7,
        ),
    ),
}
"""What each network is trained on; the test split always has the default draws. Real faces differ
more in their relief than the few rendered heads. The lighting network must read the light from the
face, and not from the background, colours, beards or where lamps usually are."""
