# SPDX-License-Identifier: Apache-2.0
"""How much like light the added key looks on real people: what no mean error shows.

The key's own picture, photo times gain, is compared with the photograph under that lamp alone. A
soft blur in the right place has a small residual and looks like no lamp at all: its cast shadows
are filled, its highlights are missing and its fine structure is not the skin's.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from relight import Light, Relighter
from relight.color import linear_to_srgb
from relight.face.mesh import POINTS
from training.judge import metric, yaleb
from training.judge.yaleb import Capture

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

WHITE_OF = 99.5
"""The photo's brightest pixels, this percentile of them, become white."""
RIM = 5
"""Side of the square by which the face's outline is eroded."""
SEEN_BY = 15
"""Lamps that must show a pixel plainly for its albedo to be known."""
PLAIN = (0.04, 0.97)
"""A capture's values between which it shows a pixel plainly,"""
FRONTAL = 0.15
"""under a lamp whose unit vector has at least this z."""
LIT = 0.08
"""Least light, by Lambert's law, where a key's shadows and highlights are looked for."""
SHADOWED = 0.2
"""Share of Lambert's light below which the photograph is in cast shadow."""
SHINING = (1.5, 0.25)
"""Factor on Lambert's light, and value, above which it shines."""
FEWEST_SHADOWED, FEWEST_SHINING = 60, 25
"""Pixels without which a key tells nothing of these."""
FINE_PX = 4.0
"""Deviation of the blur over which structure is fine."""
EXPOSED_OF = 98
"""The key's own pictures are compared with this percentile of the photograph as white."""

SSIM = "ssim"
SHADOW = "shadow_left"
HIGHLIGHT = "highlight"
DETAIL = "detail"
CORRELATION = "detail_corr"
NAMES = (SSIM, SHADOW, HIGHLIGHT, DETAIL, CORRELATION)
"""Similarity of the key's own picture, sRGB-encoded; light left in cast shadows over Lambert's;
excess over Lambert's light where the photograph shines, over the excess photographed; deviation of
the fine structure over the photographed one's, and the correlation of both."""

PHOTOGRAPHED = "photographed"
LAMBERT = "Lambert, true normals and albedo"


def judge_key_look(
    methods: Mapping[str, Relighter], capture: Capture, truth: tuple[Float, Float]
) -> dict[str, dict[str, float]]:
    """The figures of :data:`NAMES`, means over all keys, by row; NaN where no key tells.

    Args:
        methods: what is judged, by row.
        capture: the subject, lit by all lamps at once and relit by each alone.
        truth: normals ``(H, W, 3)`` and albedo ``(H, W)``.

    Returns:
        By row: the methods', :data:`LAMBERT` and :data:`PHOTOGRAPHED`; empty if no face is found.
    """
    ambient = capture.images.mean(0)
    photo = yaleb.as_photo(ambient / np.percentile(ambient, WHITE_OF))
    faces = next(iter(methods.values())).find_faces(photo)
    if not faces:
        return {}
    mask = _outline(faces[0].landmarks, photo.shape)
    known = _known(capture)
    found: dict[str, dict[str, list[float]]] = {}
    analyses = {row: method.analyze(photo, faces[0]) for row, method in methods.items()}
    for index in capture.key_indices():
        seen = capture.images[index]
        light = Light(capture.azimuths_deg[index], capture.elevations_deg[index])
        lambert = truth[1] * np.maximum(truth[0] @ light.direction, 0)
        usable = mask & (seen < yaleb.BRIGHTEST)
        added = {LAMBERT: lambert, PHOTOGRAPHED: seen}
        for row, method in methods.items():
            gain = yaleb.from_photo(method.key_gain(analyses[row], light)).mean(-1)
            own = ambient * gain
            added[row] = own * np.float32(metric.best_scale(own, seen, usable))
        for row, own in added.items():
            figures = key_figures(own, seen, lambert, mask, usable & known)
            for name, value in figures.items():
                found.setdefault(row, {}).setdefault(name, []).append(value)
    return {
        row: {name: float(np.mean(values)) for name, values in by_name.items()}
        for row, by_name in found.items()
    }


def key_figures(
    own: Float, seen: Float, lambert: Float, mask: Mask, known: Mask
) -> dict[str, float]:
    """The figures of one key that it tells of.

    Args:
        own: ``(H, W)`` linear, the key's own picture at the best scale.
        seen: ``(H, W)`` the photograph.
        lambert: ``(H, W)`` what Lambert's law gives.
        mask: ``(H, W)`` the face.
        known: ``(H, W)`` where it is neither clipped nor its albedo unknown.
    """
    result = {}
    usable = mask & (seen < yaleb.BRIGHTEST)
    lit = known & (lambert > LIT)
    cast = lit & (seen < SHADOWED * lambert)
    if cast.sum() > FEWEST_SHADOWED:
        result[SHADOW] = float((own[cast] / lambert[cast]).mean())
    shining = lit & (seen > SHINING[0] * lambert) & (seen > SHINING[1])
    if shining.sum() > FEWEST_SHINING:
        excess = (own - lambert)[shining].sum() / (seen - lambert)[shining].sum()
        result[HIGHLIGHT] = float(excess)
    white = np.percentile(seen[usable], EXPOSED_OF)
    pictures = [np.clip(linear_to_srgb(x / white), 0, 1).astype(np.float32) for x in (own, seen)]
    result[SSIM] = metric.ssim(pictures[0] * mask, pictures[1] * mask, mask)
    fine = [_fine(picture)[usable] for picture in pictures]
    deviation = [float(np.sqrt((x.astype(float) ** 2).mean())) for x in fine]
    result[DETAIL] = deviation[0] / max(deviation[1], 1e-9)
    result[CORRELATION] = float(np.corrcoef(fine[0], fine[1])[0, 1])
    return result


def _fine(picture: Float) -> Float:
    import cv2

    smooth: Float = cv2.GaussianBlur(picture, (0, 0), FINE_PX)
    return picture - smooth


def _outline(landmarks: Float, shape: tuple[int, ...]) -> Mask:
    """The face's outline, on the tight crop, without its rim."""
    import cv2

    drawn = np.zeros(shape[:2], np.float32)
    hull = cv2.convexHull(landmarks[:POINTS, :2].astype(np.float32)).astype(np.int32)
    inside = yaleb.from_photo(cv2.fillConvexPoly(drawn, hull, 1.0)) > 0.5
    mask: Mask = cv2.erode(inside.astype(np.uint8), np.ones((RIM, RIM), np.uint8)) > 0
    return mask


def _known(capture: Capture) -> Mask:
    """Where enough lamps show a pixel plainly."""
    low, high = PLAIN
    ahead = (capture.lights[:, 2] > FRONTAL)[:, None, None]
    plain = (capture.images > low) & (capture.images < high) & ahead
    known: Mask = plain.sum(0) > SEEN_BY
    return known
