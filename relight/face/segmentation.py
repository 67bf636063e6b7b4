# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's selfie segmentation: which pixels are part of a person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relight.face.mirror import brighter_left
from relight.models.library import Models

Float = NDArray[np.float32]

MODEL, INPUT, OUTPUT = "person", "input_1", "activation_10"
SIDE = 256
"""Of the network's input, pixels."""


def person(models: Models, image: NDArray[np.uint8]) -> Float:
    """Probability in [0, 1] that a pixel is part of a person, ``(H, W)`` float32.

    As the other networks it is asked about one of an image and its mirror image alone: the one that
    is brighter to image left, in which it sees more of an arm that the photo's border cuts.

    Args:
        models: what runs the network.
        image: ``(H, W, 3)`` uint8 sRGB; a square of 256 pixels loses nothing.

    Raises:
        ValueError: for another shape or dtype, or no pixels.
    """
    import cv2

    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"expected uint8 HxWx3, got {image.dtype} {image.shape}")
    height, width = image.shape[:2]
    across = 1 if brighter_left(image) else -1
    seen = image[:, ::across].astype(np.float32) / 255
    if (height, width) != (SIDE, SIDE):
        seen = cv2.resize(seen, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    mask = np.clip(models.run(MODEL, {INPUT: seen})[OUTPUT][..., 0], 0, 1)
    if (height, width) != (SIDE, SIDE):
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
    result: Float = mask[:, ::across]
    return result
