# SPDX-License-Identifier: Apache-2.0
"""The parts of the networks' model cards that come from no run or evaluation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """Texts about one network, or about two that were trained as one.

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
        networks: that the card is about; without any, the one of its name.
        data: what they were trained on; without words, what its run's ``config.json`` tells.
    """

    title: str
    purpose: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    loss: str
    figures: tuple[str, ...]
    real: tuple[str, ...]
    limits: tuple[str, ...]
    networks: tuple[str, ...] = ()
    data: str = ""


_PHOTO = "the face's crop, sRGB in [0, 1]"
_NORMALS = "unit surface normals, camera frame, 0 outside the person"
LIMITS = (
    "Trained on synthetic people first. Skin, hair, headwear and glasses are procedural; what they"
    " do not show, such as hands in front of the face, veils, face paint or severe scars, was never"
    " seen in training.",
    "Only for faces that Face Mesh finds: not for full profiles or faces under some 24 pixels.",
    "Not made to recognise, rate or sort people, and useless for it.",
)
"""Limits of all networks, a sentence each."""

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
        " closest to the face's; which pixels to trust and their albedo are learned, and judged on"
        " the photo and its mirror image alike.",
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
            "Light from behind hardly reaches the face and is not estimated: there the map has the"
            " least that the fit allows.",
            "A beard or stubble is partly taken for light from above: up to ten degrees of error.",
        ),
    ),
    "gain": Card(
        "Shading and key networks",
        "The key gain: what a key light from a given direction adds to a portrait, as a fraction"
        " of what is there. With it `Y = X (1 + k c G)` is the relit photo in linear light. It is"
        " a quotient, `G = K / S`: the shading network finds S, the shading of the light already"
        " there, once a face; the key network finds K, the diffuse light and the gloss of one key"
        " on this shape, and sees no photo. Both start exactly at a formula"
        " (`training/analytic/formula.py`) and learned bounded changes of it.",
        {
            "photo": f"shading: {_PHOTO}",
            "mirrored": "shading: photo, mean of `shading` and trust, at each point's mirror image"
            " on the face",
            "normals": "both: unit surface normals halfway between the normals network's and the"
            " mesh's, camera frame, 0 outside the person",
            "shading": "shading: logarithm of the estimated light's irradiance at each pixel over"
            " its mean on the face",
            "face": "both: mask of the face mesh",
            "belief": "shading: how far the estimated light's shading is believed, 0.3 to 1.3",
            "unshadowed": "key: share of the light that the face mesh leaves free to be seen",
            "light": "key: unit vector towards the light, camera frame, and its radius in radians",
        },
        {
            "log_shading": "shading: logarithm of S over its mean on the face",
            "key": "key: diffuse light, 1 where a surface faces the key, and gloss over the"
            " radiance of a white surface facing it",
        },
        "Both together, as one quotient: residual of the key's own picture at the best scale; the"
        " same picture encoded as eyes see it, and its edges, at four scales, cast shadows weighing"
        " four times as much. The runs are listed in [training-log.md](../training-log.md).",
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
            "Cast shadows are those of the face mesh: of glasses, hands and hair there are none.",
            "Rendered skin shines less than real skin: the runtime doubles the gloss.",
        ),
        networks=("shading", "key"),
        data="People made by the virtual Light Stage (`data_synth`, see"
        " [light-stage.md](../light-stage.md)): heads of ICT-FaceKit, 100 pixels high, photographed"
        " under one light at a time and relit by HDR maps and lamps. On three faces of five lies"
        " the albedo pattern of one of 302 real ones, from unlabelled portraits of free licence."
        " Half of the weights went on from there on unlabelled portraits of 468 people, public"
        " domain and CC0, dimmed and lit again by estimated keys (`training/split/real`).",
    ),
}
"""The cards by name."""
