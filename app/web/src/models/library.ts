// SPDX-License-Identifier: Apache-2.0
/** TFLite models in WebAssembly: the one place that knows LiteRT. */
import { devDependencies } from "../../package.json";
import { Trouble } from "../trouble";
import { Downloads, type Progress } from "./download";
import { loadAndCompile, loadLiteRt, Tensor, type CompiledModel } from "@litertjs/core";

/** What the library's manifest says of its models; inputs and outputs are shapes by name. */
interface Manifest {
  readonly version: string;
  readonly models: Record<string, Listed>;
}

interface Listed {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly inputs: object;
  readonly outputs: object;
}

/** Arrays by the names of a model's inputs or outputs; none has a batch axis. */
export type Arrays = Record<string, Float32Array>;

/** The build without relaxed SIMD, which every browser runs; a new version is a new address. */
const LITERT = `litert-${devDependencies["@litertjs/core"]}/litert_wasm_compat_internal`;
/** Bytes of its WebAssembly, about. */
const LITERT_SIZE = 9.3e6;

/** Name of a model's file with all even bytes first: the halves of numbers of 16 bits. */
const HALVES = ".halves";

let runtime: Promise<unknown> | null = null;

/** Start WebAssembly once. A server that cannot send it compressed has it packed. */
function start(base: string, downloads: Downloads): Promise<unknown> {
  const load = async (): Promise<unknown> => {
    const wasmBinary = await wasm(`${base}${LITERT}.wasm`, downloads);
    Object.assign(self, { Module: { wasmBinary } }); // where LiteRT's loader looks for it
    return loadLiteRt(`${base}${LITERT}.js`);
  };
  runtime ??= load();
  runtime.catch(() => (runtime = null)); // the next photo tries again
  return runtime;
}

async function wasm(address: string, downloads: Downloads): Promise<Uint8Array> {
  try {
    return await downloads.fetch(address, LITERT_SIZE);
  } catch (error) {
    if (error instanceof Trouble && error.kind === "outdated") {
      return unpacked(await downloads.fetch(`${address}.gz`));
    }
    throw error;
  }
}

/** The library's models, ours and MediaPipe's; each is loaded at its first use, then kept. */
export class Models {
  private readonly loaded = new Map<string, Promise<CompiledModel>>();
  private manifest: Promise<Manifest> | null = null;
  private compiling: Promise<unknown> = Promise.resolve();
  private readonly downloads: Downloads;

  /**
   * @param base address of the page's folder, with a slash at its end.
   * @param report called as downloads come in.
   */
  constructor(
    private readonly base: string,
    report?: (progress: Progress) => void,
  ) {
    this.downloads = new Downloads(report);
  }

  /** Load all models, so that the first photo does not wait. */
  async warm(): Promise<void> {
    const { models } = await this.listed();
    this.downloads.expect(`${this.base}${LITERT}.wasm`, LITERT_SIZE);
    for (const listed of Object.values(models)) {
      this.downloads.expect(this.address(listed), listed.bytes);
    }
    await Promise.all(Object.keys(models).map((name) => this.model(name)));
  }

  /** The models' own version. */
  async version(): Promise<string> {
    return (await this.listed()).version;
  }

  /** Outputs of a model by name; it is given what it asks for. */
  async run(name: string, inputs: Arrays): Promise<Arrays> {
    const model = await this.model(name);
    const tensors = model.getInputDetails().map(({ name: input, shape }) => {
      if (!(input in inputs)) throw new Trouble("outdated", { file: name });
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
    const listed = (await this.listed()).models[name];
    if (listed === undefined) throw new Trouble("outdated", { file: name });
    const [content] = await Promise.all([this.content(listed), start(this.base, this.downloads)]);
    const model = await this.compiled(content);
    const names = model.getInputDetails().concat(model.getOutputDetails()).map((one) => one.name);
    const wanted = [...Object.keys(listed.inputs), ...Object.keys(listed.outputs)];
    if (names.sort().join() !== wanted.sort().join()) {
      throw new Trouble("outdated", { file: listed.file });
    }
    return model;
  }

  /** One model after the other: LiteRT makes what they share at the first. */
  private compiled(content: Uint8Array): Promise<CompiledModel> {
    const compile = (): Promise<CompiledModel> => loadAndCompile(content, { accelerator: "wasm" });
    const model = this.compiling.then(compile, compile);
    this.compiling = model.catch(() => null);
    return model;
  }

  /** A model's file; servers that know how send its bytes in an order that packs better. */
  private async content(listed: Listed): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return joined(await this.downloads.fetch(this.address(listed), listed.bytes));
    } catch (error) {
      if (!(error instanceof Trouble && error.kind === "outdated")) throw error;
      return this.downloads.fetch(this.address(listed, ""), listed.bytes);
    }
  }

  /** The checksum in the address makes a new model a new file for every cache. */
  private address({ file, sha256 }: Listed, order = HALVES): string {
    return `${this.base}models/${file}${order}?${sha256}`;
  }

  private listed(): Promise<Manifest> {
    this.manifest ??= this.downloads
      .fetch(`${this.base}models/models.json`)
      .then((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as Manifest);
    this.manifest.catch(() => (this.manifest = null));
    return this.manifest;
  }
}

/** Bytes whose even ones came first, then the odd ones. */
function joined(halves: Uint8Array): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(halves.length);
  const middle = Math.ceil(halves.length / 2);
  for (let i = 0; i < middle; i++) content[2 * i] = halves[i];
  for (let i = middle; i < halves.length; i++) content[2 * (i - middle) + 1] = halves[i];
  return content;
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
