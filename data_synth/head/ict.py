# SPDX-License-Identifier: Apache-2.0
"""People with heads of ICT-FaceKit: 100 shapes of identity, 53 of expression.

References:
    Li et al. 2020, "Learning Formation of Physically-Based Face Attributes", CVPR.
    https://github.com/USC-ICT/ICT-FaceKit (MIT).
"""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_synth.head.head import Head, Part, eye_uv
from data_synth.head.ict_model import CURE, FEWEST_VERTICES, IDENTITIES, IctModel, load_model
from data_synth.person import HeadSource
from data_synth.trait import SubjectRanges, Traits, generator

Float = NDArray[np.float32]

_REGIONS = (
    # first vertex of each region of the neutral mesh, and which part of our head it becomes
    (0, Part.FACE),
    (9409, Part.NECK),
    (11248, Part.MOUTH),
    (13294, Part.SOCKET),
    (14062, Part.GUM),
    (17039, Part.TEETH),
    (21451, Part.EYE),  # outer shell of the left eye, cornea included
    (22221, None),  # iris behind the cornea: painted on the outer shell instead
    (23021, Part.EYE),
    (23791, None),
    (24591, None),  # tear film, shells for game engines, lash cards (they become strands)
)
LASHES = (25351, 26035, FEWEST_VERTICES)
"""First vertices of the lash cards of either eye, and the end of the last."""
_LASH_CURVES, _LASH_POINTS = 19, 6


class IctSource(HeadSource):
    """Heads of the morphable model."""

    name = "ict"
    about = "heads of ICT-FaceKit's morphable model"
    needs = "a checkout of ICT-FaceKit"
    cure = CURE

    def make_head(
        self, seed: int, assets: Path | None, ranges: SubjectRanges, traits: Traits
    ) -> Head:
        """See :meth:`HeadSource.make_head`."""
        model = load_model(self.folder(assets))
        rng = generator(self.name, seed, "identity")
        identity = ranges.identity_deviation * rng.standard_normal(IDENTITIES)
        extra = generator(self.name, seed, "extra expression")
        weights = expression_weights(traits, ranges.extra_expression, extra)
        return make_head(model, identity.astype(np.float32), weights)


def make_head(model: IctModel, identity: Float, expression: dict[str, float]) -> Head:
    """One person's head.

    Args:
        model: from :func:`load_model`.
        identity: ``(100,)`` weights of the identity shapes, about N(0, 1).
        expression: weight in [0, 1] of each expression shape by its name; absent names are 0.
    """
    posed = model.mean + np.tensordot(
        np.asarray(identity, np.float32), model.identity.astype(np.float32), 1
    )
    for name, weight in expression.items():
        if weight and name in model.names:
            posed = posed + np.float32(weight) * model.expression[model.names.index(name)]
    # A tenth of a micrometre: what sums in another order would change is rounded away.
    posed = np.round(posed, 5).astype(np.float32)
    part = _vertex_part(len(posed))[model.faces[:, 0]]
    kept = part != 255
    faces, part, uv = model.faces[kept], part[kept], model.uv[kept].copy()
    used, compact = np.unique(faces, return_inverse=True)
    faces = compact.reshape(-1, 3).astype(np.int32)
    canonical = model.mean[used]
    skin = part <= Part.SOCKET
    # Face and neck have a unit square each, side by side; one skin texture holds both.
    uv[skin, :, 0] *= 0.5
    eye = part == Part.EYE
    uv[eye] = eye_uv(canonical[faces[eye].ravel()]).reshape(-1, 3, 2)
    uv[~skin & ~eye] %= 1.0
    curves, lid = _lash_curves(model)
    return Head(
        vertices=posed[used],
        canonical=canonical,
        faces=faces,
        uv=np.clip(uv, 0, 1).astype(np.float32),
        part=part.astype(np.uint8),
        landmarks=posed[model.landmarks],
        lashes=posed[curves],
        lash_lid=lid,
        aspect=2,
    )


PRESETS: dict[str, dict[str, float]] = {
    "neutral": {},
    "smile": {"mouthSmile": 0.75, "cheekSquint": 0.4, "eyeSquint": 0.15},
    "grin": {
        "mouthSmile": 0.85,
        "mouthUpperUp": 0.4,
        "mouthLowerDown": 0.3,
        "jawOpen": 0.08,
        "eyeSquint": 0.3,
        "cheekSquint": 0.4,
    },
    "frown": {"browDown": 0.8, "mouthFrown": 0.5},
    "surprise": {"browInnerUp": 0.8, "browOuterUp": 0.7, "eyeWide": 0.5, "jawOpen": 0.25},
    "smirk": {"mouthSmile_L": 0.65, "mouthDimple_L": 0.4},
    "pucker": {"mouthPucker": 0.7},
    "squint": {"eyeSquint": 0.8, "browDown": 0.4, "cheekSquint": 0.5, "noseSneer": 0.2},
    "speak": {"jawOpen": 0.22, "mouthFunnel": 0.25, "mouthLowerDown": 0.2},
    "closed": {"eyeBlink": 1.0},
}
"""Expressions; a name without side stands for both sides."""

_NO_EXTRA = ("eyeLook", "Pupil", "jaw", "eyeBlink", "mouthClose", "mouthLeft", "mouthRight")
_GAZE_FULL_DEG = 30.0
"""Turn of the eyes at weight 1 of the model's eyeLook shapes."""


def expression_weights(traits: Traits, extra: float, rng: np.random.Generator) -> dict[str, float]:
    """Weights of the expression shapes for drawn traits.

    Args:
        traits: preset, its strength, gaze.
        extra: largest weight of three further shapes.
        rng: draws these.
    """
    weights: dict[str, float] = {}

    def add(name: str, weight: float) -> None:
        one_sided = name.endswith(("_L", "_R")) or name not in _PAIRED
        for full in [name] if one_sided else [f"{name}_L", f"{name}_R"]:
            weights[full] = weights.get(full, 0.0) + weight

    closed = traits.expression == "closed"
    for name, weight in PRESETS[traits.expression].items():
        add(name, weight * (1.0 if closed else traits.expression_strength))
    free = sorted(n for n in _PAIRED if not n.startswith(_NO_EXTRA))
    for name in rng.choice(free, 3, replace=False):
        side = str(rng.choice(["", "_L", "_R"]))
        add(f"{name}{side}", float(rng.uniform(0, extra)))
    right, up = (g / _GAZE_FULL_DEG for g in traits.gaze_deg)
    for name, weight in (
        ("eyeLookOut_L", right),
        ("eyeLookIn_R", right),
        ("eyeLookIn_L", -right),
        ("eyeLookOut_R", -right),
        ("eyeLookUp", up),
        ("eyeLookDown", -up),
    ):
        add(name, max(weight, 0.0))
    return {k: min(v, 1.0) for k, v in weights.items()}


_PAIRED = frozenset(
    [
        "browDown",
        "browInnerUp",
        "browOuterUp",
        "cheekPuff",
        "cheekSquint",
        "cheekRaiser",
        "eyeBlink",
        "eyeLookDown",
        "eyeLookUp",
        "eyeSquint",
        "eyeWide",
        "mouthDimple",
        "mouthFrown",
        "mouthLowerDown",
        "mouthPress",
        "mouthSmile",
        "mouthStretch",
        "mouthUpperUp",
        "noseSneer",
    ]
)


def _vertex_part(count: int) -> NDArray[np.uint8]:
    """Part of each vertex; 255 where it is left out."""
    part = np.full(count, 255, np.uint8)
    for (start, kind), (end, _) in zip(_REGIONS, [*_REGIONS[1:], (count, None)], strict=True):
        part[start:end] = 255 if kind is None else kind
    return part


@functools.lru_cache(maxsize=1)
def _lash_curves(model: IctModel) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Vertices of the lash cards as curves, root first, and the lid of each."""
    from scipy import sparse
    from scipy.sparse import csgraph

    curves: list[NDArray[Any]] = []
    lids: list[NDArray[Any]] = []
    flat_uv = np.zeros((len(model.mean), 2), np.float32)
    flat_uv[model.faces.ravel()] = model.uv.reshape(-1, 2)
    for start, end in itertools.pairwise(LASHES):
        faces = model.faces[(model.faces[:, 0] >= start) & (model.faces[:, 0] < end)]
        edges = np.concatenate([faces[:, :2], faces[:, 1:]]) - start
        graph = sparse.coo_matrix(
            (np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(end - start,) * 2
        )
        _, label = csgraph.connected_components(graph, directed=False)
        for k in np.unique(label):
            card = np.flatnonzero(label == k) + start
            if len(card) != _LASH_CURVES * _LASH_POINTS:
                continue
            card = card[np.argsort(flat_uv[card, 0], kind="stable")].reshape(_LASH_CURVES, -1)
            card = np.stack([row[np.argsort(flat_uv[row, 1], kind="stable")] for row in card])
            center = [3.094 * np.sign(model.mean[card[0, 0], 0]), 3.614, 7.887]
            away = np.linalg.norm(model.mean[card] - center, axis=2).mean(0)
            curves.append(card if away[0] < away[-1] else card[:, ::-1])
            lids.append(np.full(_LASH_CURVES, len(lids)))
    if not curves:
        return np.zeros((0, _LASH_POINTS), np.int32), np.zeros(0, np.int32)
    return np.concatenate(curves).astype(np.int32), np.concatenate(lids).astype(np.int32)
