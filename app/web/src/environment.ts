// SPDX-License-Identifier: Apache-2.0
/**
 * The light around the subject as a lat-long map, and the three spheres that show it.
 *
 * Row 0 is up; the middle column is behind the camera, the left half lights image right.
 */
import { environment as constants } from "./constants.json";
import { luminance, toSrgb } from "./color";
import {
  angles,
  direction,
  dot,
  rolled,
  scaled,
  times,
  unit,
  type Matrix,
  type Vector,
} from "./geometry";
import { clamp, Raster } from "./image/raster";
import { resizeArea } from "./image/resample";

const { CHEEK_AZIMUTH, EVEN, HEIGHT, RIM, SHADOW, WIDTH } = constants;

/** Unit vector towards the centre of a cell of a map. */
function cellDirection(row: number, column: number, rows: number): Vector {
  return direction(
    (0.5 - (column + 0.5) / (2 * rows)) * 2 * Math.PI,
    (0.5 - (row + 0.5) / rows) * Math.PI,
  );
}

/** Solid angle in steradians of a cell. */
function solidAngle(row: number, rows: number): number {
  const edge = (k: number): number => Math.sin((0.5 - k / rows) * Math.PI);
  return ((edge(row) - edge(row + 1)) * Math.PI) / rows;
}

const TOWARDS: Vector[] = Array.from({ length: HEIGHT * WIDTH }, (_, i) =>
  cellDirection(Math.floor(i / WIDTH), i % WIDTH, HEIGHT),
);
const SOLID_ANGLES: number[] = Array.from({ length: HEIGHT }, (_, row) => solidAngle(row, HEIGHT));

/** Radiance of a white Lambert ball, rough metal and a mirror, and how much covers each pixel. */
export type SphereKind = "diffuse" | "matte_silver" | "mirror";
export const SPHERES: readonly SphereKind[] = ["diffuse", "matte_silver", "mirror"];

export class Environment {
  /** @param data radiance, three channels, linear, in the photo's units. */
  constructor(readonly data: Raster) {}

  /** Irradiance over pi of a surface with this normal: red, green, blue. */
  irradiance(normal: Vector): Vector {
    return this.gathered((towards) => Math.max(0, dot(normal, towards)), Math.PI);
  }

  /** Luminance of the same. */
  brightness(normal: Vector): number {
    return luminance(...this.irradiance(normal));
  }

  /** Radiance over all cells by a weight of their direction, divided by a number. */
  private gathered(weight: (towards: Vector) => number, divisor: number): Vector {
    const total = [0, 0, 0];
    for (let i = 0; i < TOWARDS.length; i++) {
      const share = weight(TOWARDS[i]) * SOLID_ANGLES[Math.floor(i / WIDTH)];
      for (let c = 0; c < 3; c++) total[c] += this.data.data[i * 3 + c] * share;
    }
    return [total[0] / divisor, total[1] / divisor, total[2] / divisor];
  }

  /** Unit vector towards where most light comes from; the camera if it comes from everywhere. */
  dominantDirection(): Vector {
    const moment = [0, 0, 0];
    let power = 0;
    for (let i = 0; i < TOWARDS.length; i++) {
      const [red, green, blue] = this.data.data.subarray(i * 3, i * 3 + 3);
      const weight = luminance(red, green, blue) * SOLID_ANGLES[Math.floor(i / WIDTH)];
      power += weight;
      for (let c = 0; c < 3; c++) moment[c] += weight * TOWARDS[i][c];
    }
    const size = Math.hypot(...moment);
    if (size < EVEN * Math.max(power, 1e-12)) return [0, 0, 1];
    return unit([moment[0], moment[1], moment[2]]);
  }

  /** Brightness of the cheeks turned to image left and image right. */
  cheeks(headPose: Matrix): [number, number] {
    const [left, right] = cheekNormals(headPose);
    return [this.brightness(left), this.brightness(right)];
  }

  /** Brightness of the lit cheek over that of the shadow cheek, >= 1. */
  keyToFill(headPose: Matrix): number {
    const [left, right] = this.cheeks(headPose);
    return Math.max(left, right) / Math.max(Math.min(left, right), SHADOW);
  }

  /** Radiance seen along a unit vector, bilinear. */
  sample(vector: Vector): Vector {
    const [azimuth, elevation] = angles(vector);
    const x = (0.5 - azimuth / (2 * Math.PI)) * WIDTH - 0.5;
    const y = (0.5 - elevation / Math.PI) * HEIGHT - 0.5;
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const [u, v] = [x - column, y - row];
    const at = (r: number, c: number, k: number): number => {
      // Beyond a pole lies the opposite meridian.
      const over = r < 0 || r >= HEIGHT;
      const inside = clamp(r < 0 ? -1 - r : r >= HEIGHT ? 2 * HEIGHT - 1 - r : r, 0, HEIGHT - 1);
      const around = (((c + (over ? HEIGHT : 0)) % WIDTH) + WIDTH) % WIDTH;
      return this.data.data[(inside * WIDTH + around) * 3 + k];
    };
    const mix = (k: number): number =>
      (at(row, column, k) * (1 - u) + at(row, column + 1, k) * u) * (1 - v) +
      (at(row + 1, column, k) * (1 - u) + at(row + 1, column + 1, k) * u) * v;
    return [mix(0), mix(1), mix(2)];
  }

  /**
   * The light turned about the camera's axis, its power kept.
   *
   * @param angle radians, > 0 clockwise as the viewer sees it: from above towards image right.
   */
  roll(angle: number): Environment {
    if (angle === 0) return this;
    const finer = HEIGHT * constants.ROLL_SAMPLES;
    const weighted = new Raster(finer, 2 * finer, 3);
    for (let i = 0; i < 2 * finer * finer; i++) {
      const row = Math.floor(i / (2 * finer));
      const towards = cellDirection(row, i % (2 * finer), finer);
      const area = solidAngle(row, finer);
      weighted.data.set(scaled(this.sample(rolled(towards, -angle)), area), i * 3);
    }
    const turned = resizeArea(weighted, HEIGHT, WIDTH);
    for (let i = 0; i < turned.data.length; i++) {
      turned.data[i] /= SOLID_ANGLES[Math.floor(i / (3 * WIDTH))];
    }
    const [before, after] = [this.power(), new Environment(turned).power()];
    return new Environment(turned.map((value, i) => (value * before[i % 3]) / Math.max(after[i % 3], 1e-20)));
  }

  /** Radiance summed over the sphere, by colour. */
  private power(): Vector {
    return this.gathered(() => 1, 1);
  }

  /** What a ball of some material shows at a normal, linear. */
  shown(kind: SphereKind, normal: Vector): Vector {
    if (kind === "diffuse") return this.irradiance(normal);
    const view: Vector = [0, 0, 1];
    const twice = scaled(normal, 2 * normal[2]);
    const reflected: Vector = [twice[0] - view[0], twice[1] - view[1], twice[2] - view[2]];
    if (kind === "mirror") return this.sample(reflected);
    const lobe = (towards: Vector): number =>
      Math.max(dot(reflected, towards), 0) ** constants.MATTE_EXPONENT;
    let total = 0;
    for (let i = 0; i < TOWARDS.length; i++) {
      total += lobe(TOWARDS[i]) * SOLID_ANGLES[Math.floor(i / WIDTH)];
    }
    return this.gathered(lobe, total);
  }

  /** A ball as sRGB bytes with alpha, `size * size * 4`. */
  sphere(kind: SphereKind, size: number): Uint8ClampedArray<ArrayBuffer> {
    const result = new Uint8ClampedArray(size * size * 4);
    for (let i = 0; i < size * size; i++) {
      const { normal, coverage } = ballNormal(i % size, Math.floor(i / size), size);
      if (coverage === 0) continue;
      this.shown(kind, normal).forEach((value, c) => {
        result[i * 4 + c] = toSrgb(value) * 255;
      });
      result[i * 4 + 3] = coverage * 255;
    }
    return result;
  }
}

/** Normal of a ball filling a square, and how much of the pixel it covers. */
function ballNormal(
  column: number,
  row: number,
  size: number,
): { normal: Vector; coverage: number } {
  const x = ((column + 0.5) / size) * 2 - 1;
  const y = 1 - ((row + 0.5) / size) * 2;
  const radius = Math.hypot(x, y);
  const inside = Math.min(radius, RIM);
  const shrink = inside / Math.max(radius, 1e-9);
  return {
    normal: [x * shrink, y * shrink, Math.sqrt(1 - inside * inside)],
    coverage: clamp(((1 - radius) * size) / 2 + 0.5, 0, 1),
  };
}

/** Normals of the cheeks turned to image left and image right, camera frame. */
export function cheekNormals(headPose: Matrix): [Vector, Vector] {
  return [
    times(headPose, direction(-CHEEK_AZIMUTH, 0)),
    times(headPose, direction(CHEEK_AZIMUTH, 0)),
  ];
}
