// SPDX-License-Identifier: Apache-2.0
/** TFLite models in WebAssembly: the one place that knows LiteRT. */
import { loadAndCompile, loadLiteRt, Tensor, type CompiledModel } from "@litertjs/core";

/** What the library's manifest says of its models; inputs and outputs are shapes by name. */
interface Manifest {
  readonly version: string;
  readonly models: Record<string, Listed>;
}

interface Listed {
  readonly file: string;
  readonly sha256: string;
  readonly inputs: object;
  readonly outputs: object;
}

/** Arrays by the names of a model's inputs or outputs; none has a batch axis. */
export type Arrays = Record<string, Float32Array>;

/** The build without relaxed SIMD, which every browser runs. */
const LITERT = "litert_wasm_compat_internal";

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

/** The library's models, ours and MediaPipe's; each is loaded at its first use, then kept. */
export class Models {
  private readonly loaded = new Map<string, Promise<CompiledModel>>();
  private manifest: Promise<Manifest> | null = null;

  /** @param base address of the page's folder, with a slash at its end. */
  constructor(private readonly base: string) {}

  /** Load all models, so that the first photo does not wait. */
  async warm(): Promise<void> {
    for (const name of Object.keys((await this.listed()).models)) await this.model(name);
  }

  /** The models' own version. */
  async version(): Promise<string> {
    return (await this.listed()).version;
  }

  /** Outputs of a model by name; it is given what it asks for. */
  async run(name: string, inputs: Arrays): Promise<Arrays> {
    const model = await this.model(name);
    const tensors = model.getInputDetails().map(({ name: input, shape }) => {
      if (!(input in inputs)) throw new Error(`the ${name} model wants ${input}; reload the page`);
      return new Tensor(inputs[input], [...shape]);
    });
    const found = await model.run(tensors);
    tensors.forEach((tensor) => tensor.delete());
    const outputs = model.getOutputDetails().map(
      async ({ name: output }, k): Promise<[string, Float32Array]> => [output, await taken(found[k])],
    );
    return Object.fromEntries(await Promise.all(outputs));
  }

  private model(name: string): Promise<CompiledModel> {
    let model = this.loaded.get(name);
    if (model === undefined) {
      model = this.load(name);
      this.loaded.set(name, model);
      model.catch(() => this.loaded.delete(name)); // the next photo tries again
    }
    return model;
  }

  private async load(name: string): Promise<CompiledModel> {
    await start(this.base);
    const listed = (await this.listed()).models[name];
    if (listed === undefined) throw new Error(`there is no model ${name}; reload the page`);
    // The checksum in the address makes a new model a new file for every cache.
    const content = await fetched(`${this.base}models/${listed.file}?${listed.sha256}`);
    const model = await loadAndCompile(content, { accelerator: "wasm" });
    const names = model.getInputDetails().concat(model.getOutputDetails()).map((one) => one.name);
    const wanted = [...Object.keys(listed.inputs), ...Object.keys(listed.outputs)];
    if (names.sort().join() !== wanted.sort().join()) {
      throw new Error(`the ${name} model is not the one listed; reload the page`);
    }
    return model;
  }

  private listed(): Promise<Manifest> {
    this.manifest ??= fetched(`${this.base}models/models.json`).then(
      (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as Manifest,
    );
    this.manifest.catch(() => (this.manifest = null));
    return this.manifest;
  }
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
