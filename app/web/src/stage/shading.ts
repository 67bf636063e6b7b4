// SPDX-License-Identifier: Apache-2.0
/** Shading: how bright light makes a surface, for a key light and for the light already there. */
import { luminance } from "../color";
import { environment as map, shading as constants } from "../constants.json";
import { Environment } from "../environment";
import { direction, type Vector } from "../geometry";
import { clamp, Raster } from "../image/raster";

const { NO_LIGHT, SHADING_LIMIT } = constants;

/** Light visibility map `max(0, n.l)` of Lambert's law. */
export function visibility(normals: Raster, light: Vector): Raster {
  const result = new Raster(normals.rows, normals.columns, 1);
  const [x, y, z] = light;
  for (let i = 0, k = 0; i < result.data.length; i++, k += 3) {
    const cosine = normals.data[k] * x + normals.data[k + 1] * y + normals.data[k + 2] * z;
    result.data[i] = Math.max(cosine, 0);
  }
  return result;
}

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

function meanLuminance(image: Raster): number {
  let total = 0;
  for (let i = 0; i < image.data.length; i += 3) {
    total += luminance(image.data[i], image.data[i + 1], image.data[i + 2]);
  }
  return total / (image.data.length / 3);
}
