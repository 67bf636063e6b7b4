// SPDX-License-Identifier: Apache-2.0
/** Shading: how bright the light already there makes a surface. */
import { luminance } from "../color";
import { environment as map, shading as constants } from "../constants.json";
import { Environment } from "../environment";
import { direction, smoothstep } from "../geometry";
import { gaussianBlur } from "../image/filter";
import { clamp, Raster } from "../image/raster";

const { BELIEF, CAST, CAST_BLUR, CAST_LIMIT, COVER_BLUR, DIM, HARDNESS, NO_LIGHT, SHADING_LIMIT, TRUSTED } =
  constants;

/** How bright the light already there makes a white surface, in logarithms against the face's mean. */
export function shading(environment: Environment, normals: Raster, face: Raster): Raster {
  const { HEIGHT, WIDTH } = map;
  const lit = new Raster(HEIGHT, WIDTH, 3);
  for (let i = 0; i < HEIGHT * WIDTH; i++) {
    const azimuth = (0.5 - ((i % WIDTH) + 0.5) / WIDTH) * 2 * Math.PI;
    const elevation = (0.5 - (Math.floor(i / WIDTH) + 0.5) / HEIGHT) * Math.PI;
    lit.data.set(environment.irradiance(direction(azimuth, elevation)), i * 3);
  }
  const table = new Environment(lit);
  const result = new Raster(normals.rows, normals.columns, 3);
  let [total, count] = [0, 0];
  for (let i = 0; i < face.data.length; i++) {
    const [x, y, z] = normals.data.subarray(i * 3, i * 3 + 3);
    const irradiance = table.sample([x, y, z]);
    result.data.set(irradiance, i * 3);
    if (face.data[i] > 0) {
      total += luminance(...irradiance);
      count += 1;
    }
  }
  const mean = Math.max(count > 0 ? total / count : meanLuminance(lit), NO_LIGHT);
  for (let i = 0; i < face.data.length; i++) {
    const [x, y, z] = normals.data.subarray(i * 3, i * 3 + 3);
    const inside = x * x + y * y + z * z;
    for (let k = i * 3; k < i * 3 + 3; k++) {
      const relative = Math.log(Math.max(result.data[k], NO_LIGHT) / mean);
      result.data[k] = clamp(relative, -SHADING_LIMIT, SHADING_LIMIT) * inside;
    }
  }
  return result;
}

/** Brightness of the irradiance over pi, mean over a face; 1 where there is none. */
export function meanIrradiance(environment: Environment, normals: Raster, face: Raster): number {
  let [total, count] = [0, 0];
  for (let i = 0; i < face.data.length; i++) {
    if (face.data[i] === 0) continue;
    const [x, y, z] = normals.data.subarray(i * 3, i * 3 + 3);
    total += environment.brightness([x, y, z]);
    count += 1;
  }
  return count > 0 ? total / count : 1;
}

/** How far an estimated light's shading is believed: the harder it is, the more. */
export function belief(shading: Raster, face: Raster): number {
  const on: number[] = [];
  face.data.forEach((inside, i) => {
    const [r, g, b] = shading.data.subarray(i * 3, i * 3 + 3);
    if (inside > 0) on.push((r + g + b) / 3);
  });
  const mean = on.reduce((a, b) => a + b, 0) / on.length;
  const variance = on.reduce((a, b) => a + (b - mean) ** 2, 0) / on.length;
  const spread = on.length > 0 ? Math.sqrt(variance) : 0;
  const hard = clamp((spread - HARDNESS[0]) / (HARDNESS[1] - HARDNESS[0]), 0, 1);
  return BELIEF[0] + (BELIEF[1] - BELIEF[0]) * hard;
}

function meanLuminance(image: Raster): number {
  let total = 0;
  for (let i = 0; i < image.data.length; i += 3) {
    total += luminance(image.data[i], image.data[i + 1], image.data[i + 2]);
  }
  return total / (image.data.length / 3);
}

/** How the colours of a face differ from its skin's. */
export interface SkinColors {
  /** The photo in linear light, no darker than colours are told in. */
  readonly seen: Raster;
  /** 1 on plain skin, else 0. */
  readonly plain: Raster;
  /** Three logarithms: colours over brightness, against the usual of plain skin. */
  readonly apart: Raster;
  /** 0 where they differ as light does, 1 where hair's do. */
  readonly other: Raster;
}

/**
 * Tell them.
 *
 * @param linear the photo in linear light.
 * @param skin trust in a pixel as plain skin.
 */
export function skinColors(linear: Raster, skin: Raster): SkinColors {
  const seen = linear.map((value) => Math.max(value, DIM));
  const plain = skin.map((value) => Number(value > TRUSTED));
  const colors = new Raster(seen.rows, seen.columns, 3);
  for (let k = 0; k < colors.data.length; k += 3) {
    const level = bright(seen.data, k);
    for (let c = 0; c < 3; c++) colors.data[k + c] = Math.log(seen.data[k + c] / level);
  }
  const count = plain.data.reduce((sum, value) => sum + value, 0);
  const usual = [0, 1, 2].map((c) => {
    const own = colors.channel(c).data.filter((_, i) => plain.data[i] > 0);
    return count > 0 ? own.sort()[Math.floor(count / 2)] : 0;
  });
  const apart = colors.map((value, i) => value - usual[i % 3]);
  const other = plain.map((_, i) => {
    const most = Math.max(...apart.data.subarray(i * 3, i * 3 + 3).map(Math.abs));
    return smoothstep(most, CAST_LIMIT[0], CAST_LIMIT[1]);
  });
  return { seen, plain, apart, other };
}

/** What the colour of the light already there, on plain skin, adds to its shading: three logarithms. */
export function cast({ seen, plain, apart, other }: SkinColors): Raster {
  const trust = other.zip(plain, (unlike, inside) => (1 - unlike) * inside);
  const share = gaussianBlur(trust, CAST_BLUR);
  const part = gaussianBlur(apart.weighted(trust), CAST_BLUR);
  const found = part.weighted(
    trust.zip(share, (own, around) => (CAST * own) / Math.max(around, TRUSTED)),
  );
  const dimmed = seen.zip(found, (value, light) => value * Math.exp(-light));
  for (let k = 0; k < found.data.length; k += 3) {
    const level = Math.log(bright(dimmed.data, k) / bright(seen.data, k));
    for (let c = 0; c < 3; c++) found.data[k + c] += level;
  }
  return found;
}

/**
 * Shading without the darkness of hair that lies over a face: what has another colour than the
 * face's skin is no darker than a smooth light makes it.
 *
 * @param logShading natural logarithm of the shading, triples.
 * @param smooth that of the estimated light, three channels.
 */
export function uncovered(logShading: Float32Array, smooth: Raster, colors: SkinColors): Float32Array {
  const cover = gaussianBlur(colors.other.weighted(colors.plain), COVER_BLUR);
  return logShading.map((value, i) => {
    const cell = Math.floor(i / 3);
    const [red, green, blue] = smooth.data.subarray(cell * 3, cell * 3 + 3);
    return value + cover.data[cell] * Math.max((red + green + blue) / 3 - value, 0);
  });
}

function bright(data: Float32Array, k: number): number {
  return luminance(data[k], data[k + 1], data[k + 2]);
}
