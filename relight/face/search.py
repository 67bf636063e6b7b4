# SPDX-License-Identifier: Apache-2.0
"""Finding all faces of a photo: upright or not, small, dark, or filling the frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from relight.face import landmark
from relight.face.detector import CONFIDENCE, FULL, SHORT, Detection, Layout
from relight.face.face import Face
from relight.face.landmark import Fit
from relight.face.mirror import brighter_left, mirrored_landmarks
from relight.face.perception import Perception
from relight.face.region import Pyramid, Region, whole
from relight.face.tone import Tones, brightened, lifted

Float = NDArray[np.float32]
Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]

SMALLEST_FACE = 24
"""Faces narrower than this many pixels of the photo are not worth a light."""
TILE_BELOW = 0.2
"""If no face is wider than this share of the photo's longer side, it is searched in tiles too,"""
ALONE = 0.12
"""but not if the only face is wider than this: that is a portrait, not a group."""
TILES = (2, 4)
"""Tiles a side, the second only when the first show no face;"""
TILE_OVERLAP = 1.25
"""and a tile's side over its share of the photo."""
WIDER = 1.6
"""Faces that fill the frame are also looked for from further away, by this factor."""
LOOKS = 6
"""Face Mesh looks again where it has seen a face, at most so often,"""
STILL = 1.0
"""until its landmarks move by less than this on average, pixels of its input. On ten people of
Extended Yale B under 17 lights each, in tight crops, one look errs by 3.0 % of the face's width on
average, six by 1.5 %."""
HOPELESS = 1e-4
"""Two looks of less presence than this are the last."""
PRESENT = 0.5
"""Least presence of a face."""
SURE = 0.9
"""A look of at least this presence replaces an earlier one, whatever that one's presence, and no
other way to look at the face is tried."""
SIZES = (0.8, 1.25)
"""Other sizes at which a doubtful face is looked at, over the detection's."""
KEY_LANDMARKS = ((468,), (473,), (1,), (13, 14))
"""Landmarks whose means lie where the detectors' first key points do: eyes, nose tip, mouth."""
NEAR = 1.5
"""A mesh is checked by the short-range detector in a view larger than the mesh's by this."""
ASTRAY = 0.12
"""A mesh further than this from the detector's key points, on average, as a share of its size, is
tried again from there. Of 71 faces of real photos 66 lie within 0.06; in a row of heads two meshes
that lay between two neighbours had 0.18 and 0.26."""
FAR = 0.25
"""A mesh further than this has not been seen again by the detector: a cat's eye taken for a face
had 0.48, people in hard light and profile 0.23 at most."""
DETECTED = 10.0
"""Evidence of a person is the logit of the presence at one more look, plus this times what the
detection's score exceeds the least,"""
CONFIRMED = 5.0
"""plus this times the score with which the short-range detector sees the face again."""
LEAST_EVIDENCE = 2.0
"""People have more: 3.2 at least on 71 faces of real photos, profiles and dark skin among them, and
all but two of 340 views of Extended Yale B, lit by a single lamp 70 degrees aside. Of 16 faces seen
in animals and things, 12 have less than 4."""
LEAST_TURNED = 8.0
"""The same for faces that lie or hang: upright ones have 15 and more, animals seen so 6 at most."""
SETTLED = 10.0
"""Logit of the presence above which one more look is not worth its time."""
STRONG = 16.0
"""Evidence that shows the photo's heads to be upright: none are looked for that lie or hang. Most
faces of real photos have 16 to 19, chins of hanging heads taken for faces 15.7 at most."""
SAME = 0.3
"""Faces that overlap by this share of the smaller are one."""
SEEN = 0.5
"""A detection that overlaps by this share with a face is of that face."""
LEAST_OVERLAP = 0.2
"""A mesh that overlaps with its detection by less than this share is of another face."""


@dataclass(frozen=True)
class _View:
    """One way to look for faces.

    Attributes:
        layout: which detector.
        region: where it looks.
        tones: what is done to the picture's tones.
        repeat: whether the photo's edge repeats outside it; else it is black there.
        turned: for heads that lie or hang: more evidence is asked for, and only one look closer.
    """

    layout: Layout
    region: Region
    tones: Tones | None = None
    repeat: bool = False
    turned: bool = False


@dataclass(frozen=True)
class _Seen:
    """A face, and the evidence that it is a person's."""

    face: Face
    evidence: float


def find(perception: Perception, rgb: Image) -> list[Face]:
    """All faces of a photo, largest first.

    Args:
        perception: MediaPipe's models.
        rgb: ``(H, W, 3)`` uint8 sRGB.

    Returns:
        Faces at least :data:`SMALLEST_FACE` pixels wide; empty when there is none.
    """
    height, width = rgb.shape[:2]
    if min(height, width) < SMALLEST_FACE:
        return []
    photo = Pyramid(rgb)
    small = max(0, math.floor(math.log2(max(rgb.shape[:2]) / FULL.side)))
    photo.mirrored = brighter_left(photo.level(min(small, photo.finest)))
    seen: list[_Seen] = []
    for views in _upright(photo.shape):
        if not seen:
            _look(perception, photo, views, seen)
    for views in _turned(photo.shape):
        # What looks a little like a face may be the chin of one that hangs.
        if _strongest(seen) < STRONG:
            others: list[_Seen] = []
            _look(perception, photo, views, others)
            seen = max(seen, others, key=_strongest)
    widest = max((one.face.box[2] for one in seen), default=0.0)
    if widest <= (ALONE if len(seen) == 1 else TILE_BELOW) * max(height, width):
        for count in TILES:
            if _look(perception, photo, _tiles(photo.shape, count), seen):
                break
    faces = sorted((one.face for one in seen), key=lambda face: -face.size)
    return [_reflected(face, photo.shape) for face in faces] if photo.mirrored else faces


def _reflected(face: Face, shape: tuple[int, ...]) -> Face:
    """A face that was found in the mirror image of a photo of ``shape`` (H, W, ...)."""
    landmarks = mirrored_landmarks(face.landmarks, shape[1])
    return Face.from_landmarks(landmarks, shape, face.presence)


def confirm(perception: Perception, photo: Pyramid, detection: Detection) -> Face | None:
    """The face that a detector sees in a whole photo, if it is one after all.

    Args:
        perception: MediaPipe's models.
        photo: the photo.
        detection: what the full-range detector sees in it.
    """
    known: list[_Seen] = []
    _take_up(perception, photo, detection, _View(FULL, whole(photo.shape)), known)
    return known[0].face if known else None


def _strongest(seen: list[_Seen]) -> float:
    return max((one.evidence for one in seen), default=-math.inf)


def _upright(shape: tuple[int, ...]) -> Iterator[list[_View]]:
    """Ways to look at the whole photo, each for photos in which those before found no face."""
    frame = whole(shape)
    close = [
        _View(SHORT, frame),
        _View(SHORT, replace(frame, side=WIDER * frame.side), repeat=True),
    ]
    yield [_View(FULL, frame)]
    yield close
    yield [replace(view, tones=brightened) for view in (_View(FULL, frame), *close)]


def _turned(shape: tuple[int, ...]) -> Iterator[list[_View]]:
    """The same for faces that lie or hang, which detectors hardly see."""
    for quarters in (2, 1, 3):
        turned = whole(shape, quarters * math.pi / 2)
        yield [_View(layout, turned, turned=True) for layout in (FULL, SHORT)]


def _tiles(shape: tuple[int, ...], count: int) -> list[_View]:
    """Overlapping parts of the photo, each larger in the detector's view than in the whole."""
    height, width = (TILE_OVERLAP * side / count for side in shape[:2])
    return [
        _View(FULL, Region(x, y, max(height, width)))
        for y in np.linspace(height / 2, shape[0] - height / 2, count)
        for x in np.linspace(width / 2, shape[1] - width / 2, count)
    ]


def _look(perception: Perception, photo: Pyramid, views: list[_View], known: list[_Seen]) -> bool:
    """Add the faces seen; whether a detector saw any, known or not."""
    found = [
        (detection, view)
        for view in views
        for detection in perception.boxes(
            photo, view.region, layout=view.layout, tones=view.tones, repeat=view.repeat
        )
    ]
    for detection, view in sorted(found, key=lambda one: -one[0].score):
        _take_up(perception, photo, detection, view, known)
    return bool(found)


def _take_up(
    perception: Perception, photo: Pyramid, detection: Detection, view: _View, known: list[_Seen]
) -> None:
    """Add the face of a detection, if it is one and not known yet."""
    box = detection.box
    if box[2] < SMALLEST_FACE or any(overlap(box, one.face.box) > SEEN for one in known):
        return
    fit, evidence = _fit(perception, photo, detection, view)
    if fit is None:
        return
    face = Face.from_landmarks(fit.landmarks, photo.shape, fit.presence)
    if face.box[2] < SMALLEST_FACE or any(overlap(face.box, one.face.box) >= SAME for one in known):
        return
    known.append(_Seen(face, evidence))


def _fit(
    perception: Perception, photo: Pyramid, detection: Detection, view: _View
) -> tuple[Fit | None, float]:
    """Landmarks of a detected person's face, if there is one after all, and the evidence of it."""
    best: Fit | None = None
    most = LEAST_TURNED if view.turned else LEAST_EVIDENCE
    for region in islice(_regions(detection), 1 if view.turned else None):
        fit = _until_still(perception, photo, region)
        if fit is None or fit.presence < PRESENT:
            continue
        fit, again = _checked(perception, photo, fit, view.tones)
        if overlap(_bounds(fit.landmarks), detection.box) <= LEAST_OVERLAP:
            continue
        # An animal's face, too, looks like a person's in one of many ways.
        evidence = _steady(perception, photo, fit) + CONFIRMED * again
        evidence += DETECTED * (detection.score - CONFIDENCE)
        if evidence >= most:
            best, most = fit, evidence
        if best is not None and best.presence >= SURE:
            break
    return best, most


def _checked(
    perception: Perception, photo: Pyramid, fit: Fit, tones: Tones | None
) -> tuple[Fit, float]:
    """A face seen by the detector once more, upright and from near, and set right if need be.

    Returns:
        The better fit, and the detector's score; 0 if it sees no face there.
    """
    region = landmark.region_again(fit.landmarks)
    near = replace(region, side=NEAR * region.side)
    seen = perception.boxes(photo, near, layout=SHORT, tones=tones, repeat=True)
    if not seen:
        return fit, 0.0
    detection = min(seen, key=lambda one: _strayed(fit, one))
    strayed = _strayed(fit, detection)
    if strayed > ASTRAY:
        other = _until_still(perception, photo, landmark.region_of(detection))
        if other is not None and other.presence >= min(fit.presence, SURE):
            other_strayed = _strayed(other, detection)
            if other_strayed < strayed:
                fit, strayed = other, other_strayed
    return fit, detection.score if strayed <= FAR else 0.0


def _steady(perception: Perception, photo: Pyramid, fit: Fit) -> float:
    """Logit of a face's presence, by one more look unless it is beyond doubt."""
    if _logit(fit.presence) < SETTLED:
        again = perception.landmarks(photo, landmark.region_again(fit.landmarks), tones=lifted)
        return _logit(again.presence) if again is not None else -math.inf
    return SETTLED


def _logit(presence: float) -> float:
    return math.log(presence / max(1 - presence, 1e-9))


def _strayed(fit: Fit, detection: Detection) -> float:
    """Mean distance of eyes, nose and mouth from a detection's, over the landmarks' size."""
    points = np.array([fit.landmarks[list(group), :2].mean(0) for group in KEY_LANDMARKS])
    apart = np.linalg.norm(points - detection.points[: len(points)], axis=1)
    return float(apart.mean() / max(_bounds(fit.landmarks)[2:]))


def _regions(detection: Detection) -> Iterator[Region]:
    """Where to look for a detected face: as its eyes lie, then otherwise."""
    first = landmark.region_of(detection)
    yield first
    for size in SIZES:
        yield replace(first, side=size * first.side)
    yield replace(first, angle=0.0)
    for quarters in (2, 1, 3):
        yield replace(first, angle=first.angle + quarters * math.pi / 2)


def _until_still(perception: Perception, photo: Pyramid, region: Region) -> Fit | None:
    """Look again and again where a face was seen: a mesh that moves was misplaced."""
    best: Fit | None = None
    last: Fit | None = None
    for _ in range(LOOKS):
        fit = perception.landmarks(photo, region, tones=lifted)
        if fit is None:
            break
        if best is None or fit.presence >= min(best.presence, SURE):
            best = fit
        moved = math.inf
        if last is not None:
            moved = float(np.linalg.norm((fit.landmarks - last.landmarks)[:, :2], axis=1).mean())
        hopeless = last is not None and max(fit.presence, last.presence) < HOPELESS
        if hopeless or moved * landmark.SIDE < STILL * region.side:
            break
        last, region = fit, landmark.region_again(fit.landmarks)
    return best


def _bounds(landmarks: Float) -> Box:
    left, top = (float(x) for x in landmarks[:, :2].min(0))
    width, height = (float(x) for x in np.ptp(landmarks[:, :2], axis=0))
    return left, top, width, height


def overlap(a: Box, b: Box) -> float:
    """Intersection over the smaller of two boxes (left, top, width, height)."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return float(wide * high / max(min(a[2] * a[3], b[2] * b[3]), 1e-6))
