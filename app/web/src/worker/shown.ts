// SPDX-License-Identifier: Apache-2.0
/** What the page is shown of faces and of light: in fractions of the photo, whatever its size. */
import type { Face } from "../face/face";
import type { Change } from "../gain/apply";
import type { Size } from "../gain/reach";
import type { Gain, ShownFace } from "./protocol";

export function shownFace({ box: [left, top, width, height] }: Face, photo: Size): ShownFace {
  return {
    left: left / photo.columns,
    top: top / photo.rows,
    width: width / photo.columns,
    height: height / photo.rows,
  };
}

export function shownGain(change: Change, photo: Size): Gain {
  const { factor, gain } = change;
  return {
    left: change.left / photo.columns,
    top: change.top / photo.rows,
    width: (gain.columns * factor) / photo.columns,
    height: (gain.rows * factor) / photo.rows,
    rows: gain.rows,
    columns: gain.columns,
    data: packed(change),
  };
}

/** Four numbers a cell: what is added to each colour, and what is taken away. */
function packed({ gain, dimming }: Change): Float32Array<ArrayBuffer> {
  const data = new Float32Array(gain.rows * gain.columns * 4);
  for (let i = 0, k = 0; k < data.length; k += 4) {
    for (let c = 0; c < 3; c++) data[k + c] = gain.data[i++];
    data[k + 3] = dimming === null ? 0 : dimming.data[k / 4];
  }
  return data;
}
