// SPDX-License-Identifier: Apache-2.0
/** Finding all faces of a photo: upright or not, small, dark, or filling the frame. */
import { detector, landmark, search as constants } from "../constants.json";
import { bounds } from "../geometry";
import type { Pixels } from "../image/raster";
import { FULL, SHORT, type Detection, type Sight } from "./detector";
import { faceFrom, faceSize, type Box, type Face } from "./face";
import { regionAgain, regionOf, type Fit } from "./landmark";
import { brighterLeft, mirroredLandmarks } from "./mirror";
import type { Perception } from "./perception";
import { Pyramid, Region } from "./region";
import { brightened, lifted, type Tones } from "./tone";

const {
  ALONE,
  ASTRAY,
  CONFIRMED,
  DETECTED,
  FAR,
  HOPELESS,
  KEY_LANDMARKS,
  LEAST_EVIDENCE,
  LEAST_OVERLAP,
  LEAST_TURNED,
  LOOKS,
  NEAR,
  PRESENT,
  SAME,
  SEEN,
  SETTLED,
  SIZES,
  SMALLEST_FACE,
  STILL,
  STRONG,
  SURE,
  TILES,
  TILE_BELOW,
  TILE_OVERLAP,
  WIDER,
} = constants;
const { CONFIDENCE } = detector;
const QUARTER = Math.PI / 2;
/** Turns tried, in quarters: upside down before lying. */
const QUARTERS = [2, 1, 3];

/** One way to look for faces. */
interface View extends Sight {
  /** For heads that lie or hang: more evidence is asked for, and only one look closer. */
  readonly isTurned?: boolean;
}

/** A face, and the evidence that it is a person's. */
interface Seen {
  readonly face: Face;
  readonly evidence: number;
}

/** All faces of a photo, largest first; an empty list when there is none. */
export async function findFaces(perception: Perception, pixels: Pixels): Promise<Face[]> {
  const { rows, columns } = pixels;
  if (Math.min(rows, columns) < SMALLEST_FACE) return [];
  const photo = new Pyramid(pixels);
  const small = Math.max(0, Math.floor(Math.log2(Math.max(rows, columns) / FULL.side)));
  photo.isMirrored = brighterLeft(photo.level(Math.min(small, photo.finest)));
  const search = new Search(perception, photo);
  let seen: Seen[] = [];
  for (const views of upright(rows, columns)) {
    if (seen.length === 0) await search.look(views, seen);
  }
  for (const views of turned(rows, columns)) {
    // What looks a little like a face may be the chin of one that hangs.
    if (strongest(seen) >= STRONG) break;
    const others: Seen[] = [];
    await search.look(views, others);
    if (strongest(others) > strongest(seen)) seen = others;
  }
  const widest = Math.max(0, ...seen.map(({ face }) => face.box[2]));
  const enough = seen.length === 1 ? ALONE : TILE_BELOW;
  if (widest <= enough * Math.max(rows, columns)) {
    for (const count of TILES) if (await search.look(tiles(rows, columns, count), seen)) break;
  }
  const faces = seen.map(({ face }) => face).sort((a, b) => faceSize(b) - faceSize(a));
  if (!photo.isMirrored) return faces;
  return faces.map(({ landmarks, presence }) =>
    faceFrom(mirroredLandmarks(landmarks, columns), rows, columns, presence),
  );
}

/** The face that the full-range detector sees in a whole photo, if it is one after all. */
export async function confirm(
  perception: Perception,
  photo: Pyramid,
  detection: Detection,
): Promise<Face | null> {
  const known: Seen[] = [];
  const view: View = { layout: FULL, region: Region.whole(photo.rows, photo.columns) };
  await new Search(perception, photo).takeUp(detection, view, known);
  return known[0]?.face ?? null;
}

function strongest(seen: readonly Seen[]): number {
  return Math.max(...seen.map(({ evidence }) => evidence)); // of nothing: -Infinity
}

/** Ways to look at the whole photo, each for photos in which those before found no face. */
function upright(rows: number, columns: number): View[][] {
  const frame = Region.whole(rows, columns);
  const whole: View = { layout: FULL, region: frame };
  const close: View[] = [
    { ...whole, layout: SHORT },
    { ...whole, layout: SHORT, region: frame.resized(WIDER), repeat: true },
  ];
  const dark = [whole, ...close].map((view) => ({ ...view, tones: brightened }));
  return [[whole], close, dark];
}

/** The same for faces that lie or hang, which detectors hardly see. */
function turned(rows: number, columns: number): View[][] {
  return QUARTERS.map((quarters) => {
    const region = Region.whole(rows, columns, quarters * QUARTER);
    return [FULL, SHORT].map((layout) => ({ layout, region, isTurned: true }));
  });
}

/** Overlapping parts of the photo, each larger in the detector's view than in the whole. */
function tiles(rows: number, columns: number, count: number): View[] {
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

/** Looks for faces in one photo. */
class Search {
  constructor(
    private readonly perception: Perception,
    private readonly photo: Pyramid,
  ) {}

  /** Add the faces seen; whether a detector saw any, known or not. */
  async look(views: readonly View[], known: Seen[]): Promise<boolean> {
    const found: { detection: Detection; view: View }[] = [];
    for (const view of views) {
      const detections = await this.perception.boxes(this.photo, view);
      found.push(...detections.map((detection) => ({ detection, view })));
    }
    found.sort((a, b) => b.detection.score - a.detection.score);
    for (const { detection, view } of found) await this.takeUp(detection, view, known);
    return found.length > 0;
  }

  /** Add a detection's face, if it is one and not known yet. */
  async takeUp(detection: Detection, view: View, known: Seen[]): Promise<void> {
    const isKnown = (box: Box, share: number): boolean =>
      known.some(({ face }) => overlap(box, face.box) >= share);
    const box = boxOf(detection);
    if (box[2] < SMALLEST_FACE || isKnown(box, SEEN)) return;
    const { fit, evidence } = await this.fit(detection, view);
    if (fit === null) return;
    const { rows, columns } = this.photo;
    const face = faceFrom(fit.landmarks, rows, columns, fit.presence);
    if (face.box[2] < SMALLEST_FACE || isKnown(face.box, SAME)) return;
    known.push({ face, evidence });
  }

  /** Landmarks of a detected person's face, if there is one after all, and the evidence of it. */
  private async fit(
    detection: Detection,
    { isTurned, tones }: View,
  ): Promise<{ fit: Fit | null; evidence: number }> {
    let best: Fit | null = null;
    let most = isTurned ? LEAST_TURNED : LEAST_EVIDENCE;
    for (const region of regions(detection).slice(0, isTurned ? 1 : Infinity)) {
      const first = await this.untilStill(region);
      if (first === null || first.presence < PRESENT) continue;
      const { fit, again } = await this.checked(first, tones);
      if (overlap(boxAround(fit.landmarks), boxOf(detection)) <= LEAST_OVERLAP) continue;
      // An animal's face, too, looks like a person's in one of many ways.
      const detected = DETECTED * (detection.score - CONFIDENCE);
      const evidence = (await this.steady(fit)) + CONFIRMED * again + detected;
      if (evidence >= most) [best, most] = [fit, evidence];
      if (best !== null && best.presence >= SURE) break;
    }
    return { fit: best, evidence: most };
  }

  /**
   * A face seen by the detector once more, upright and from near, and set right if need be.
   *
   * @returns the better fit, and the detector's score; 0 if it sees no face there.
   */
  private async checked(fit: Fit, tones?: Tones): Promise<{ fit: Fit; again: number }> {
    const region = regionAgain(fit.landmarks).resized(NEAR);
    const view = { region, layout: SHORT, tones, repeat: true };
    const seen = await this.perception.boxes(this.photo, view);
    if (seen.length === 0) return { fit, again: 0 };
    const nearest = seen.reduce((a, b) => (strayedBy(fit, b) < strayedBy(fit, a) ? b : a));
    let better = fit;
    if (strayedBy(fit, nearest) > ASTRAY) {
      const other = await this.untilStill(regionOf(nearest));
      const isPresent = other !== null && other.presence >= Math.min(fit.presence, SURE);
      if (isPresent && strayedBy(other, nearest) < strayedBy(fit, nearest)) better = other;
    }
    return { fit: better, again: strayedBy(better, nearest) <= FAR ? nearest.score : 0 };
  }

  /** Logarithmic odds of a face's presence, by one more look unless it is beyond doubt. */
  private async steady(fit: Fit): Promise<number> {
    if (logit(fit.presence) >= SETTLED) return SETTLED;
    const again = await this.perception.landmarks(this.photo, regionAgain(fit.landmarks), lifted);
    return again === null ? -Infinity : logit(again.presence);
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
      const isHopeless = last !== null && Math.max(fit.presence, last.presence) < HOPELESS;
      if (isHopeless || moved * landmark.SIDE < STILL * region.side) break;
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

/** Logarithmic odds. */
function logit(presence: number): number {
  return Math.log(presence / Math.max(1 - presence, 1e-9));
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
export function distance(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i += 3) total += Math.hypot(a[i] - b[i], a[i + 1] - b[i + 1]);
  return total / (a.length / 3);
}

/** As if the region it was seen in were upright. */
export function boxOf({ x, y, width, height }: Detection): Box {
  return [x - width / 2, y - height / 2, width, height];
}

function boxAround(landmarks: Float32Array): Box {
  const [left, top, right, bottom] = bounds(landmarks);
  return [left, top, right - left, bottom - top];
}

/** Intersection over the smaller of two boxes. */
export function overlap(a: Box, b: Box): number {
  const wide = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (wide <= 0 || high <= 0) return 0;
  return (wide * high) / Math.max(Math.min(a[2] * a[3], b[2] * b[3]), 1e-6);
}
