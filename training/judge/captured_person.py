# SPDX-License-Identifier: Apache-2.0
"""What is measured of one real person of Extended Yale B."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight import Analysis, Light, Relighter
from relight.color import linear_to_srgb
from relight.face.face import Face
from relight.geometry import angle_between, normalize, rolled
from relight.stage.view import SIDE
from training.judge import metric, yaleb
from training.judge.look.captured_face import captured_faces
from training.judge.look.key_look import judge_key_look
from training.judge.yaleb import Capture

Float = NDArray[np.float32]

EXPOSURE = 0.18
"""Mean linear value that photos are scaled to before sRGB images are compared."""
FRONTAL = 0.2
"""Single lamps are judged for their direction when the z of their unit vector is above this."""
FEWEST = 20
"""Pixels in cast shadow without which a key does not tell of them."""
SPOILED = 0.15
"""Residual that true normals and albedo leave of a capture whose lamp or face moved: the ten people
that choices are made by have two such captures, with .26 and .28, and else none over .06."""
HEIGHTS = {"below -25": (-90.0, -25.0), "-25 to 25": (-25.0, 25.0), "above 25": (25.0, 90.1)}
"""Elevations of keys, degrees, that are told apart."""


@dataclass(frozen=True)
class SubjectFigures:
    """One subject's figures. Rows are the stages judged and what they are compared with.

    Attributes:
        subject: folder name.
        normals_deg: of the stages judged: mean angle to photometric-stereo normals inside the face
            mesh, mean of the softly lit photos.
        residual: energy of the added light's error at the best scale, per kind of softly lit photo
            and row.
        rmse: sRGB error of those photos + key of unit intensity, per row, no scale fitted.
        ssim: its structural similarity.
        light_deg: of the stages judged: angle from the dominant direction to the lamp, mean of
            single-lamp photos.
        faces_found: share of those photos in which the face was found; the others use the
            landmarks of the ambient photo.
        hard: residual per kind of hard-lit photo and row.
        analytic: ``normals_deg`` and ``light_deg`` of the analytic stages, where they are not the
            ones judged.
        albedo: mean true albedo inside the face mesh, comparable between subjects.
        doubt_deg: what true normals are uncertain by, see :func:`yaleb.stereo_doubt_deg`.
        shadow: share of Lambert's light that is left where a key's light is cast into shadow, per
            row, and where it is photographed (:data:`PHOTO`).
        key_look: how much like light the key alone looks, figures of
            :mod:`training.judge.look.key_look` by row.
        heights: residual in softly lit photos by the key's elevation (:data:`HEIGHTS`) and row,
            without captures that are spoiled.
        known: where true normals are known, mean angles to them: of the stages judged
            (:data:`STAGES`) and of photometric stereo (:data:`STEREO`); else empty.
    """

    subject: str
    normals_deg: float
    residual: dict[str, dict[str, float]]
    rmse: dict[str, float]
    ssim: dict[str, float]
    light_deg: float
    faces_found: float
    hard: dict[str, dict[str, float]] = field(default_factory=dict)
    analytic: dict[str, float] = field(default_factory=dict)
    albedo: float = 0.0
    doubt_deg: float = 0.0
    shadow: dict[str, float] = field(default_factory=dict)
    known: dict[str, float] = field(default_factory=dict)
    key_look: dict[str, dict[str, float]] = field(default_factory=dict)
    heights: dict[str, dict[str, float]] = field(default_factory=dict)


STEREO = "photometric stereo"
STAGES = "stages"
"""Row of the stages judged."""
ANALYTIC = "analytic stages"
FORMULA = "formula"
"""The untrained formula, on normals and light of the stages judged."""
MEAN = "mean of stages and formula"
PHOTO = "photographed"
TRUTH = "true normals and albedo"
"""By Lambert's law, without cast shadows."""
TOLD = "stages told true normals"
"""What would be left with normals that are right: the existing light is still estimated."""


def judge_subject(methods: Mapping[str, Relighter], capture: Capture) -> SubjectFigures:
    """All figures of one subject; the stages run through the public interface.

    Args:
        methods: :data:`STAGES` and, to compare, others by row.
        capture: the subject.

    Raises:
        yaleb.DatasetError: if no face is found even in the ambient photo.
    """
    truth = yaleb.photometric_stereo(capture)
    residual: dict[str, dict[str, list[float]]] = {}
    rmse: dict[str, list[float]] = {}
    ssim: dict[str, list[float]] = {}
    angles: dict[str, list[float]] = {name: [] for name in methods}
    known: dict[str, list[float]] = {}
    shadow: dict[str, list[float]] = {}
    heights: dict[str, dict[str, list[float]]] = {}
    reference: Face | None = None
    for captured in captured_faces(methods[STAGES], capture):
        kind, linear, mask = captured.kind, captured.linear, captured.mask
        reference = reference or captured.analysis.face
        analyses = {
            name: captured.analysis
            if name == STAGES
            else method.analyze(captured.photo, captured.analysis.face)
            for name, method in methods.items()
        }
        analyses[TOLD] = _told(analyses[STAGES], truth[0])
        scaled = linear * (EXPOSURE / linear[mask].mean())
        irradiance = float((scaled / np.maximum(truth[1], 0.02))[mask].mean())
        if kind in yaleb.MIXED_KINDS:
            found = {
                name: normalize(yaleb.from_photo(np.nan_to_num(analysis.normals)))
                for name, analysis in analyses.items()
                if name in methods
            }
            for name, normals in found.items():
                angles[name].append(metric.normal_error_deg(normals, truth[0], mask))
            if capture.normals is not None:
                person = mask & capture.normals.any(-1)
                for row, normals in ((STAGES, found[STAGES]), (STEREO, truth[0])):
                    angle = metric.normal_error_deg(normals, capture.normals, person)
                    known.setdefault(row, []).append(angle)
        for index in capture.key_indices():
            lamp = capture.images[index]
            light = Light(capture.azimuths_deg[index], capture.elevations_deg[index])
            lambert = truth[1] * np.maximum(truth[0] @ light.direction, 0)
            gains = {
                name: yaleb.from_photo(method.key_gain(analyses[name], light))[..., 0]
                for name, method in {**methods, TOLD: methods[STAGES]}.items()
            }
            added = {
                "no light": np.zeros_like(scaled),
                "Lambert, photo as albedo": scaled
                * np.maximum(captured.mesh_normals @ light.direction, 0),
                **{name: scaled * gain for name, gain in reversed(gains.items())},
                TRUTH: lambert * irradiance,
            }
            usable = captured.usable(lamp)
            expected = linear_to_srgb(scaled + lamp * irradiance)
            for row, light_added in added.items():
                flat = scaled if row == "no light" else light_added
                by_row = residual.setdefault(kind, {}).setdefault(row, [])
                by_row.append(metric.added_light_residual(flat, lamp, usable))
                if kind in yaleb.MIXED_KINDS:
                    image = linear_to_srgb(scaled + light_added)
                    rmse.setdefault(row, []).append(metric.rmse(image, expected, usable))
                    ssim.setdefault(row, []).append(metric.ssim(image, expected, usable))
            if kind in yaleb.MIXED_KINDS and residual[kind][TRUTH][-1] < SPOILED:
                band = heights.setdefault(height_of(light.elevation_deg), {})
                for row, values in residual[kind].items():
                    band.setdefault(row, []).append(values[-1])
            cast = usable & metric.cast_shadow(lamp, lambert, truth[1])
            if kind in yaleb.MIXED_KINDS and cast.sum() >= FEWEST:
                for row in (*gains, PHOTO):
                    light_added = lamp if row == PHOTO else added[row]
                    scale = metric.best_scale(light_added, lamp, usable)
                    left = scale * light_added[cast].sum() / lambert[cast].sum()
                    shadow.setdefault(row, []).append(float(left))
    own = {row: method for row, method in methods.items() if row in (STAGES, ANALYTIC)}
    light_deg, faces_found = _judge_lamps(own, capture, reference)
    means = {kind: _means(rows) for kind, rows in residual.items()}
    normals_deg = _means(angles)
    return SubjectFigures(
        capture.name,
        normals_deg[STAGES],
        {kind: means[kind] for kind in yaleb.MIXED_KINDS},
        _means(rmse),
        _means(ssim),
        light_deg[STAGES],
        faces_found,
        {kind: means[kind] for kind in yaleb.HARD_KINDS},
        {"normals_deg": normals_deg[ANALYTIC], "light_deg": light_deg[ANALYTIC]}
        if ANALYTIC in methods
        else {},
        float(truth[1][mask].mean()),
        yaleb.stereo_doubt_deg(capture, mask),
        _means(shadow),
        _means(known),
        judge_key_look(methods, capture, truth),
        {height: _means(heights[height]) for height in HEIGHTS if height in heights},
    )


def height_of(elevation_deg: float) -> str:
    """Which of :data:`HEIGHTS` a key is at."""
    return next(name for name, (low, high) in HEIGHTS.items() if low <= elevation_deg < high)


def _told(analysis: Analysis, normals: Float) -> Analysis:
    """An analysis that knows the normals of the tight crop ``(H, W, 3)`` inside the face mesh."""
    crop = analysis.face.crop
    known = rolled(crop.extract(yaleb.onto_photo(normals), SIDE), -crop.roll)
    inside = analysis.view.face[..., None]
    return replace(analysis, crop_normals=normalize(np.where(inside, known, analysis.crop_normals)))


def _judge_lamps(
    methods: Mapping[str, Relighter], capture: Capture, reference: Face | None
) -> tuple[dict[str, float], float]:
    """Mean angle of each method's dominant direction to the lamps, and the share of faces found."""
    errors: dict[str, list[float]] = {name: [] for name in methods}
    found = []
    for image, lamp in zip(capture.images, capture.lights, strict=True):
        if lamp[2] <= FRONTAL:
            continue
        photo = yaleb.as_photo(image)
        faces = methods[STAGES].find_faces(photo)
        found.append(bool(faces))
        face = faces[0] if faces else reference
        assert face is not None  # noqa: S101
        for name, method in methods.items():
            seen = method.analyze(photo, face).environment.dominant_direction()
            errors[name].append(float(np.degrees(angle_between(seen, lamp))))
    return _means(errors), float(np.mean(found))


def _means(lists: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: float(np.mean(values)) for name, values in lists.items()}


def mean_figures(figures: list[SubjectFigures]) -> SubjectFigures:
    """The mean of all subjects, every one counting alike."""

    def mean(values: list[Any]) -> Any:
        if isinstance(values[0], dict):
            shared = [key for key in values[0] if all(key in value for value in values)]
            return {key: mean([value[key] for value in values]) for key in shared}
        return float(np.mean(values))

    columns = [asdict(item) for item in figures]
    return SubjectFigures(
        subject="mean",
        **{
            key: mean([column[key] for column in columns]) for key in columns[0] if key != "subject"
        },
    )
