// SPDX-License-Identifier: Apache-2.0
/** Colour, geometry, filters, meshes, environments and shadows against Python. */
import { encodedGain, toLinear, toSrgb } from "../src/color";
import { Environment, SPHERES } from "../src/environment";
import { faceFrom } from "../src/face/face";
import { region, surface, VERTICES } from "../src/face/mesh";
import { mirror, PARTNERS } from "../src/face/mirror";
import { headPose } from "../src/face/pose";
import {
  Crop,
  direction,
  headAngles,
  RADIAN,
  rolled,
  type Grid,
  type Matrix,
} from "../src/geometry";
import { blur, dilate, erode, gaussianBlur, guidedFilter } from "../src/image/filter";
import { Pixels } from "../src/image/raster";
import { resizeArea, shrink, shrinkPixels } from "../src/image/resample";
import { towards, type Light } from "../src/light";
import { unshadowed } from "../src/stage/cast_shadow";
import { colours, part } from "./picture";
import { array, close, entries, matches, raster, square, values, vectors } from "./vector";

export function checkColor(): void {
  const bytes = Array.from({ length: 256 }, (_, i) => toLinear(i / 255));
  matches("color/table", bytes, 1e-6);
  matches("color/linear_to_srgb", array("color/linear").map(toSrgb), 1e-6);
  matches("color/srgb_to_linear", array("color/encoded").map(toLinear), 1e-6);
  matches("color/encoded_gain", array("color/gain").map(encodedGain), 1e-6);
}

export function checkGeometry(portrait: Pixels): void {
  const grid = array("geometry/angles_deg");
  const found = Array.from({ length: grid.length / 2 }, (_, i) =>
    direction(grid[i * 2] * RADIAN, grid[i * 2 + 1] * RADIAN),
  );
  matches("geometry/direction", found.flat(), 1e-6);
  values["geometry/extract"].forEach((crop: any, i: number) => {
    const view = square(crop).extract(portrait, crop.resolution ?? Math.round(crop.size));
    matches(`geometry/extract/${i}`, view ? colours(view) : [], 0.05, 1);
  });
  const given = raster("geometry/values");
  values["geometry/onto_grid"].forEach(({ crop, grid: cells, outside }: any, i: number) => {
    const found = square(crop).ontoGrid(given, cells as Grid, outside ?? undefined);
    matches(`geometry/onto_grid/${i}`, found.data, 1e-6);
  });
  const points = array("geometry/to_crop/points");
  const triples = Float32Array.from([points[0], points[1], 0, points[2], points[3], 0]);
  const onCrop = square(values["geometry/extract"][3]).toCrop(triples, 64);
  matches("geometry/to_crop", onCrop.filter((_, i) => i % 3 < 2), 1e-3);
  const [rows, columns] = values["geometry/visible/shape"];
  values["geometry/extract"].forEach((crop: any, i: number) => {
    const { top, bottom, left, right } = square(crop).visible(rows, columns);
    close(`geometry/visible/${i}`, [top, bottom, left, right], values["geometry/visible"][i].flat(), 0);
  });
  matches("geometry/rolled", found.flatMap((v) => rolled(v, 0.7)), 1e-6);
  const around = Crop.around(array("mesh/landmarks"));
  const { x, y, size, roll } = values["geometry/around"];
  close("geometry/around", [around.x, around.y, around.size, around.roll], [x, y, size, roll], 1e-3);
  for (const factor of [2, 3]) {
    const corner = part(portrait, 0, 0, 50, 47);
    matches(`geometry/shrink/${factor}`, colours(shrinkPixels(corner, factor)), 0.01, 1);
    matches(`geometry/shrink_float/${factor}`, shrink(given, factor).data, 1e-5);
  }
  matches("geometry/resize_area", colours(Pixels.rounded(resizeArea(portrait, 41, 37))), 0.01, 1);
}

export function checkFilter(): void {
  const [guide, given] = [raster("filter/guide"), raster("filter/values")];
  matches("filter/box", blur(given, 5).data, 1e-5);
  matches("filter/gaussian", gaussianBlur(given, 1.3).data, 1e-6);
  matches("filter/gaussian_replicate", gaussianBlur(given, 4, "replicate").data, 1e-6);
  const mask = given.map((x) => (x > 0.5 ? 1 : 0));
  matches("filter/erode", erode(mask, 3).data, 0);
  matches("filter/dilate", dilate(mask, 3).data, 0);
  matches("filter/guided/1", guidedFilter(guide, given, 3, 1e-4, 1).data, 1e-5);
  matches("filter/guided/0.25", guidedFilter(guide, given, 2, 1e-4, 0.25).data, 1e-5);
}

export function checkMesh(portrait: Pixels): void {
  const face = faceFrom(array("mesh/landmarks"), portrait.rows, portrait.columns);
  const drawing = face.crop.toCrop(face.landmarks, 128);
  matches("mesh/crop_landmarks", drawing, 1e-5);
  close("face/head_pose", face.headPose.flat(), values["face/head_pose"].flat(), 1e-4);
  close("face/box", face.box, values["face/box"], 1e-3);
  close("face/crop_pose", face.cropPose.flat(), values["face/crop_pose"].flat(), 1e-4);
  const mesh = surface(drawing, face.cropPose, 64);
  matches("mesh/mask", mesh.mask.data, 0);
  matches("mesh/normals", mesh.normals.data, 1e-5);
  matches("mesh/depth", mesh.depth.data, 1e-3);
  const features = ["lips", "left_eye", "right_eye", "left_eyebrow", "right_eyebrow"];
  matches("mesh/region", region(drawing, features, 128).data, 0);
  const [rows, columns] = values["mesh/shape"];
  values["mesh/poses"].forEach((pose: any, i: number) => {
    const found = headPose(array(`mesh/posed/${i}`), VERTICES, rows, columns);
    close(`mesh/poses/${i}`, found.flat(), pose.head_pose.flat(), 1e-4);
    close(`mesh/angles/${i}`, headAngles(found), pose.angles_deg.slice(0, 2), 0.01);
    const { crop } = faceFrom(array(`mesh/posed/${i}`), rows, columns);
    const wanted = pose.crop;
    const numbers = ({ x, y, size, roll }: any): number[] => [x, y, size, roll * 100];
    close(`mesh/crop/${i}`, numbers(crop), numbers(wanted), 1e-2);
  });
}

export function checkMirror(): void {
  close("mirror/partners", PARTNERS, array("mirror/partners"), 0);
  const landmarks = array("mesh/crop_landmarks").map((value) => value / 2);
  const found = mirror(landmarks, 64);
  matches("mirror/position", found.position.data, 1e-5);
  matches("mirror/trust", found.trust.data, 1e-5);
}

export function checkShadow(): void {
  const mesh = {
    normals: raster("shadow/normals"),
    depth: raster("shadow/depth"),
    mask: raster("shadow/mask"),
  };
  values["shadow/lights"].forEach((light: Light, i: number) => {
    const found = unshadowed(mesh, towards(light), light.softness_deg * RADIAN);
    matches(`shadow/unshadowed/${i}`, found.data, 1e-6);
  });
}

/** Radians that the vectors turn their environments by. */
const ROLL = 0.6;

export function checkEnvironment(): void {
  const normals = vectors(array("environment/normals"));
  const poses: Matrix[] = values["environment/head_poses"];
  for (const name of ["uniform", "soft", "left", "right"]) {
    const path = `environment/${name}`;
    const environment = new Environment(raster(path));
    matches(`${path}/irradiance`, normals.map((n) => environment.irradiance(n)).flat(), 1e-6);
    matches(`${path}/sample`, normals.map((n) => environment.sample(n)).flat(), 1e-5);
    matches(`${path}/rolled`, environment.roll(ROLL).data.data, 1e-5);
    const { cheeks, key_to_fill, dominant_direction } = values[path];
    close(`${path} cheeks`, poses.map((p) => environment.cheeks(p)).flat(), cheeks.flat(), 1e-3);
    close(`${path} ratio`, [environment.keyToFill(poses[0])], [key_to_fill], 1e-3);
    close(`${path} direction`, environment.dominantDirection(), dominant_direction, 1e-4);
    const size = entries[`${path}/spheres`].shape[1];
    const wanted = array(`${path}/spheres`);
    SPHERES.forEach((kind, k) => {
      const bytes = environment.sphere(kind, size);
      const [shown, expected]: [number[], number[]] = [[], []];
      for (let i = 0; i < size * size; i++) {
        if (bytes[i * 4 + 3] < 255) continue;
        shown.push(...bytes.subarray(i * 4, i * 4 + 3));
        const linear = wanted.subarray((k * size * size + i) * 3).subarray(0, 3);
        expected.push(...[...linear].map((x) => Math.min(255, toSrgb(x) * 255)));
      }
      close(`${path} ${kind} sphere`, shown, expected, 1);
    });
  }
}
