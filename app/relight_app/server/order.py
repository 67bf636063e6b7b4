# SPDX-License-Identifier: Apache-2.0
"""What a client of the server orders: reading it from a request, and carrying it out."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.datastructures import FormData, ImmutableMultiDict, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from relight import (
    Light,
    NoFaceError,
    Photo,
    PhotoError,
    Relighter,
    RelightError,
    load_photo,
    save_photo,
)
from relight.error import PhotoTooLargeError, UnsupportedPhotoError
from relight_app.light_option import check_gloss, check_strength, fill_share, parse_light

PHOTO, LIGHT, FILL, STRENGTH, GLOSS = "photo", "light", "fill", "strength", "gloss"
KEEP_PROFILE = "keep_profile"
"""Names of a request's fields."""
NAME = "the photo"
"""How messages call the uploaded file."""
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
}

T = TypeVar("T")
Default = TypeVar("Default", float, None)
Fields = ImmutableMultiDict[str, Any]


@dataclass(frozen=True)
class Limits:
    """What a request may ask for.

    Attributes:
        megabytes: size of a request's body.
        megapixels: size of a photo once it is decoded.
        waiting: photos that may wait in line; further ones are refused.
        lights: that may be added to one photo.
    """

    megabytes: float = 64.0
    megapixels: float = 100.0
    waiting: int = 32
    lights: int = 16


@dataclass(frozen=True)
class Order:
    """A photo and the light to add to it.

    Attributes:
        content: the photo's file.
        megapixels: photos with more are refused.
        lights: to add; None places one automatically.
        fill: share of the existing light left on the person; None is automatic.
        strength: factor on the added light.
        keep_profile: whether the photo keeps its own colours rather than become sRGB.
        gloss: factor on the highlights of the added light.
    """

    content: bytes
    megapixels: float
    lights: list[Light] | None = None
    fill: float | None = None
    strength: float = 1.0
    keep_profile: bool = False
    gloss: float = 1.0

    def photo(self) -> Photo:
        """The photo, decoded.

        Raises:
            HTTPException: 415 if it is not a photo, 413 if it is too large, 422 if it is damaged.
        """
        try:
            return load_photo(
                self.content,
                max_megapixels=self.megapixels,
                name=NAME,
                keep_profile=self.keep_profile,
            )
        except UnsupportedPhotoError as error:
            raise HTTPException(415, str(error)) from error
        except PhotoTooLargeError as error:
            raise HTTPException(413, str(error)) from error
        except PhotoError as error:
            raise HTTPException(422, str(error)) from error


def relight(relighter: Relighter, order: Order) -> tuple[bytes, str]:
    """The relit photo as a file of the same format, and its media type."""
    photo = order.photo()
    result = relighter.relight(photo, order.lights, order.fill, order.strength, order.gloss)
    buffer = io.BytesIO()
    save_photo(result, buffer)
    return buffer.getvalue(), MEDIA_TYPES[photo.format]


def analyze(relighter: Relighter, order: Order) -> dict[str, Any]:
    """Faces, the existing light and the light to add, JSON-ready."""
    result = relighter.relight(order.photo(), order.lights, order.fill, 0, order.gloss)
    return dataclasses.replace(result, strength=order.strength).report()


def carry_out(task: Callable[[Relighter, Order], T], relighter: Relighter, order: Order) -> T:
    """Do a task.

    Raises:
        HTTPException: if it fails: a status, and a sentence on what went wrong.
    """
    try:
        return task(relighter, order)
    except NoFaceError as error:
        cure = "if there is one, crop closer to it"
        raise HTTPException(422, f"No face found in this photo; {cure}") from error
    except RelightError as error:
        raise HTTPException(500, str(error)) from error
    except MemoryError as error:
        raise HTTPException(413, f"there is not enough memory for {NAME}; shrink it") from error


async def read(request: Request, limits: Limits) -> Order:
    """A request's photo and light: a form with a file, or the file itself as the body.

    Raises:
        HTTPException: 4xx, with a sentence on what is wrong.
    """
    fields: Fields = request.query_params
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        raise HTTPException(415, f"send the photo as a file: curl -F {PHOTO}=@photo.jpg")
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=limits.lights + 6) as form:
            content = await _uploaded(form)
            texts = [(k, v) for k, v in form.multi_items() if isinstance(v, str)]
            fields = ImmutableMultiDict([*request.query_params.multi_items(), *texts])
    else:
        content = await request.body()
    if not content:
        raise HTTPException(400, f"there is no photo in the request; send it as field {PHOTO!r}")
    try:
        return Order(
            content,
            limits.megapixels,
            _lights(fields, limits.lights),
            fill_share(_number(fields, FILL, None)),
            check_strength(_number(fields, STRENGTH, 1.0)),
            _switch(fields, KEEP_PROFILE),
            check_gloss(_number(fields, GLOSS, 1.0)),
        )
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


async def _uploaded(form: FormData) -> bytes:
    file = form.get(PHOTO)
    if not isinstance(file, UploadFile):
        raise HTTPException(400, f"the form has no file named {PHOTO!r}")
    return await file.read()


def _lights(fields: Fields, most: int) -> list[Light] | None:
    texts = fields.getlist(LIGHT)
    if len(texts) > most:
        raise ValueError(f"at most {most} lights, got {len(texts)}")
    return [parse_light(text) for text in texts] or None


def _switch(fields: Fields, name: str) -> bool:
    text = fields.get(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise ValueError(f"{name} must be true or false, not {text!r:.40}")
    return text in ("true", "1")


def _number(fields: Fields, name: str, default: Default) -> float | Default:
    text = fields.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"{name} must be a number, not {text!r:.40}") from error
