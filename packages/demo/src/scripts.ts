import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Backend } from './demo-data';

const SCRIPTS = ['demo.js', 'runtime-wasm.js', 'runtime-webgpu.js'] as const;

/**
 * The scripts of the page, by their names beside it, as this package's build leaves them: this module lies one folder below
 * the package's root.
 * @throws {Error} when this package has not been built.
 */
export async function demoScripts(): Promise<ReadonlyMap<string, Uint8Array>> {
  const read = async (name: string) =>
    [name, new Uint8Array(await readFile(new URL(`../dist/${name}`, import.meta.url)))] as const;
  return new Map(await Promise.all(SCRIPTS.map(read)));
}

const binaries: Readonly<Record<Backend, string>> = {
  wasm: 'onnxruntime-web/ort-wasm-simd-threaded.wasm',
  webgpu: 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm',
};

/** ONNX Runtime itself, as WebAssembly. */
export const runtimeBinary = async (backend: Backend): Promise<Uint8Array> =>
  new Uint8Array(await readFile(createRequire(import.meta.url).resolve(binaries[backend])));
