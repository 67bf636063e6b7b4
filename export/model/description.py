# SPDX-License-Identifier: Apache-2.0
"""What the networks' inputs and outputs mean, for metadata, manifest and readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

LICENSE = "Apache-2.0"
AUTHOR = "The Portrait Relight authors"


@dataclass(frozen=True)
class Tensor:
    """An input or output.

    Attributes:
        content: what its numbers are.
        low: least value.
        high: largest value; ``inf`` without bound.
        space: colour space or coordinate frame.
        image: whether it is a picture to look at.
    """

    content: str
    low: float
    high: float
    space: str
    image: bool = False


@dataclass(frozen=True)
class Description:
    """A network.

    Attributes:
        purpose: one sentence.
        inputs: by name.
        outputs: by name.
    """

    purpose: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    def tensor(self, name: str) -> Tensor:
        """An input or output by its name."""
        return self.inputs[name] if name in self.inputs else self.outputs[name]


CAMERA_FRAME = "camera frame: right-handed, +x image right, +y up, +z towards the viewer"
_SRGB = "sRGB, encoded as in the file (IEC 61966-2-1)"
_LINEAR = "linear light, sRGB primaries, 1.0 = the photo's white"

_PHOTO = Tensor(
    "the face's crop: a square 2.4 times the larger side of the face mesh's bounding box, around"
    " its centre; the photo's edge pixels repeat outside it",
    0,
    1,
    _SRGB,
    image=True,
)
_NORMALS = Tensor(
    "unit surface normals times the probability that the pixel is part of a person",
    -1,
    1,
    CAMERA_FRAME,
)
_SURFACE = replace(
    _NORMALS,
    content="unit normals between the network's and the face mesh's, times the probability that the"
    " pixel is part of a person",
)
_FACE = Tensor("the face mesh drawn into the crop: 1 on it, 0 outside", 0, 1, "none")

DESCRIPTIONS: dict[str, Description] = {
    "normals": Description(
        "Surface normals of the person in a portrait.",
        {
            "photo": _PHOTO,
            "mesh": Tensor(
                "unit normals of the face mesh drawn into the crop and, fourth, its mask; 0"
                " outside the face mesh",
                -1,
                1,
                CAMERA_FRAME,
            ),
        },
        {
            "normals": Tensor("unit surface normals", -1, 1, CAMERA_FRAME),
            "confidence": Tensor("trust in the normals", 0, 1, "none"),
        },
    ),
    "lighting": Description(
        "The light around the person, estimated with the face as the light probe.",
        {
            "photo": _PHOTO,
            "normals": _NORMALS,
            "skin": Tensor("plain, well exposed skin: no eye, eyebrow or lip", 0, 1, "none"),
        },
        {
            "log_environment": Tensor(
                "natural logarithm of radiance, lat-long: row 0 is up, the middle column is at the"
                " camera, image right is at the map's left",
                float("-inf"),
                float("inf"),
                f"{_LINEAR}; {CAMERA_FRAME}",
            )
        },
    ),
    "shading": Description(
        "The shading of the light already there, by which a key light's is divided.",
        {
            "photo": _PHOTO,
            "mirrored": Tensor(
                "what each pixel's mirror image on the face has: photo (three, sRGB), mean of"
                " `shading` over its colours, and the trust in it: 0 outside the face mesh and"
                " where the image is turned away",
                -2.5,
                2.5,
                "none",
            ),
            "normals": _SURFACE,
            "shading": Tensor(
                "natural logarithm of the irradiance that the estimated light makes on the normals,"
                " over its luminance's mean on the face; 0 outside the person",
                -2.5,
                2.5,
                _LINEAR,
            ),
            "face": _FACE,
            "belief": Tensor("how far the estimated light's shading is believed", 0.3, 1.3, "none"),
        },
        {
            "log_shading": Tensor(
                "natural logarithm of the shading already there, over its mean on the face",
                float("-inf"),
                float("inf"),
                _LINEAR,
            )
        },
    ),
    "key": Description(
        "What one white key light does to a face of known shape: diffuse light and gloss. With"
        " log_shading and the photo's level they make the key gain; the relit photo is photo x (1 +"
        " intensity x colour x gain), in linear light.",
        {
            "normals": _SURFACE,
            "unshadowed": Tensor(
                "share of the light that the face mesh leaves free to be seen from there; 1 outside"
                " the face mesh",
                0,
                1,
                "none",
            ),
            "face": _FACE,
            "light": Tensor(
                "unit vector from the person towards the light, and the light's radius in radians",
                -1,
                1,
                CAMERA_FRAME,
            ),
        },
        {
            "key": Tensor(
                "diffuse shading, 1 where a surface faces the light, and gloss over the radiance of"
                " a white surface facing it",
                0,
                float("inf"),
                _LINEAR,
            )
        },
    ),
}
