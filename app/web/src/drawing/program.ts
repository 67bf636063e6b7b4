// SPDX-License-Identifier: Apache-2.0
/** The shader that relights: photo times gain, with fill and highlight shoulder as in gain/apply.ts. */
import { apply as shoulder, cell, color } from "../constants.json";

const number = (value: number): string => value.toExponential(8);

export const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler2D;
uniform sampler2D preview; // the whole photo, perhaps smaller
uniform sampler2D detail; // a part of it at its own size
uniform sampler2D change; // added to red, green and blue; taken away
uniform vec4 part; // left, top, width and height of the detail, pixels of the photo
uniform vec4 box; // of the change, in fractions of the photo
uniform vec2 size; // of the photo, pixels
uniform vec3 view; // left and top of the photo on the canvas; canvas pixels per pixel of it
uniform float rows; // of the canvas
uniform float split; // left of this column the photo is shown as it was
uniform float level; // of the preview's ever smaller copies, the one that fits
uniform bool exact; // a pixel of the canvas is a pixel of the photo
out vec4 color;
const float CEILING = ${number(shoulder.CEILING)};
const float LIFT = ${number(cell.LIFT)};
const float KNEE = ${number(shoulder.KNEE)};
const float TINY = ${number(shoulder.TINY)};
const float OFFSET = ${number(color.OFFSET)};
float brightest(vec3 c) { return max(max(c.r, c.g), c.b); }
vec3 scaled(vec3 value, vec3 factor) {
  vec3 straight = value * factor;
  vec3 curved = (value + OFFSET) * pow(factor, vec3(${number(1 / color.GAMMA)})) - OFFSET;
  return mix(max(straight, curved), min(straight, curved), greaterThanEqual(factor, vec3(1.0)));
}
void main() {
  vec2 at = (vec2(gl_FragCoord.x, rows - gl_FragCoord.y) - view.xy) / view.z;
  vec2 place = at / size;
  vec2 within = at - part.xy;
  vec4 texel;
  if (all(greaterThanEqual(within, vec2(0.0))) && all(lessThan(within, part.zw))) {
    texel = exact ? texelFetch(detail, ivec2(within), 0) : textureLod(detail, within / part.zw, 0.0);
  } else if (exact && ivec2(size) == textureSize(preview, 0)) {
    texel = texelFetch(preview, ivec2(at), 0);
  } else {
    texel = textureLod(preview, place, level);
  }
  bool outside = any(lessThan(place, vec2(0.0))) || any(greaterThanEqual(place, vec2(1.0)));
  color = outside ? vec4(0.0) : texel;
  vec2 cell = (place - box.xy) / box.zw;
  outside = outside || any(lessThan(cell, vec2(0.0))) || any(greaterThanEqual(cell, vec2(1.0)));
  if (outside || gl_FragCoord.x < split) return;
  vec4 changed = textureLod(change, cell, 0.0);
  if (changed == vec4(0.0)) return;
  float kept = 1.0 - changed.a;
  vec3 before = scaled(texel.rgb, vec3(kept));
  vec3 after = scaled(texel.rgb, min(kept + changed.rgb, vec3(LIFT)));
  float peak = brightest(after);
  if (peak > KNEE) {
    float knee = max(brightest(before), KNEE);
    float over = max(peak - knee, 0.0);
    float room = max(CEILING - knee, 0.0);
    float bent = min(peak, knee) + room * over / (over + room + TINY);
    after = max(after * (bent / peak), before);
  }
  color = vec4(after, texel.a);
}`;
