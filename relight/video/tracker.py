# SPDX-License-Identifier: Apache-2.0
"""Faces followed from picture to picture, each as the same person."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from relight.face import landmark, search
from relight.face.face import Face
from relight.face.perception import Perception
from relight.face.region import Pyramid
from relight.face.tone import lifted
from relight.video.smoothing import OneEuro

SEARCH_S = 0.5
"""Seconds after which new faces are looked for again;"""
SEARCH_ALONE_S = 0.1
"""less where there is none."""
THOROUGH_S = 1.0
"""Where there is none, it is looked for as in a photo so often: that takes far longer."""
PRESENT = 0.4
"""Presence of a face below which it is lost: a little less than what finds one."""
SAME = 0.5
"""Two tracks that overlap by this share of the smaller are of one face: the older stays."""
TURN_UP_S = 0.35
"""Seconds in which the light comes up on a face that comes into the picture, and goes."""
JUMP = 0.6
"""A face that moves further than this, in sizes of itself, from one picture to the next is
another's: where two faces cross, the hidden one's landmarks leap to the one in front."""


@dataclass(eq=False)
class Track:
    """One person's face through a take.

    Attributes:
        number: tells it from others.
        face: in the latest picture, its landmarks smoothed.
        level: how far its light is up, in [0, 1].
        seen: whether it is in the latest picture.
        smooth: smooths its landmarks.
    """

    number: int
    face: Face
    level: float
    seen: bool = True
    smooth: OneEuro = field(default_factory=OneEuro, repr=False)


class Tracker:
    """Follows the faces of one take."""

    def __init__(self, perception: Perception, gradual: bool = False) -> None:
        """Prepare.

        Args:
            perception: MediaPipe's models.
            gradual: whether the light comes up on the first faces as on those that come later.
        """
        self._perception = perception
        self._first_level = 0.0 if gradual else 1.0
        self._left = False
        self._numbers = itertools.count(1)
        self.tracks: list[Track] = []
        self._since_search = self._lonely_s = 0.0
        self._begun = False

    def update(self, rgb: NDArray[np.uint8], step_s: float) -> list[Track]:
        """Follow all faces into the next picture; those that have gone fade first.

        Args:
            rgb: ``(H, W, 3)`` uint8.
            step_s: seconds since the picture before.

        Returns:
            Those whose light is up, the longest seen first.
        """
        photo = Pyramid(rgb)
        for track in self.tracks:
            track.seen = not self._left and self._follow(photo, track, step_s)
        self._drop_doubles()
        self._since_search += step_s
        self._lonely_s += step_s
        visible = any(track.seen for track in self.tracks)
        due = self._since_search >= (SEARCH_S if visible else SEARCH_ALONE_S)
        if not self._left and (due or not self._begun):
            self._search(photo, rgb)
            self._since_search = 0.0
        for track in self.tracks:
            up = step_s / TURN_UP_S
            track.level = min(max(track.level + (up if track.seen else -up), 0.0), 1.0)
        self._begun = True
        self.tracks = [track for track in self.tracks if track.level > 0 or track.seen]
        return self.tracks

    def leave(self) -> None:
        """The take ends: no face is followed or looked for any more."""
        self._left = True

    @property
    def is_over(self) -> bool:
        """Whether the take was left and no face has light any more."""
        return self._left and not self.tracks

    def _follow(self, photo: Pyramid, track: Track, step_s: float) -> bool:
        """Find a track's face again where it was; whether it is there."""
        if not track.seen:
            return False
        region = landmark.region_again(track.face.landmarks)
        fit = self._perception.landmarks(photo, region, tones=lifted)
        if fit is None or fit.presence < PRESENT:
            return False
        moved = np.linalg.norm((fit.landmarks - track.face.landmarks)[:, :2], axis=1).mean()
        if moved > JUMP * track.face.size:
            return False
        points = track.smooth(fit.landmarks, track.face.size, step_s)
        track.face = Face.from_landmarks(points, photo.shape, fit.presence)
        return True

    def _drop_doubles(self) -> None:
        """Of two tracks on one face, the younger is lost."""
        seen = [track for track in self.tracks if track.seen]
        for older, younger in itertools.combinations(seen, 2):
            if older.seen and search.overlap(older.face.box, younger.face.box) > SAME:
                younger.seen = False

    def _search(self, photo: Pyramid, rgb: NDArray[np.uint8]) -> None:
        """Look for faces that are not followed yet: everywhere at first, then by one detector."""
        known = [track.face.box for track in self.tracks if track.seen]
        if known or (self._begun and self._lonely_s < THOROUGH_S):
            found = [d for d in self._perception.boxes(photo) if _is_new(d.box, known)]
            faces = [search.confirm(self._perception, photo, detection) for detection in found]
        else:
            faces = list(search.find(self._perception, rgb))
            self._lonely_s = 0.0
        for face in faces:
            if face is not None and _is_new(face.box, known):
                level = 0.0 if self._begun else self._first_level
                track = Track(next(self._numbers), face, level)
                track.smooth(face.landmarks, face.size, 1.0)
                self.tracks.append(track)
                known.append(face.box)


def _is_new(box: search.Box, known: list[search.Box]) -> bool:
    return not any(search.overlap(box, other) > SAME for other in known)
