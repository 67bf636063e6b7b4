# SPDX-License-Identifier: Apache-2.0
"""The parts of the networks' model cards that come from no run or evaluation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """Texts about one network.

    Attributes:
        title: of the card.
        purpose: what it is, one paragraph.
        inputs: meaning of each input, by name.
        outputs: likewise.
        loss: what it was trained with.
        figures: those of ``synthetic.json`` that concern it, see
            :data:`training.judge.report.FIGURES`.
        real: of real people, see :data:`training.judge.report.REAL`.
        limits: what it does badly, a sentence each.
    """

    title: str
    purpose: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    loss: str
    figures: tuple[str, ...]
    real: tuple[str, ...]
    limits: tuple[str, ...]


_PHOTO = "the face's crop, sRGB in [0, 1]"
_NORMALS = "unit surface normals, camera frame, 0 outside the person"
LIMITS = (
    "Trained only on synthetic people. Skin, hair, headwear and glasses are procedural; what they"
    " do not show, such as hands in front of the face, veils, face paint or severe scars, was never"
    " seen in training.",
    "Only for faces that Face Mesh finds: not for full profiles or faces under some 24 pixels.",
    "Not made to recognise, rate or sort people, and useless for it.",
)
"""Limits of all three networks, a sentence each."""

CARDS = {
    "normals": Card(
        "Normals network",
        "Surface normals of a person in a portrait. It starts from the normals of MediaPipe's face"
        " mesh, corrects them and extends them to hair, neck and clothes.",
        {"photo": _PHOTO, "mesh": "normals of the face mesh, camera frame, and its mask"},
        {
            "normals": "unit, camera frame (+x image right, +y up, +z to the viewer)",
            "confidence": "expected quality in [0, 1]",
        },
        "Length of the difference to the true normals on the person, the face weighing most; the"
        " confidence learns that error.",
        ("normals_face_deg", "normals_person_deg"),
        ("normals",),
        ("Hair and cloth are given their overall shape; strands and folds are not.",),
    ),
    "lighting": Card(
        "Lighting network",
        "The light around a person as an HDR environment map, estimated with the face as the light"
        " probe. Inside the network the non-negative map is solved for whose Lambert shading comes"
        " closest to the face's; which pixels to trust, their albedo and the light behind the face"
        " are learned.",
        {
            "photo": _PHOTO,
            "normals": _NORMALS,
            "skin": "plain, well exposed skin: no eye, eyebrow or lip, [0, 1]",
        },
        {
            "log_environment": "natural logarithm of radiance in the photo's linear units,"
            " lat-long, camera frame, the middle column behind the camera"
        },
        "Solid-angle weighted error of log radiance, and the error of a diffuse, a matte silver"
        " and a mirror sphere under the map. The weights are averages: 35 % of those that the last"
        " run started from and 65 % of those after its last step (`training/blend.py`).",
        (
            "spheres",
            "diffuse",
            "matte_silver",
            "mirror",
            "spheres_scale_free",
            "dominant_deg",
            "peak_deg",
        ),
        ("light",),
        (
            "The colour of skin and that of the light cannot be told apart; the mean light tends to"
            " be white.",
            "Light from behind hardly reaches the face and is estimated worst.",
            "A beard or stubble is partly taken for light from above: up to ten degrees of error.",
        ),
    ),
    "quotient": Card(
        "Quotient network",
        "The key gain: what a key light from a given direction adds to a portrait, as a fraction"
        " of what is there. With it `Y = X (1 + k c G)` is the relit photo in linear light.",
        {
            "photo": _PHOTO,
            "normals": _NORMALS,
            "visibility": "max(0, n.l) of the light, less the shadows of the face mesh on itself",
            "shading": "logarithm of the existing light's irradiance at each pixel over its mean on"
            " the face",
            "light": "unit vector towards the light, camera frame, and its radius in radians",
        },
        {"gain": "G >= 0 of a white light of unit intensity, linear"},
        "Error of log(1 + k G) at several intensities, and of the added light and the relit"
        " photo, the face weighing most and cast shadows on it four times as much. The weights are"
        " the average of those of earlier runs, those that the last run started from and those"
        " after its last step (`training/blend.py`).",
        (
            "log_gain_face",
            "log_gain_person",
            "residual_face",
            "residual_person",
            "psnr_db",
            "ssim",
        ),
        ("residual", "rmse", "ssim"),
        (
            "It adds light and never removes any: cast shadows of the light already there stay.",
            "Where the photo is clipped or black there is nothing to multiply.",
            "Cast shadows are softer and lighter than real ones: on real people half of Lambert's"
            " light is left in them; in photographs, a sixth.",
        ),
    ),
}
"""The cards by network."""
