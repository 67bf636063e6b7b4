# SPDX-License-Identifier: Apache-2.0
"""What the photo itself tells of the light already there: creases, and halves that differ.

The shading network takes too much of a shaded eye socket, a fold or a nose's side for skin. Two
facts tell otherwise: both halves of a face have the same albedo, and faces have much the same
albedo in the same place. What differs from that is light, the more so the more contrast the light
has.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relight.color import channel_mean
from relight.face.mirror import Mirror, reflect

Float = NDArray[np.float32]

DARK = 0.02
"""Linear value below which a pixel's light is not told from noise."""
ODD = 0.8
"""Most of the halves' difference that is light. This and what follows were chosen by the residual
of Extended Yale B's ten people, who lose nothing in soft light."""
ODD_CONTRAST = (0.05, 0.3)
"""Deviation of the shading's odd part over the face, in logarithms, between which that much of it
is believed."""
EVEN = 0.8
"""Most of what both halves differ by from the usual albedo that is light,"""
EVEN_CONTRAST = (0.15, 0.5)
"""and the deviation of the shading's even part between which that much of it is believed."""
LIMIT = 0.25
"""Largest difference, in logarithms, that is believed: what differs more is a beard, a wisp of hair
or a hand. More gains nothing, and lights a moustache."""
FINE = 5.0
"""Width in pixels over which that difference is averaged and taken off: what is wider is told
better by the estimated light, or is the person's own skin."""
SEEN = 0.1
"""Share of the face within :data:`FINE` from which an average is one."""


def fine_shading(
    log_shading: Float, linear: Float, images: Mirror, face: NDArray[np.bool_], other: Float
) -> Float:
    """Shading brought nearer to what the photo shows.

    Args:
        log_shading: ``(R, R, 3)`` natural logarithm of the existing light's shading.
        linear: ``(R, R, 3)`` the photo in linear light.
        images: the mirror images of the face's points, and what is usual there.
        face: ``(R, R)`` the visible face.
        other: ``(R, R)`` in [0, 1] how far a pixel's colour is not the skin's: hair is dark by
            itself.

    Returns:
        ``(R, R, 3)`` float32; the mean of its exponential over the face is as it was.
    """
    trust = images.trust * face
    total = trust.sum()
    if total == 0:
        return log_shading
    grey = channel_mean(log_shading)
    apart = log_brightness(linear) - images.albedo - grey
    both = np.stack([apart, grey], -1)
    mirrored = reflect(both, images)
    even, odd = (both + mirrored) / 2, (both - mirrored) / 2
    weight = trust / total
    fine = even[..., 0] - _average(even[..., 0], trust)
    change = _belief(even[..., 1], weight, EVEN, EVEN_CONTRAST) * np.clip(fine, -LIMIT, LIMIT)
    odd_belief = _belief(odd[..., 1], weight, ODD, ODD_CONTRAST)
    change += odd_belief * np.clip(odd[..., 0], -LIMIT, LIMIT)
    change *= trust * (1 - images.open) * np.where(change < 0, 1 - other, 1)
    found = log_shading + change[..., None]
    level = np.exp(found[face]).mean() / np.exp(log_shading[face]).mean()
    return np.asarray(found - np.log(np.float32(level)), np.float32)


def log_brightness(linear: Float) -> Float:
    """Natural logarithm ``(R, R)`` of a photo's linear light ``(R, R, 3)``, noise left out."""
    return np.asarray(np.log(np.maximum(channel_mean(linear), np.float32(DARK))), np.float32)


def _average(values: Float, trust: Float) -> Float:
    """Values around each pixel of the trusted face."""
    import cv2

    share = cv2.GaussianBlur(trust, (0, 0), FINE)
    near: Float = cv2.GaussianBlur(values * trust, (0, 0), FINE)
    return near / np.maximum(share, np.float32(SEEN))


def _belief(
    shading: Float, weight: Float, most: float, contrast: tuple[float, float]
) -> np.float32:
    """How far the photo is believed where a part of the shading has some contrast."""
    mean = float((shading * weight).sum())
    deviation = float((np.square(shading - mean) * weight).sum()) ** 0.5
    low, high = contrast
    return np.float32(most * min(max((deviation - low) / (high - low), 0.0), 1.0))
