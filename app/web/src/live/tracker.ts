// SPDX-License-Identifier: Apache-2.0
/** Faces followed from picture to picture, each as the same person. */
import { tracker as constants } from "../constants.json";
import { faceFrom, faceSize, type Box, type Face } from "../face/face";
import { regionAgain } from "../face/landmark";
import type { Perception } from "../face/perception";
import { Pyramid } from "../face/region";
import { boxOf, confirm, distance, findFaces, overlap } from "../face/search";
import { lifted } from "../face/tone";
import { clamp, type Pixels } from "../image/raster";
import { OneEuro } from "./smoothing";

const { JUMP, PRESENT, SAME, SEARCH_ALONE_S, SEARCH_S, THOROUGH_S, TURN_UP_S } = constants;

/** One person's face through a take. */
export interface Track {
  /** Tells it from others. */
  readonly number: number;
  /** In the latest picture, its landmarks smoothed. */
  face: Face;
  /** How far its light is up, in [0, 1]. */
  level: number;
  /** Whether it is in the latest picture. */
  isSeen: boolean;
  readonly smoother: OneEuro;
}

/** Follows the faces of one take. */
export class Tracker {
  tracks: Track[] = [];
  private last = 0;
  private sinceSearch = 0;
  private lonely = 0;
  private hasBegun = false;

  constructor(private readonly perception: Perception) {}

  /**
   * Follow all faces into the next picture; those that have gone fade first.
   *
   * @param seconds since the picture before.
   * @returns those whose light is up, the longest seen first.
   */
  async update(pixels: Pixels, seconds: number): Promise<readonly Track[]> {
    const photo = new Pyramid(pixels);
    for (const track of this.tracks) track.isSeen = await this.follow(photo, track, seconds);
    this.dropDoubles();
    this.sinceSearch += seconds;
    this.lonely += seconds;
    const isAlone = !this.tracks.some(({ isSeen }) => isSeen);
    if (!this.hasBegun || this.sinceSearch >= (isAlone ? SEARCH_ALONE_S : SEARCH_S)) {
      await this.search(photo, pixels);
      this.sinceSearch = 0;
    }
    for (const track of this.tracks) {
      const up = seconds / TURN_UP_S;
      track.level = clamp(track.level + (track.isSeen ? up : -up), 0, 1);
    }
    this.hasBegun = true;
    this.tracks = this.tracks.filter(({ level, isSeen }) => level > 0 || isSeen);
    return this.tracks;
  }

  /** Find a track's face again where it was; whether it is there. */
  private async follow(photo: Pyramid, track: Track, seconds: number): Promise<boolean> {
    if (!track.isSeen) return false;
    const { landmarks } = track.face;
    const fit = await this.perception.landmarks(photo, regionAgain(landmarks), lifted);
    if (fit === null || fit.presence < PRESENT) return false;
    const size = faceSize(track.face);
    if (distance(fit.landmarks, landmarks) > JUMP * size) return false;
    const points = track.smoother.smooth(fit.landmarks, size, seconds);
    track.face = faceFrom(points, photo.rows, photo.columns, fit.presence);
    return true;
  }

  /** Of two tracks on one face, the younger is lost. */
  private dropDoubles(): void {
    this.tracks.forEach((younger, k) => {
      const isDouble = this.tracks
        .slice(0, k)
        .some((older) => older.isSeen && overlap(older.face.box, younger.face.box) > SAME);
      if (isDouble) younger.isSeen = false;
    });
  }

  /** Look for faces that are not followed yet: everywhere at first, then by one detector. */
  private async search(photo: Pyramid, pixels: Pixels): Promise<void> {
    const known = this.tracks.filter(({ isSeen }) => isSeen).map(({ face }) => face.box);
    const found: (Face | null)[] = [];
    if (known.length > 0 || (this.hasBegun && this.lonely < THOROUGH_S)) {
      for (const detection of await this.perception.boxes(photo)) {
        if (isNew(boxOf(detection), known)) found.push(await confirm(this.perception, photo, detection));
      }
    } else {
      found.push(...(await findFaces(this.perception, pixels)));
      this.lonely = 0;
    }
    for (const face of found) {
      if (face === null || !isNew(face.box, known)) continue;
      const smoother = new OneEuro();
      smoother.smooth(face.landmarks, faceSize(face), 1);
      const level = this.hasBegun ? 0 : 1;
      this.tracks.push({ number: ++this.last, face, level, isSeen: true, smoother });
      known.push(face.box);
    }
  }
}

function isNew(box: Box, known: readonly Box[]): boolean {
  return !known.some((other) => overlap(box, other) > SAME);
}
