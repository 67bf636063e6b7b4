// SPDX-License-Identifier: Apache-2.0
/** From pixels to what networks see, detections, landmarks, faces and outlines, against Python. */
import { FULL, SHORT } from "../src/face/detector";
import { regionOf } from "../src/face/landmark";
import { Perception } from "../src/face/perception";
import { Pyramid, Region } from "../src/face/region";
import { findFaces } from "../src/face/search";
import { brightened, lifted } from "../src/face/tone";
import type { Pixels } from "../src/image/raster";
import type { Models } from "../src/models/library";
import { array, close, entries, matches, raster, square, values } from "./vector";
import { opaque } from "./picture";

const SAMPLE_SIDE = 48;

/** The example in small, as it is, upside down and dark, and leaning. */
function pictures(leaning: Pixels): Record<string, Pixels> {
  const [rows, columns] = entries["perception/photo"].shape;
  const upright = array("perception/photo");
  const last = rows * columns - 1;
  const hanging = upright.map((_, i) => upright[(last - Math.floor(i / 3)) * 3 + (i % 3)]);
  const dark = upright.map((value) => Math.floor(value / values["perception/darkness"]));
  return {
    upright: opaque(rows, columns, upright),
    leaning,
    "upside down": opaque(rows, columns, hanging),
    dark: opaque(rows, columns, dark),
  };
}

function regionFrom({ x, y, side, angle }: any): Region {
  return new Region(x, y, side, angle);
}

function checkSamples(shown: Record<string, Pixels>): void {
  values["perception/samples"].forEach((one: any, i: number) => {
    const seen = new Pyramid(shown.upright).sample(regionFrom(one), SAMPLE_SIDE, one.repeat);
    matches(`perception/sample/${i}`, seen ?? [], 1e-3, 0.01);
  });
  const { rows, columns } = shown.dark;
  const dark = new Pyramid(shown.dark).sample(Region.whole(rows, columns), SAMPLE_SIDE, false);
  if (dark === null) throw new Error("a photo lies in its own middle");
  matches("perception/lifted", lifted(dark), 1e-3, 0.01);
  matches("perception/brightened", brightened(dark), 1e-3, 0.01);
}

async function checkDetections(
  perception: Perception,
  shown: Record<string, Pixels>,
): Promise<void> {
  for (const [i, one] of values["perception/detections"].entries()) {
    const name = `perception/detections/${i}`;
    const photo = new Pyramid(shown[one.photo]);
    const layout = [FULL, SHORT].find(({ model }) => model === one.layout) ?? FULL;
    const found = await perception.boxes(photo, { layout, region: regionFrom(one) });
    const numbers = ({ x, y, width, height, points, score }: any): number[] => [
      ...[x, y, width, height, score],
      ...points.flat(),
    ];
    close(name, found.flatMap(numbers), one.found.flatMap(numbers), 1e-3, 0.01);
    if (one.presence === null) continue;
    const fit = await perception.landmarks(photo, regionOf(found[0]));
    close(`${name} presence`, [fit?.presence ?? NaN], [one.presence], 1e-4);
    matches(`perception/mesh/${i}`, fit?.landmarks ?? [], 1e-3, 0.02);
  }
}

async function checkFaces(perception: Perception, shown: Record<string, Pixels>): Promise<void> {
  for (const [name, photo] of Object.entries(shown)) {
    const faces = await findFaces(perception, photo);
    const wanted: any[] = values["perception/faces"][name];
    close(`perception/faces/${name}`, [faces.length], [wanted.length], 0);
    faces.slice(0, wanted.length).forEach((face, i) => {
      const { presence, head_pose, crop } = wanted[i];
      const { x, y, size, roll } = square(crop);
      close(`${name} presence ${i}`, [face.presence], [presence], 1e-3);
      close(`${name} pose ${i}`, face.headPose.flat(), head_pose.flat(), 5e-4);
      close(`${name} crop ${i}`, [face.crop.x, face.crop.y, face.crop.size], [x, y, size], 0.02);
      close(`${name} roll ${i}`, [face.crop.roll], [roll], 1e-4);
      matches(`perception/landmarks/${name}/${i}`, face.landmarks, 5e-3, 0.05);
    });
    if (name !== "leaning") continue;
    const crop = faces[0].crop.extract(photo, raster("perception/person").rows);
    const outline = crop && (await perception.person(crop)).data.map((value) => value * 255);
    matches("perception/person", outline ?? [], 0.3, 3);
  }
}

export async function checkPerception(models: Models, leaning: Pixels): Promise<void> {
  const [shown, perception] = [pictures(leaning), new Perception(models)];
  checkSamples(shown);
  await checkDetections(perception, shown);
  await checkFaces(perception, shown);
}
