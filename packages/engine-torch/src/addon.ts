import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The exports of addon/module.cc. Arguments and results of all calls cross in the connected array. */
export interface NativeAddon {
  readonly version: string;
  /** Names by position: `run` takes the position. */
  readonly operations: readonly string[];
  /** May be called again to change the settings. */
  connect(slots: Float64Array, threads: number, precision: string, device: string, kernels: string): void;
  run(operation: number): void;
  upload(values: NativeValues): void;
  read(handle: number, into: NativeValues): void;
  release(handle: number): void;
  /** Writes the number of tensors and of their bytes into the slots. */
  memory(): void;
}

export type NativeValues = Float32Array | Int32Array | Uint8Array;

/** Set-up compiles the addon to this place, or links it. */
const addonFile = fileURLToPath(new URL('../build/winnow_torch.node', import.meta.url));

/** Whether the addon has been built, without loading it. */
export function isBuilt(): boolean {
  return existsSync(addonFile);
}

/** @throws {Error} if it has not been built or does not load (its libtorch was removed, say). */
export function loadAddon(): NativeAddon {
  const loaded: unknown = createRequire(import.meta.url)(addonFile);
  if (isAddon(loaded)) return loaded;
  throw new Error(
    'The torch engine expected an addon of its own version and found another. Build it again: npm run setup.',
  );
}

function isAddon(loaded: unknown): loaded is NativeAddon {
  if (typeof loaded !== 'object' || loaded === null) return false;
  const functions = ['connect', 'run', 'upload', 'read', 'release', 'memory'];
  return (
    functions.every((name) => typeof Reflect.get(loaded, name) === 'function') &&
    Array.isArray(Reflect.get(loaded, 'operations')) &&
    typeof Reflect.get(loaded, 'version') === 'string'
  );
}
