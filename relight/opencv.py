# SPDX-License-Identifier: Apache-2.0
"""Whether the OpenCV installed here is whole: several wheels own the folder ``cv2`` together."""

from __future__ import annotations

import functools

from relight.error import RelightError

CURE = (
    "pip uninstall -y opencv-python opencv-contrib-python opencv-python-headless"
    " opencv-contrib-python-headless && pip install 'opencv-contrib-python-headless<6'"
)


class OpenCVError(RelightError):
    """OpenCV is missing, broken, or another wheel of it lies over the one needed."""


@functools.cache
def check_opencv() -> None:
    """See that OpenCV loads and has what is needed; after the first time this costs nothing.

    Raises:
        OpenCVError: if it does not; names the cure.
    """
    try:
        import cv2
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise OpenCVError(f"OpenCV cannot be loaded ({reason}): {CURE}") from error
    # What a removed wheel leaves behind imports as an empty package, and most wheels of OpenCV lack
    # the guided filter.
    if not hasattr(cv2, "warpAffine") or not hasattr(
        getattr(cv2, "ximgproc", None), "guidedFilter"
    ):
        place = ", ".join(cv2.__path__)
        raise OpenCVError(f"{place}: not the OpenCV that is needed here: {CURE}")
