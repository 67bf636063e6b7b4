# SPDX-License-Identifier: Apache-2.0
"""The HTTP API's description, for people and for client generators (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

from relight import __version__
from relight.light import BRIGHTEST, SOFTEST_DEG
from relight.placement.recipe import PATTERNS
from relight_app.light_option import DARKEST_FILL
from relight_app.server.order import (
    FILL,
    GLOSS,
    KEEP_PROFILE,
    LIGHT,
    LIKE,
    MEDIA_TYPES,
    PATTERN,
    PHOTO,
    STRENGTH,
    Limits,
)

_BINARY = {"type": "string", "format": "binary"}
_NUMBER = {"type": "number"}
_TEXT = {"type": "string"}
_PLACE = {"azimuth_deg": _NUMBER, "elevation_deg": _NUMBER}


def describe(limits: Limits) -> dict[str, Any]:
    """The API as an OpenAPI document, JSON-ready.

    Args:
        limits: of requests.
    """
    size = f"At most {limits.megabytes:g} megabytes and {limits.megapixels:g} megapixels."
    relit = {kind: {"schema": _BINARY} for kind in MEDIA_TYPES.values()}
    account = {"application/json": {"schema": {"$ref": "#/components/schemas/Analysis"}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Portrait Relight",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Adds a studio key light to portrait photos, on this machine.",
        },
        "paths": {
            "/relight": {
                "post": _operation(
                    "relight",
                    "Relight a photo",
                    f"The same photo, format and EXIF with light added. {size}",
                    relit,
                    limits,
                )
            },
            "/convert": {
                "post": _operation(
                    "convert",
                    "Convert a photo",
                    "The photo as it is, as JPEG: for browsers that cannot open its kind. "
                    f"Lights are not looked at. {size}",
                    {MEDIA_TYPES["JPEG"]: {"schema": _BINARY}},
                    limits,
                )
            },
            "/analyze": {
                "post": _operation(
                    "analyze",
                    "Analyze a photo",
                    f"Its faces, its existing light and the light that would be added. {size}",
                    account,
                    limits,
                )
            },
        },
        "components": {"schemas": {"Analysis": _ANALYSIS, "Error": _object(error=_TEXT)}},
    }


def _operation(
    name: str, summary: str, description: str, content: dict[str, Any], limits: Limits
) -> dict[str, Any]:
    fields = {
        LIGHT: _lights(limits),
        PATTERN: _PATTERN,
        FILL: _FILL,
        STRENGTH: _STRENGTH,
        GLOSS: _GLOSS,
        KEEP_PROFILE: _KEEP_PROFILE,
    }
    form = {
        "type": "object",
        "required": [PHOTO],
        "properties": {PHOTO: _BINARY, LIKE: _REFERENCE, **fields},
    }
    whole = {"schema": _BINARY}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "parameters": [
            {"name": key, "in": "query", "required": False, "schema": schema}
            for key, schema in fields.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                "image/*": whole,
                "application/octet-stream": whole,
            },
        },
        "responses": {
            "200": {"description": "Done.", "content": content},
            **{code: {"description": text, "content": error} for code, text in _FAILURES.items()},
        },
    }


def _lights(limits: Limits) -> dict[str, Any]:
    return {
        "type": "array",
        "maxItems": limits.lights,
        "items": {"type": "string", "examples": ["-45,30", "40,30,0.8,warm,25"]},
        "description": (
            "AZ,EL[,K[,COLOR[,SOFTNESS]]]: azimuth in degrees, > 0 from the right of the picture;"
            " elevation; intensity; #rrggbb, 3200K or a name;"
            f" radius in degrees up to {SOFTEST_DEG:g}. Without any, the light is set up by itself."
        ),
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_PATTERN = {
    "type": "string",
    "enum": list(PATTERNS),
    "description": "A pattern of portrait light, with its own fill.",
}
_REFERENCE = {
    **_BINARY,
    "description": "A portrait whose light is copied: direction from the head, ratio, warmth.",
}
_STRENGTH = {
    "type": "number",
    "minimum": 0,
    "maximum": BRIGHTEST,
    "default": 1,
    "description": "Factor on all added light; 0 keeps the photo's pixels.",
}
_FILL = {
    "type": "number",
    "minimum": DARKEST_FILL,
    "maximum": 0,
    "description": "Stops of the existing light kept on the person: -1 halves it.",
}
_GLOSS = {
    "type": "number",
    "minimum": 0,
    "maximum": BRIGHTEST,
    "default": 1,
    "description": "Factor on the highlights that the light makes on skin and hair; 0 is matte.",
}
_KEEP_PROFILE = {
    "type": "boolean",
    "default": False,
    "description": "Keep the photo's own colours and profile instead of converting it to sRGB.",
}
_FAILURES = {
    "400": "No photo in the request, or a malformed form.",
    "408": "The photo did not arrive in time.",
    "413": "The photo is too large.",
    "415": "Not a photo, or of a kind that cannot be read.",
    "422": "No face, a damaged photo, or a light out of range.",
    "503": "Too many photos in line.",
}
_ANALYSIS = _object(
    photo=_TEXT,
    width={"type": "integer"},
    height={"type": "integer"},
    profile=_TEXT,
    strength=_NUMBER,
    fill=_NUMBER,
    reason=_TEXT,
    lights=_list(
        _object(
            **_PLACE,
            intensity=_NUMBER,
            color=_list(_NUMBER),
            softness_deg=_NUMBER,
            gloss=_NUMBER,
            reason=_TEXT,
        )
    ),
    faces=_list(
        _object(
            box=_list(_NUMBER),
            yaw_deg=_NUMBER,
            pitch_deg=_NUMBER,
            roll_deg=_NUMBER,
            existing_light=_object(**_PLACE),
            key_to_fill_before=_NUMBER,
            key_to_fill_after=_NUMBER,
            share=_NUMBER,
        )
    ),
    timings_s={"type": "object", "additionalProperties": _NUMBER},
)
