// SPDX-License-Identifier: Apache-2.0
/** The face mesh: its mean shape, its triangles, and drawing its normals. */
import template from "../../../relight/data/face_template.json";
import { mesh } from "./constants.json";
import { normalizeTriples, times, type Matrix, type Vector } from "./geometry";
import { corner, fillPolygon, fillRegion } from "./polygon";
import { clamp, Raster } from "./raster";
import { shrink } from "./resample";

export const { POINTS } = mesh;

/** Mean face, cm, head frame. */
export const VERTICES = template.vertices_cm as unknown as Vector[];
const TRIANGLES = template.triangles as unknown as [number, number, number][];
const LOOPS = template.loops as Record<string, number[]>;

/** Area-weighted unit normals of a mesh, triples; triangles are counter-clockwise outside. */
export function vertexNormals(vertices: ArrayLike<number>): Float64Array {
  const total = new Float64Array(POINTS * 3);
  for (const [a, b, c] of TRIANGLES) {
    const edge = (to: number, axis: number): number =>
      vertices[to * 3 + axis] - vertices[a * 3 + axis];
    const [ux, uy, uz] = [edge(b, 0), edge(b, 1), edge(b, 2)];
    const [vx, vy, vz] = [edge(c, 0), edge(c, 1), edge(c, 2)];
    const face = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const k of [a, b, c]) for (let i = 0; i < 3; i++) total[k * 3 + i] += face[i];
  }
  normalizeTriples(total);
  return total;
}

const TEMPLATE_NORMALS = vertexNormals(VERTICES.flat() as number[]);

/**
 * Draw the face mesh, interpolating values between its vertices.
 *
 * @param points triples in pixels of the drawing: x right, y down, z smaller is nearer.
 * @param attributes triples, values at the vertices.
 * @param side of the square drawing.
 * @returns three channels, 0 outside the mesh, and its mask, 0 or 1. The nearest triangle wins;
 *   those facing away are left out.
 */
export function rasterize(
  points: Float32Array,
  attributes: ArrayLike<number>,
  side: number,
): [Raster, Raster] {
  const owner = new Int32Array(side * side).fill(-1);
  const depth = (t: number): number =>
    TRIANGLES[t].reduce((total, k) => total + points[k * 3 + 2], 0);
  const order = TRIANGLES.map((_, t) => t).filter((t) => facing(points, TRIANGLES[t]));
  order.sort((s, t) => depth(t) - depth(s));
  for (const t of order) {
    const corners = TRIANGLES[t].map((k) => corner(points[k * 3], points[k * 3 + 1]));
    fillPolygon(corners, side, (index) => {
      owner[index] = t;
    });
  }
  const drawn = new Raster(side, side, 3);
  const mask = new Raster(side, side, 1);
  owner.forEach((t, i) => {
    if (t < 0) return;
    mask.data[i] = 1;
    const triangle = TRIANGLES[t];
    const weights = barycentric((i % side) + 0.5, Math.floor(i / side) + 0.5, points, triangle);
    for (let c = 0; c < 3; c++) {
      drawn.data[i * 3 + c] = triangle.reduce(
        (total, k, n) => total + weights[n] * attributes[k * 3 + c],
        0,
      );
    }
  });
  return [drawn, mask];
}

/** Whether a triangle is seen from its outside; y points down here. */
function facing(points: Float32Array, triangle: readonly number[]): boolean {
  const [a, b, c] = triangle.map((k) => k * 3);
  const [ux, uy] = [points[b] - points[a], points[b + 1] - points[a + 1]];
  const [vx, vy] = [points[c] - points[a], points[c + 1] - points[a + 1]];
  return ux * vy - uy * vx < 0;
}

/** Weights of a triangle's corners at a point, clipped to inside. */
function barycentric(
  x: number,
  y: number,
  points: Float32Array,
  triangle: readonly number[],
): number[] {
  const [a, b, c] = triangle.map((k) => k * 3);
  const [abx, aby] = [points[b] - points[a], points[b + 1] - points[a + 1]];
  const [acx, acy] = [points[c] - points[a], points[c + 1] - points[a + 1]];
  const [apx, apy] = [x - points[a], y - points[a + 1]];
  const exact = abx * acy - aby * acx;
  const area = Math.abs(exact) < 1e-9 ? -1e-9 : exact;
  const v = (apx * acy - apy * acx) / area;
  const w = (abx * apy - aby * apx) / area;
  const weights = [1 - v - w, v, w].map((weight) => clamp(weight, 0, 1));
  const total = Math.max(weights[0] + weights[1] + weights[2], 1e-9);
  return weights.map((weight) => weight / total);
}

/**
 * Normals of the face mesh in camera frame, drawn into a square: halfway between those of the
 * landmarks and those of the mean face turned as this head is.
 *
 * @param landmarks triples in pixels of the drawing, z in the same scale, smaller nearer.
 * @param headPose rotation head to camera.
 * @param side of the square.
 * @returns unit normals, 0 outside, and the mask of the face.
 */
export function meshNormals(
  landmarks: Float32Array,
  headPose: Matrix,
  side: number,
): [Raster, Raster] {
  const camera = landmarks.map((value, i) => (i % 3 === 0 ? value : -value));
  const mixed = vertexNormals(camera);
  const share = mesh.TEMPLATE_SHARE;
  for (let i = 0; i < mixed.length; i += 3) {
    const [x, y, z] = TEMPLATE_NORMALS.subarray(i, i + 3);
    const mean = times(headPose, [x, y, z]);
    for (let c = 0; c < 3; c++) mixed[i + c] = mixed[i + c] * (1 - share) + mean[c] * share;
  }
  const n = mesh.SAMPLES;
  const [fine, covered] = rasterize(landmarks.map((value) => value * n), mixed, side * n);
  normalizeTriples(fine.data);
  const mask = shrink(covered, n).map((share) => (share >= 0.5 ? 1 : 0));
  const drawn = shrink(fine, n);
  normalizeTriples(drawn.data);
  const masked = drawn.data.map((value, i) => value * mask.data[Math.floor(i / 3)]);
  return [new Raster(side, side, 3, masked), mask];
}

/** Mask, 0 or 1, of the polygons of some of the template's loops; landmarks as above. */
export function region(landmarks: Float32Array, names: readonly string[], side: number): Raster {
  const mask = new Raster(side, side, 1);
  for (const name of names) {
    const corners = LOOPS[name].map((k) => corner(landmarks[k * 3], landmarks[k * 3 + 1]));
    fillRegion(corners, side, (index) => {
      mask.data[index] = 1;
    });
  }
  return mask;
}
