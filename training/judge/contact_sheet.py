# SPDX-License-Identifier: Apache-2.0
"""Contact sheets of photos before and after, to look at after every change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from relight import Light, Relighter, load_photo
from relight.error import NoFaceError, PhotoError
from relight.storage import whole_file
from training.judge.look.light_figure import LightFigure, light_figure

CELL = 360
"""Height of a picture on the sheet, pixels."""
CAPTION = 34
COLUMNS = 4
ROWS_PER_PAGE = 6
BACKGROUND = (24, 24, 24)
SIDES = (Light(-50, 30, 1.0), Light(50, 30, 1.0))
"""Lights shown beside the automatic one; strong lights reveal faults."""
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic"}


def contact_sheet(
    relighter: Relighter, folder: Path, out: Path
) -> tuple[list[Path], list[LightFigure]]:
    """Relight every photo of a folder and draw pages of photo | automatic | left | right.

    Captions name photos without a face and photos that cannot be read.

    Args:
        relighter: to relight with.
        folder: photos; other files are left out.
        out: existing folder for ``photos-1.jpg``, ``photos-2.jpg``, ...

    Returns:
        The pages, and what the automatic light did to each photo.

    Raises:
        PhotoError: if the folder holds no photo.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise PhotoError(f"{folder}: no photos here; give a folder of JPEG or PNG files")
    figures: list[LightFigure] = []
    strips = [_strip(relighter, path, figures) for path in paths]
    pages = []
    for number, page in enumerate(_pages(strips), 1):
        target = out / f"photos-{number}.jpg"
        with whole_file(target) as temporary:
            Image.fromarray(page).save(temporary, quality=85)
        pages.append(target)
    return pages, figures


def _strip(relighter: Relighter, path: Path, figures: list[LightFigure]) -> NDArray[np.uint8]:
    """One row ``(CELL + CAPTION, COLUMNS * CELL, 3)`` of the sheet."""
    canvas = Image.new("RGB", (COLUMNS * CELL, CELL + CAPTION), BACKGROUND)
    caption = path.name
    try:
        photo = load_photo(path)
        portrait = relighter.look(photo)
        automatic = portrait.render(portrait.suggest())
        figures.append(light_figure(automatic))
        results = [automatic, *(portrait.render(light) for light in SIDES)]
        pictures = [photo.rgb8, *(photo.with_rgb(result.image).rgb8 for result in results)]
        caption += f"  ·  {automatic.reason}"
    except NoFaceError:
        pictures = [photo.rgb8]
        caption += "  ·  no face found"
    except PhotoError as error:
        pictures, caption = [], str(error)
    for column, picture in enumerate(pictures):
        image = Image.fromarray(picture)
        image.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
        canvas.paste(image, (column * CELL + (CELL - image.width) // 2, (CELL - image.height) // 2))
    font = ImageFont.load_default(13)
    ImageDraw.Draw(canvas).text((6, CELL + 8), caption[:200], (220, 220, 220), font)
    return np.asarray(canvas)


def _pages(strips: list[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(strips), ROWS_PER_PAGE):
        yield np.concatenate(strips[start : start + ROWS_PER_PAGE])
