// SPDX-License-Identifier: Apache-2.0
/** TFLite models in WebAssembly: the one place that knows LiteRT. */
import { loadAndCompile, loadLiteRt, Tensor, type CompiledModel } from "@litertjs/core";

/** What the library's manifest says of its models. */
interface Manifest {
  readonly version: string;
  readonly models: Record<string, { readonly file: string; readonly sha256: string }>;
}

/** The build without relaxed SIMD, which every browser runs. */
const LITERT = "litert_wasm_compat_internal";

/** Files by what they are called here. MediaPipe's come with the page, ours with the library. */
const MEDIAPIPE = {
  face_full: "mediapipe/face_detection_full_range_sparse.tflite",
  face_short: "mediapipe/face_detection_short_range.tflite",
  face_mesh: "mediapipe/face_landmark.tflite",
  person: "mediapipe/selfie_segmentation.tflite",
} as const;

export type MediaPipeName = keyof typeof MEDIAPIPE;
/** Arrays by the names of a model's inputs or outputs; none has a batch axis. */
export type Arrays = Record<string, Float32Array>;
export type NetworkName = "normals" | "lighting" | "quotient";

let runtime: Promise<unknown> | null = null;

/** Start WebAssembly once. The build ships it compressed: no server need know how to. */
function start(base: string): Promise<unknown> {
  const load = async (): Promise<unknown> => {
    const wasmBinary = await unpacked(await fetched(`${base}litert/${LITERT}.wasm.gz`));
    Object.assign(self, { Module: { wasmBinary } }); // where LiteRT's loader looks for it
    return loadLiteRt(`${base}litert/${LITERT}.js`);
  };
  runtime ??= load();
  runtime.catch(() => (runtime = null)); // the next photo tries again
  return runtime;
}

/** The page's models; each is loaded at its first use, then kept. */
export class Models {
  private readonly loaded = new Map<string, Promise<CompiledModel>>();
  private manifest: Promise<Manifest> | null = null;

  /** @param base address of the page's folder, with a slash at its end. */
  constructor(private readonly base: string) {}

  /** Load all models, so that the first photo does not wait. */
  async warm(): Promise<void> {
    const names: (MediaPipeName | NetworkName)[] = [
      ...(Object.keys(MEDIAPIPE) as MediaPipeName[]),
      "normals",
      "lighting",
      "quotient",
    ];
    for (const name of names) await this.model(name);
  }

  /** Version of the library's own models. */
  async version(): Promise<string> {
    return (await this.listed()).version;
  }

  /** Run one of MediaPipe's models on a picture; its outputs in their order. */
  async look(name: MediaPipeName, picture: Float32Array): Promise<Float32Array[]> {
    const model = await this.model(name);
    const [input] = model.getInputDetails();
    const tensor = new Tensor(picture, [...input.shape]);
    const outputs = await model.run([tensor]);
    tensor.delete();
    return Promise.all(outputs.map(taken));
  }

  /** Run one of the library's networks; inputs that it does not have are left out. */
  async run(
    name: NetworkName,
    inputs: Record<string, Float32Array>,
  ): Promise<Record<string, Float32Array>> {
    const model = await this.model(name);
    const tensors = Object.fromEntries(
      model.getInputDetails().map(({ name: key, shape }) => {
        if (!(key in inputs)) throw new Error(`the ${name} network wants ${key}; reload the page`);
        return [key, new Tensor(inputs[key], [...shape])];
      }),
    );
    const found = await model.run(tensors);
    Object.values(tensors).forEach((tensor) => tensor.delete());
    const entries = Object.entries(found).map(
      async ([key, tensor]): Promise<[string, Float32Array]> => [key, await taken(tensor)],
    );
    return Object.fromEntries(await Promise.all(entries));
  }

  private model(name: MediaPipeName | NetworkName): Promise<CompiledModel> {
    let model = this.loaded.get(name);
    if (model === undefined) {
      model = this.load(name);
      this.loaded.set(name, model);
      model.catch(() => this.loaded.delete(name)); // the next photo tries again
    }
    return model;
  }

  private async load(name: MediaPipeName | NetworkName): Promise<CompiledModel> {
    await start(this.base);
    if (name in MEDIAPIPE) {
      return compile(await fetched(`${this.base}${MEDIAPIPE[name as MediaPipeName]}`));
    }
    const { file, sha256 } = (await this.listed()).models[name];
    // The checksum in the address makes a new model a new file for every cache.
    return compile(await fetched(`${this.base}models/${file}?${sha256}`));
  }

  private listed(): Promise<Manifest> {
    this.manifest ??= fetched(`${this.base}models/models.json`).then(
      (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as Manifest,
    );
    return this.manifest;
  }
}

function compile(content: Uint8Array): Promise<CompiledModel> {
  return loadAndCompile(content, { accelerator: "wasm" });
}

async function fetched(address: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} cannot be loaded (${answer.status}); reload the page`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** A gzip file's content; what a server unpacked on its way is left as it is. */
async function unpacked(content: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (content[0] !== 0x1f || content[1] !== 0x8b) return content;
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A tensor's numbers; the tensor is freed. */
async function taken(tensor: Tensor): Promise<Float32Array> {
  const data = ((await tensor.data()) as Float32Array).slice(); // out of WebAssembly's memory
  tensor.delete();
  return data;
}
