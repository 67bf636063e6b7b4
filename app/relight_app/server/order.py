# SPDX-License-Identifier: Apache-2.0
"""What a client of the server orders: reading it from a request, and carrying it out."""

from __future__ import annotations

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
    Result,
    Setup,
    load_photo,
    save_photo,
)
from relight.error import PhotoTooLargeError, UnsupportedPhotoError
from relight.portrait import PREVIEW_SIDE
from relight_app.light_option import (
    check_gloss,
    check_pattern,
    check_strength,
    fill_share,
    parse_light,
)

PHOTO, LIGHT, FILL, STRENGTH, GLOSS = "photo", "light", "fill", "strength", "gloss"
PATTERN, LIKE, KEEP_PROFILE = "pattern", "like", "keep_profile"
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
        uploads: that may be under way at once; they wait in no line yet.
        pause_s: an upload that pauses for longer is broken off.
        upload_s: so is one that takes longer in all.
        lights: that may be added to one photo.
    """

    megabytes: float = 64.0
    megapixels: float = 100.0
    waiting: int = 32
    uploads: int = 32
    pause_s: float = 15.0
    upload_s: float = 300.0
    lights: int = 16


@dataclass(frozen=True)
class Order:
    """A photo and the light to add to it.

    Attributes:
        content: the photo's file.
        megapixels: photos with more are refused.
        lights: to add; None sets the light up automatically.
        pattern: of light, by its name, instead.
        like: file of a portrait whose light is copied instead.
        fill: share of the existing light left on the person; None is automatic.
        strength: factor on the added light.
        keep_profile: whether the photo keeps its own colours rather than become sRGB.
        gloss: factor on the highlights of the added light.
    """

    content: bytes
    megapixels: float
    lights: list[Light] | None = None
    pattern: str | None = None
    like: bytes | None = None
    fill: float | None = None
    strength: float = 1.0
    keep_profile: bool = False
    gloss: float = 1.0

    def __post_init__(self) -> None:
        """Check that the light is set in one way.

        Raises:
            ValueError: if it is set in several.
        """
        if sum(given is not None for given in (self.lights, self.pattern, self.like)) > 1:
            raise ValueError(f"give one of {LIGHT}, {PATTERN} and {LIKE}")

    def photo(self) -> Photo:
        """The photo, decoded.

        Raises:
            HTTPException: 415 if it is not a photo, 413 if it is too large, 422 if it is damaged.
        """
        return self._decoded(self.content, NAME)

    def reference(self) -> Photo | None:
        """The portrait whose light is copied, decoded; raises as :meth:`photo` does."""
        return None if self.like is None else self._decoded(self.like, f"the photo {LIKE!r}")

    def _decoded(self, content: bytes, name: str) -> Photo:
        try:
            return load_photo(
                content,
                max_megapixels=self.megapixels,
                name=name,
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
    result = _result(relighter, order)
    buffer = io.BytesIO()
    save_photo(result, buffer)
    return buffer.getvalue(), MEDIA_TYPES[result.photo.format]


def convert(_: Relighter, order: Order) -> tuple[bytes, str]:
    """The photo as it is, as a JPEG that every browser opens, and its media type."""
    buffer = io.BytesIO()
    save_photo(order.photo(), buffer, format="JPEG")
    return buffer.getvalue(), MEDIA_TYPES["JPEG"]


def analyze(relighter: Relighter, order: Order) -> dict[str, Any]:
    """Faces, the existing light and what is done to it, JSON-ready."""
    return _result(relighter, order, PREVIEW_SIDE).report()


def _result(relighter: Relighter, order: Order, side: int | None = None) -> Result:
    """The photo relit, a preview's size if one is given."""
    reference = order.reference()
    portrait = relighter.look(order.photo())
    if order.lights is not None:
        setup = Setup(tuple(order.lights))
    else:
        like = None if reference is None else relighter.look(reference)
        setup = portrait.suggest(order.pattern, like=like)
    return portrait.render(Setup.of(setup, order.fill).shining(order.gloss), order.strength, side)


def carry_out(task: Callable[[Relighter, Order], T], relighter: Relighter, order: Order) -> T:
    """Do a task.

    Raises:
        HTTPException: if it fails: a status, and a sentence on what went wrong.
    """
    try:
        return task(relighter, order)
    except NoFaceError as error:
        cure = "if there is one, crop closer to it"
        where = f"the photo {LIKE!r}" if LIKE in str(error) else "this photo"
        raise HTTPException(422, f"No face found in {where}; {cure}") from error
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
    like: bytes | None = None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        raise HTTPException(415, f"send the photo as a file: curl -F {PHOTO}=@photo.jpg")
    if kind == "multipart/form-data":
        async with request.form(max_files=2, max_fields=limits.lights + 6) as form:
            content = await _uploaded(form)
            reference = form.get(LIKE)
            if isinstance(reference, UploadFile):
                like = await reference.read()
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
            check_pattern(fields[PATTERN]) if PATTERN in fields else None,
            like,
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
