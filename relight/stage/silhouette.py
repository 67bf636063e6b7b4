# SPDX-License-Identifier: Apache-2.0
"""Where a person ends: what two looks at them agree on, and for the rest what colours tell.

The segmentation sees a person twice, near around the head and from further off around the body.
Each look leaves holes and takes along patches of the background, and knows that it is unsure there;
the other one is seldom wrong in the same place. What then is left in doubt goes to whom the colours
around it belong.

Reference: He et al. 2013, "Guided Image Filtering"; a pixel counts here as far as it is certain.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight.geometry import Crop, shrink, smoothstep

Float = NDArray[np.float32]

SEEN_SIDE = 256
"""Side of the squares that a person is looked for on, pixels;"""
COLOR_SIDE = 64
"""of that on which it is told what colours a person has."""
NEARER = 4.0
"""The look at the head counts so many times what the wider one does where both are as certain: it
sees the face six times as large in area. With equal weights the wall under a chin in profile was a
person's; with 8 the arm at the square's border is lost."""
UNSEEN = 1e-4
"""What a look counts for that knows nothing: then the other one decides."""
AROUND = 6
"""Colours are compared with those of so many pixels around on the smaller square, a tenth of it."""
UNSURE = 0.03
"""What a pixel in doubt counts for there: colours that no certain pixel has keep their place."""
COLOR_EDGE = 5e-3
"""Variance of colours, sRGB, below which they tell nobody apart."""
DOUBT = (0.25, 0.9)
"""Certainty, ``|2 p - 1|`` of a probability p, between which colours cease to be asked."""


class Look(NamedTuple):
    """What is seen of a person on a square.

    Attributes:
        crop: the square.
        pixels: ``(256, 256, 3)`` uint8 sRGB.
        person: ``(256, 256)`` float32 probability in [0, 1] of a person.
    """

    crop: Crop
    pixels: NDArray[np.uint8]
    person: Float


def silhouette(near: Look, wide: Look) -> tuple[Float, Float]:
    """The person on the squares of two looks, ``(256, 256)`` each, as both together tell.

    Args:
        near: around the head.
        wide: around the body, turned alike.
    """
    from_wide = wide.crop.onto_crop(wide.person, near.crop, SEEN_SIDE, 0.5)
    from_near = near.crop.onto_crop(near.person, wide.crop, SEEN_SIDE, 0.5)
    return (
        settled(near.pixels, agreed(near.person, from_wide)),
        settled(wide.pixels, agreed(from_near, wide.person)),
    )


def agreed(near: Float, wide: Float) -> Float:
    """The mean of two looks' probabilities of any one shape, each weighed by its own certainty."""
    weight, beside = np.square(2 * near - 1), np.square(2 * wide - 1)
    weight *= np.float32(NEARER)
    weight += np.float32(UNSEEN)
    beside += np.float32(UNSEEN)
    mean: Float = (near * weight + wide * beside) / (weight + beside)
    return mean


def settled(pixels: NDArray[np.uint8], person: Float) -> Float:
    """A person of whom nothing is in doubt that colours can tell.

    Around each pixel the person is fitted linearly to the colours, by the pixels that are certain.

    Args:
        pixels: ``(256, 256, 3)`` uint8 sRGB.
        person: ``(256, 256)`` probability in [0, 1].
    """
    import cv2

    certainty = np.abs(2 * person - 1)
    doubt = 1 - smoothstep(certainty, *DOUBT)
    if not doubt.any():
        return person
    colors = pixels.astype(np.float32) / 255
    factor = len(person) // COLOR_SIDE
    fitted = _fit(shrink(colors, factor), shrink(person, factor))
    grown = cv2.resize(fitted, person.shape, interpolation=cv2.INTER_LINEAR)
    told = grown[..., 3] + np.einsum("yxc,yxc->yx", grown[..., :3], colors)
    result: Float = person + doubt * (np.clip(told, 0, 1) - person)
    return result


def _fit(colors: Float, person: Float) -> Float:
    """Factors on red, green and blue and an offset, ``(h, w, 4)``, that tell a person around."""
    import cv2

    def mean(values: Float) -> Float:
        window = (2 * AROUND + 1,) * 2
        return np.asarray(cv2.blur(values, window, borderType=cv2.BORDER_REFLECT_101))

    red, green, blue = cv2.split(colors)
    weight = np.square(np.square(2 * person - 1)) + np.float32(UNSURE)
    total = mean(weight)
    parts = [red, green, blue, person]
    pairs = [(i, j) for i in range(3) for j in range(i, 4)]
    r, g, b, p = (mean(weight * part) / total for part in parts)
    means = (r, g, b, p)
    rr, rg, rb, rp, gg, gb, gp, bb, bp = (
        mean(weight * parts[i] * parts[j]) / total - means[i] * means[j] for i, j in pairs
    )
    rr, gg, bb = (plane + np.float32(COLOR_EDGE) for plane in (rr, gg, bb))
    # Cramer's rule, as the ports have it.
    irr, irg, irb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    igg, igb, ibb = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    scale = 1 / (rr * irr + rg * irg + rb * irb)
    red_slope = (irr * rp + irg * gp + irb * bp) * scale
    green_slope = (irg * rp + igg * gp + igb * bp) * scale
    blue_slope = (irb * rp + igb * gp + ibb * bp) * scale
    offset = p - red_slope * r - green_slope * g - blue_slope * b
    found = cv2.merge([red_slope, green_slope, blue_slope, offset])
    grown: Float = mean(found * total[..., None]) / mean(total)[..., None]
    return grown
