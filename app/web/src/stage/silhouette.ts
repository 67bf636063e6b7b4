// SPDX-License-Identifier: Apache-2.0
/**
 * Where a person ends: what two looks at them agree on, and for the rest what colours tell.
 *
 * Reference: He et al. 2013, "Guided Image Filtering"; a pixel counts here as far as it is certain.
 */
import { silhouette as constants } from "../constants.json";
import { smoothstep, type Crop } from "../geometry";
import { blur, PAIRS, slopes } from "../image/filter";
import { clamp, Raster } from "../image/raster";
import { resizeLinear, shrink } from "../image/resample";

const { AROUND, COLOR_EDGE, COLOR_SIDE, DOUBT, NEARER, SEEN_SIDE, UNSEEN, UNSURE } = constants;

/** What is seen of a person on a square. */
export interface Look {
  readonly crop: Crop;
  /** Encoded sRGB in [0, 1], SEEN_SIDE cells a side. */
  readonly photo: Raster;
  /** Probability of a person, as wide. */
  readonly person: Raster;
}

/** The person on the squares of a look around the head and one around the body, as both tell. */
export function silhouette(near: Look, wide: Look): [Raster, Raster] {
  const fromWide = wide.crop.ontoCrop(wide.person, near.crop, SEEN_SIDE, 0.5);
  const fromNear = near.crop.ontoCrop(near.person, wide.crop, SEEN_SIDE, 0.5);
  return [
    settled(near.photo, agreed(near.person, fromWide)),
    settled(wide.photo, agreed(fromNear, wide.person)),
  ];
}

/** The mean of two looks' probabilities, each weighed by its own certainty. */
function agreed(near: Raster, wide: Raster): Raster {
  return near.zip(wide, (one, other) => {
    const weight = NEARER * (2 * one - 1) ** 2 + UNSEEN;
    const beside = (2 * other - 1) ** 2 + UNSEEN;
    return (one * weight + other * beside) / (weight + beside);
  });
}

/** A person of whom nothing is in doubt that the colours of certain pixels around can tell. */
export function settled(photo: Raster, person: Raster): Raster {
  const doubt = person.map((p) => 1 - smoothstep(Math.abs(2 * p - 1), DOUBT[0], DOUBT[1]));
  if (doubt.data.every((value) => value === 0)) return person;
  const factor = person.rows / COLOR_SIDE;
  const fitted = fit(shrink(photo, factor), shrink(person, factor));
  const told = resizeLinear(fitted, person.rows, person.columns).data;
  return person.map((p, i) => {
    let sum = told[i * 4 + 3];
    for (let c = 0; c < 3; c++) sum += told[i * 4 + c] * photo.data[i * 3 + c];
    return p + doubt.data[i] * (clamp(sum, 0, 1) - p);
  });
}

/** Factors on red, green and blue and an offset that tell a person around. */
function fit(colors: Raster, person: Raster): Raster {
  const mean = (raster: Raster): Raster => blur(raster, 2 * AROUND + 1);
  const weight = person.map((p) => (2 * p - 1) ** 4 + UNSURE);
  const total = mean(weight);
  const weighed = (raster: Raster): Raster => mean(raster).zip(total, (sum, t) => sum / t);
  const planes = [0, 1, 2].map((c) => colors.channel(c));
  const heavy = planes.map((plane) => plane.weighted(weight));
  const [means, own] = [heavy.map(weighed), weighed(person.weighted(weight))];
  const products = PAIRS.map(([i, j]) => weighed(heavy[i].weighted(planes[j])));
  const cross = heavy.map((plane) => weighed(plane.weighted(person)));
  const found = new Raster(person.rows, person.columns, 4);
  for (let k = 0; k < person.data.length; k++) {
    const at = means.map((plane) => plane.data[k]);
    const slope = slopes(
      PAIRS.map(([i, j], n) => products[n].data[k] - at[i] * at[j]),
      cross.map((plane, c) => plane.data[k] - at[c] * own.data[k]),
      COLOR_EDGE,
    );
    const offset = own.data[k] - slope.reduce((sum, value, c) => sum + value * at[c], 0);
    [...slope, offset].forEach((value, c) => {
      found.data[k * 4 + c] = value * total.data[k];
    });
  }
  return mean(found).weighted(mean(total).map((sum) => 1 / sum));
}
