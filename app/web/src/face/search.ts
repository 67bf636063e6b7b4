// SPDX-License-Identifier: Apache-2.0
/** Finding all faces of a photo: upright or not, small, dark, or filling the frame. */
import { landmark, search as constants } from "../constants.json";
import { bounds } from "../geometry";
import type { Pixels } from "../image/raster";
import { FULL, SHORT, type Detection, type Sight } from "./detector";
import { faceFrom, faceSize, type Box, type Face } from "./face";
import { regionAgain, regionOf, type Fit } from "./landmark";
import type { Perception } from "./perception";
import { Pyramid, Region } from "./region";
import { brightened, lifted, type Tones } from "./tone";

const {
  ALONE,
  ASTRAY,
  FAR,
  KEY_LANDMARKS,
  LEAST_OVERLAP,
  LOOKS,
  NEAR,
  PRESENT,
  SAME,
  SEEN,
  SIZES,
  SMALLEST_FACE,
  STILL,
  SURE,
  TILES,
  TILE_BELOW,
  TILE_OVERLAP,
  WIDER,
} = constants;
const QUARTER = Math.PI / 2;
/** Turns tried, in quarters: upside down before lying. */
const QUARTERS = [2, 1, 3];

/** All faces of a photo, largest first; an empty list when there is none. */
export async function findFaces(perception: Perception, pixels: Pixels): Promise<Face[]> {
  const { rows, columns } = pixels;
  if (Math.min(rows, columns) < SMALLEST_FACE) return [];
  const photo = new Pyramid(pixels);
  const search = new Search(perception, photo);
  for (const sights of searches(rows, columns)) {
    if (search.faces.length === 0) await search.look(sights);
  }
  const widest = Math.max(0, ...search.faces.map((face) => face.box[2]));
  const enough = search.faces.length === 1 ? ALONE : TILE_BELOW;
  if (widest <= enough * Math.max(rows, columns)) {
    for (const count of TILES) if (await search.look(tiles(rows, columns, count))) break;
  }
  return search.faces.sort((a, b) => faceSize(b) - faceSize(a));
}

/** Ways to look at the whole photo, each for photos in which those before found no face. */
function searches(rows: number, columns: number): Sight[][] {
  const frame = Region.whole(rows, columns);
  const close: Sight[] = [
    { layout: SHORT, region: frame },
    { layout: SHORT, region: frame.resized(WIDER), repeat: true },
  ];
  const dark = [{ layout: FULL, region: frame }, ...close].map((sight) => ({
    ...sight,
    tones: brightened,
  }));
  const turned = QUARTERS.map((quarters) => {
    const region = Region.whole(rows, columns, quarters * QUARTER);
    return [FULL, SHORT].map((layout) => ({ layout, region }));
  });
  return [[{ layout: FULL, region: frame }], close, dark, ...turned];
}

/** Overlapping parts of the photo, each larger in the detector's view than in the whole. */
function tiles(rows: number, columns: number, count: number): Sight[] {
  const [high, wide] = [rows, columns].map((side) => (TILE_OVERLAP * side) / count);
  const middles = (side: number, part: number): number[] =>
    Array.from({ length: count }, (_, k) => part / 2 + ((side - part) * k) / (count - 1));
  return middles(rows, high).flatMap((y) =>
    middles(columns, wide).map((x) => ({
      layout: FULL,
      region: new Region(x, y, Math.max(high, wide)),
    })),
  );
}

/** A search under way. */
class Search {
  readonly faces: Face[] = [];

  constructor(
    private readonly perception: Perception,
    private readonly photo: Pyramid,
  ) {}

  /** Add the faces seen; whether a detector saw any, known or not. */
  async look(sights: readonly Sight[]): Promise<boolean> {
    const found: { detection: Detection; tones?: Tones }[] = [];
    for (const sight of sights) {
      const seen = await this.perception.boxes(this.photo, sight);
      found.push(...seen.map((detection) => ({ detection, tones: sight.tones })));
    }
    found.sort((a, b) => b.detection.score - a.detection.score);
    for (const { detection, tones } of found) {
      const box = boxOf(detection);
      if (box[2] < SMALLEST_FACE || this.faces.some((face) => overlap(box, face.box) > SEEN)) continue;
      const fit = await this.fit(detection, tones);
      if (fit === null) continue;
      const { rows, columns } = this.photo;
      const face = faceFrom(fit.landmarks, rows, columns, fit.presence);
      const known = this.faces.some((other) => overlap(face.box, other.box) >= SAME);
      if (face.box[2] >= SMALLEST_FACE && !known) this.faces.push(face);
    }
    return found.length > 0;
  }

  /** Landmarks of a detected face, or null if there is none after all. */
  private async fit(detection: Detection, tones?: Tones): Promise<Fit | null> {
    let best: Fit | null = null;
    for (const [attempt, region] of regions(detection).entries()) {
      const first = await this.untilStill(region);
      if (first === null || first.presence < PRESENT) continue;
      const { fit, strayed } = await this.checked(first, tones);
      if (overlap(boxAround(fit.landmarks), boxOf(detection)) <= LEAST_OVERLAP) continue;
      // A cat's face, too, looks like a person's in one of many ways.
      const far = attempt === 0 && fit.presence >= SURE ? Infinity : FAR;
      if (strayed > far) continue;
      if (best === null || fit.presence > best.presence) best = fit;
      if (best.presence >= SURE) break;
    }
    return best;
  }

  /**
   * A face seen by the detector once more, upright and from near, and set right if need be.
   *
   * @returns the better fit, and how far it strays from the detector's key points, as a share of
   *   its size; infinite if the detector sees no face.
   */
  private async checked(fit: Fit, tones?: Tones): Promise<{ fit: Fit; strayed: number }> {
    const region = regionAgain(fit.landmarks).resized(NEAR);
    const seen = await this.perception.boxes(this.photo, {
      region,
      layout: SHORT,
      tones,
      repeat: true,
    });
    if (seen.length === 0) return { fit, strayed: Infinity };
    const nearest = seen.reduce((a, b) => (strayedBy(fit, b) < strayedBy(fit, a) ? b : a));
    const strayed = strayedBy(fit, nearest);
    if (strayed > ASTRAY) {
      const other = await this.untilStill(regionOf(nearest));
      if (other !== null && other.presence >= Math.min(fit.presence, SURE)) {
        const less = strayedBy(other, nearest);
        if (less < strayed) return { fit: other, strayed: less };
      }
    }
    return { fit, strayed };
  }

  /** Look again and again where a face was seen: a mesh that moves was misplaced. */
  private async untilStill(start: Region): Promise<Fit | null> {
    let best: Fit | null = null;
    let last: Fit | null = null;
    let region = start;
    for (let look = 0; look < LOOKS; look++) {
      const fit: Fit | null = await this.perception.landmarks(this.photo, region, lifted);
      if (fit === null) break;
      if (best === null || fit.presence >= Math.min(best.presence, SURE)) best = fit;
      const moved = last === null ? Infinity : distance(fit.landmarks, last.landmarks);
      if (moved * landmark.SIDE < STILL * region.side) break;
      last = fit;
      region = regionAgain(fit.landmarks);
    }
    return best;
  }
}

/** Where to look for a detected face: as its eyes lie, then otherwise. */
function regions(detection: Detection): Region[] {
  const first = regionOf(detection);
  return [
    first,
    ...SIZES.map((size) => first.resized(size)),
    first.turned(0),
    ...QUARTERS.map((quarters) => first.turned(first.angle + quarters * QUARTER)),
  ];
}

/** Mean distance of eyes, nose and mouth from a detection's, over the landmarks' size. */
function strayedBy({ landmarks }: Fit, { points }: Detection): number {
  const apart = KEY_LANDMARKS.map((group, k) => {
    const mean = (axis: number): number =>
      group.reduce((sum, point) => sum + landmarks[point * 3 + axis], 0) / group.length;
    return Math.hypot(mean(0) - points[k][0], mean(1) - points[k][1]);
  });
  const [, , width, height] = boxAround(landmarks);
  return apart.reduce((sum, one) => sum + one, 0) / apart.length / Math.max(width, height);
}

/** Mean distance in the photo between two sets of landmarks, triples. */
function distance(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i += 3) total += Math.hypot(a[i] - b[i], a[i + 1] - b[i + 1]);
  return total / (a.length / 3);
}

/** As if the region it was seen in were upright. */
function boxOf({ x, y, width, height }: Detection): Box {
  return [x - width / 2, y - height / 2, width, height];
}

function boxAround(landmarks: Float32Array): Box {
  const [left, top, right, bottom] = bounds(landmarks);
  return [left, top, right - left, bottom - top];
}

/** Intersection over the smaller of two boxes. */
function overlap(a: Box, b: Box): number {
  const wide = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (wide <= 0 || high <= 0) return 0;
  return (wide * high) / Math.max(Math.min(a[2] * a[3], b[2] * b[3]), 1e-6);
}
