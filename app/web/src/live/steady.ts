// SPDX-License-Identifier: Apache-2.0
/**
 * A face's estimates through a take: noise is averaged, what the face does is followed.
 *
 * The estimates lie on the face's upright crop, which goes along with it: there a person keeps their
 * place.
 */
import { steady as constants } from "../constants.json";
import { Environment } from "../environment";
import type { Face } from "../face/face";
import type { Perception } from "../face/perception";
import { normalizeTriples, product, transposed, RADIAN, type Matrix } from "../geometry";
import { clamp, Raster, type Pixels } from "../image/raster";
import { shrink } from "../image/resample";
import { environmentOf, type Analysis } from "../stage/analysis";
import { bodyOf, lookBelow } from "../stage/body";
import { between, existingAt } from "../stage/quotient";
import { meanIrradiance } from "../stage/shading";
import type { Look as Below } from "../stage/silhouette";
import { estimateLighting, estimateNormals, estimateShading, type Networks } from "../stage/stages";
import { FINE, look, type View } from "../stage/view";
import { kept } from "./smoothing";

const { DARKEST, FORGOTTEN_DEG, LIGHT_EVERY_S, LIGHT_S, OUTLINE_S } = constants;

/** What one look at a face tells, averaged with those before. */
export interface Look {
  readonly analysis: Analysis;
  /** What the normals differ by from the mesh's. */
  readonly turn: Raster;
}

/** The light of the surroundings on a face. */
interface Surroundings {
  /** Logarithm of the environment, camera frame. */
  readonly logs: Raster;
  /** Mean irradiance over pi on the face. */
  readonly level: number;
  /** When it was estimated, seconds. */
  readonly at: number;
}

/** What is known of a face from the looks before. */
interface Known {
  readonly at: number;
  readonly pose: Matrix;
  readonly outline: Raster;
  readonly below: Below | null;
  readonly turn: Raster;
  readonly trust: Raster;
  readonly light: Surroundings;
  readonly logLift: Raster;
}

/** Looks at the faces of one take; what is known of a face goes on from look to look. */
export class SteadyLook {
  private readonly known = new Map<number, Known>();

  constructor(
    private readonly perception: Perception,
    private readonly networks: Networks,
  ) {}

  /** @param at seconds since the take's beginning. */
  async look(pixels: Pixels, number: number, face: Face, at: number): Promise<Look> {
    const { networks, perception } = this;
    const known = this.known.get(number);
    const seconds = known === undefined ? 0 : at - known.at;
    const old = known === undefined ? 0 : still(known.pose, face.cropPose, seconds);
    const seen = await look(perception, pixels, face);
    const view = known === undefined ? seen : outlined(seen, known.outline, kept(seconds, OUTLINE_S));
    const found = await estimateNormals(networks, view);
    const turn = mean(known?.turn, found.normals.zip(view.mesh.normals, (a, b) => a - b), old);
    const confidence = mean(known?.trust, found.confidence, old);
    const normals = turned(view, turn);
    const light = await this.light(known?.light, view, normals, face, at);
    const cropEnvironment = new Environment(light.logs.map(Math.exp)).roll(-face.crop.roll);
    const surface = between(view, normals);
    const shading = await estimateShading(networks, view, surface, cropEnvironment);
    const there = existingAt(view, surface, light.level, shading);
    const logLift = mean(known?.logLift, there.lift.map(Math.log), old);
    const below = joined(
      known?.below,
      await lookBelow(perception, pixels, face),
      kept(seconds, OUTLINE_S),
    );
    const head = { view, normals, confidence, environment: cropEnvironment };
    const { person, body } = bodyOf(below, face.crop, head);
    this.known.set(number, {
      at, pose: face.cropPose, outline: view.outline, below, turn, trust: confidence, light, logLift,
    });
    const lift = logLift.map(Math.exp);
    const inputs = { ...there, lift, mesh: view.mesh, roll: face.crop.roll };
    const meanLight = light.level;
    return {
      turn,
      analysis: {
        face, view, cropEnvironment, normals, confidence, meanIrradiance: meanLight, inputs, person,
        body,
      },
    };
  }

  /** Drop what is known of all faces but these. */
  forget(numbers: ReadonlySet<number>): void {
    for (const number of this.known.keys()) if (!numbers.has(number)) this.known.delete(number);
  }

  private async light(
    known: Surroundings | undefined,
    view: View,
    normals: Raster,
    face: Face,
    at: number,
  ): Promise<Surroundings> {
    if (known !== undefined && at - known.at < LIGHT_EVERY_S) return known;
    const cropEnvironment = await estimateLighting(this.networks, view, normals);
    const level = meanIrradiance(cropEnvironment, normals, view.mesh.mask);
    const { data } = environmentOf({ cropEnvironment, face });
    const logs = data.map((value) => Math.log(Math.max(value, DARKEST)));
    if (known === undefined) return { logs, level, at };
    const old = kept(at - known.at, LIGHT_S);
    return { logs: mean(known.logs, logs, old), level: known.level ** old * level ** (1 - old), at };
  }
}

/** Normals that differ from a view's mesh. */
export function turned({ mesh }: Pick<View, "mesh">, turn: Raster): Raster {
  const normals = mesh.normals.zip(turn, (a, b) => a + b);
  normalizeTriples(normals.data);
  return normals;
}

/** Degrees by which a head has turned. */
export function turnedBy(before: Matrix, now: Matrix): number {
  const turn = product(transposed(before), now);
  const cosine = (turn[0][0] + turn[1][1] + turn[2][2] - 1) / 2;
  return Math.acos(clamp(cosine, -1, 1)) / RADIAN;
}

/**
 * How far what is known of a face still holds, in [0, 1], by time and by the head's turn.
 *
 * Looks are rarer than in a film: what lies on the face is remembered as long as the room's light.
 */
function still(before: Matrix, now: Matrix, seconds: number): number {
  return kept(seconds, LIGHT_S) * Math.exp(-((turnedBy(before, now) / FORGOTTEN_DEG) ** 2));
}

/** A view whose person's outline is averaged with the one before. */
function outlined(view: View, before: Raster, share: number): View {
  const outline = mean(before, view.outline, share);
  return { ...view, outline, person: shrink(outline, FINE) };
}

/** What is seen below the face now, the person averaged with the one before. */
function joined(before: Below | null | undefined, now: Below | null, share: number): Below | null {
  if (!before || now === null) return now;
  return { ...now, person: mean(before.person, now.person, share) };
}

/** A share of what is known, if anything is, and the rest of what is new. */
function mean(known: Raster | undefined, now: Raster, share: number): Raster {
  return known === undefined ? now : known.zip(now, (a, b) => share * a + (1 - share) * b);
}
