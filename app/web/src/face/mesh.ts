// SPDX-License-Identifier: Apache-2.0
/** The face mesh: its mean shape, its triangles, and drawing its normals and its depth. */
import template from "../../../../relight/face/face_template.json";
import { mesh } from "../constants.json";
import { normalizeTriples, times, type Matrix, type Vector } from "../geometry";
import { corner, fillConvex, fillRegion } from "../image/polygon";
import { clamp, Raster } from "../image/raster";
import { shrink } from "../image/resample";

export const { POINTS } = mesh;

/** Mean face, cm, head frame. */
export const VERTICES = template.vertices_cm as unknown as Vector[];
const TRIANGLES = template.triangles as unknown as [number, number, number][];
/** Natural logarithm of the albedo that faces usually have at each landmark. */
export const LOG_ALBEDO = template.log_albedo as number[];
export const LOOPS = template.loops as Record<string, number[]>;

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
 * @param attributes values at the vertices, channels interleaved.
 * @param side of the square drawing.
 * @returns those channels, 0 outside the mesh, and its mask, 0 or 1. The nearest triangle wins;
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
    fillConvex(corners, side, (index) => {
      owner[index] = t;
    });
  }
  const channels = attributes.length / POINTS;
  const drawn = new Raster(side, side, channels);
  const mask = new Raster(side, side, 1);
  owner.forEach((t, i) => {
    if (t < 0) return;
    mask.data[i] = 1;
    const triangle = TRIANGLES[t];
    const weights = barycentric((i % side) + 0.5, Math.floor(i / side) + 0.5, points, triangle);
    for (let c = 0; c < channels; c++) {
      drawn.data[i * channels + c] = triangle.reduce(
        (total, k, n) => total + weights[n] * attributes[k * channels + c],
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
  const area = Math.abs(exact) < mesh.FLAT ? -mesh.FLAT : exact;
  const v = (apx * acy - apy * acx) / area;
  const w = (abx * apy - aby * apx) / area;
  const weights = [1 - v - w, v, w].map((weight) => clamp(weight, 0, 1));
  const total = Math.max(weights[0] + weights[1] + weights[2], mesh.FLAT);
  return weights.map((weight) => weight / total);
}

/** The face mesh drawn into a square. */
export interface Surface {
  /** Unit normals, camera frame, 0 outside. */
  readonly normals: Raster;
  /** Position along the camera's axis in pixels of the drawing, larger nearer; 0 outside. */
  readonly depth: Raster;
  /** 1 on the face, else 0. */
  readonly mask: Raster;
}

/**
 * Draw the face mesh: halfway between the landmarks and the mean face turned as this head is.
 *
 * @param landmarks triples in pixels of the drawing, z in the same scale, smaller nearer.
 * @param headPose rotation head to camera.
 * @param side of the square.
 */
export function surface(landmarks: Float32Array, headPose: Matrix, side: number): Surface {
  const camera = landmarks.slice(0, POINTS * 3).map((value, i) => (i % 3 === 0 ? value : -value));
  const own = vertexNormals(camera);
  const posed = VERTICES.map((vertex) => times(headPose, vertex));
  const depth = templateDepth(camera, posed);
  const middle = mean(POINTS, (i) => camera[i * 3 + 2]);
  const mixed = new Float64Array(POINTS * 4);
  const mix = (a: number, b: number): number =>
    a * (1 - mesh.TEMPLATE_SHARE) + b * mesh.TEMPLATE_SHARE;
  for (let i = 0; i < POINTS; i++) {
    const [x, y, z] = TEMPLATE_NORMALS.subarray(i * 3, i * 3 + 3);
    const turned = times(headPose, [x, y, z]);
    for (let c = 0; c < 3; c++) mixed[i * 4 + c] = mix(own[i * 3 + c], turned[c]);
    mixed[i * 4 + 3] = mix(camera[i * 3 + 2] - middle, depth[i]);
  }
  const n = mesh.SAMPLES;
  const [fine, covered] = rasterize(landmarks.map((value) => value * n), mixed, side * n);
  const directions = Float32Array.from({ length: side * n * side * n * 3 }, (_, i) =>
    fine.data[Math.floor(i / 3) * 4 + (i % 3)],
  );
  normalizeTriples(directions);
  const share = shrink(covered, n);
  const mask = share.map((part) => (part >= mesh.COVERED ? 1 : 0));
  const drawn = shrink(new Raster(side * n, side * n, 3, directions), n);
  normalizeTriples(drawn.data);
  const near = shrink(fine.channel(3), n).zip(share, (value, part) => value / Math.max(part, mesh.COVERED));
  return {
    normals: drawn.weighted(mask),
    depth: near.zip(mask, (value, inside) => value * inside),
    mask,
  };
}

/** Depth of the mean face's points, turned, as large as the landmarks in camera frame show it. */
function templateDepth(camera: Float32Array, posed: readonly Vector[]): Float64Array {
  let [cross, own] = [0, 0];
  for (const c of [0, 1]) {
    const middle = mean(POINTS, (i) => posed[i][c]);
    const seen = mean(POINTS, (i) => camera[i * 3 + c]);
    posed.forEach((point, i) => {
      cross += (point[c] - middle) * (camera[i * 3 + c] - seen);
      own += (point[c] - middle) ** 2;
    });
  }
  const middle = mean(POINTS, (i) => posed[i][2]);
  return Float64Array.from(posed, (point) => ((point[2] - middle) * cross) / own);
}

function mean(count: number, value: (index: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += value(i);
  return total / count;
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
