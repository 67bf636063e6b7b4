# SPDX-License-Identifier: Apache-2.0
"""Open, on-device Portrait Light: adds a studio key light to portrait photos.

>>> from relight import Relighter, load_photo, save_photo
>>> with Relighter() as relighter:
...     portrait = relighter.look(load_photo("portrait.jpg"))
>>> result = portrait.render(portrait.suggest())
>>> save_photo(result, "portrait.relit.jpg")

Importing this package loads no model, no interpreter and no OpenCV; their first use does.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - pip refuses older ones, a checkout does not
    raise ImportError(
        f"Portrait Relight needs Python 3.11 or newer; this is {sys.version.split()[0]}"
    )

from importlib import metadata as _metadata

from relight.environment import Environment
from relight.error import EnvironmentFileError, NoFaceError, PhotoError, RelightError
from relight.face.face import Face
from relight.light import Light
from relight.photo.file import Photo, load_photo, save_photo
from relight.portrait import Portrait
from relight.relighter import Relighter
from relight.result import Result
from relight.setup import Setup
from relight.stage.analysis import Analysis

try:
    __version__ = _metadata.version("portrait-relight")
except _metadata.PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"

__all__ = [
    "Analysis",
    "Environment",
    "EnvironmentFileError",
    "Face",
    "Light",
    "NoFaceError",
    "Photo",
    "PhotoError",
    "Portrait",
    "RelightError",
    "Relighter",
    "Result",
    "Setup",
    "__version__",
    "load_photo",
    "save_photo",
]
