import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { declared } from './signatures';

/** The exports of addon/module.cc. Arguments and results of all calls cross in the connected array. */
export interface NativeAddon {
  readonly version: string;
  /** Names by position: `run` takes the position. */
  readonly operations: readonly string[];
  /** The signatures that it was compiled with. */
  readonly signatures: Readonly<Record<string, string>>;
  /** May be called again to change the settings. */
  connect(slots: Float64Array, threads: number, precision: string, device: string, kernels: string): void;
  /** Tells whether products of bf16 are faster on the device than those of f32. */
  multipliesBf16(device: string, kernels: string): boolean;
  run(operation: number): void;
  upload(values: NativeValues): void;
  /** Uploads to a GPU beside what it computes: to be claimed before it is read. */
  stage(values: NativeValues): void;
  claim(handle: number): void;
  read(handle: number, into: NativeValues): void;
  release(handle: number): void;
  /** Writes the number of tensors and of their bytes into the slots. */
  memory(): void;
  /** Hands memory that was freed, and kept for later, back to the system. */
  giveBack(): void;
}

export type NativeValues = Float32Array | Int32Array | Uint8Array;

/** Set-up compiles the addon to this place, or links it. */
const addonFile = fileURLToPath(new URL('../build/winnow_torch.node', import.meta.url));

/** Whether the addon has been built, without loading it. */
export function isBuilt(): boolean {
  return existsSync(addonFile);
}

/** @throws {Error} if it has not been built, does not load (its libtorch was removed, say) or is of other sources. */
export function loadAddon(): NativeAddon {
  return checkedAddon(createRequire(import.meta.url)(addonFile));
}

/**
 * The addon, if it was compiled from the sources that lie beside this file, as far as both halves depend on each other:
 * every operation takes the arguments that are written for it.
 * @throws {Error} if it was not: an older one has other operations, or reads their arguments in another way.
 */
export function checkedAddon(loaded: unknown): NativeAddon {
  const difference = isAddon(loaded)
    ? differenceFrom(loaded)
    : 'its exports are not those that this version calls';
  if (isAddon(loaded) && difference === undefined) return loaded;
  throw new Error(`the torch addon was built for other sources: run \`npm run setup\` (${difference})`);
}

/** The first operation of which the two halves say different things. */
function differenceFrom({ operations, signatures }: NativeAddon): string | undefined {
  for (const [name, kinds] of Object.entries(declared)) {
    if (signatures[name] !== kinds)
      return `${name} takes ${signatures[name] ?? 'nothing, as it is not there'}, not ${kinds}`;
  }
  const unknown = [...Object.keys(signatures), ...operations].find((name) => declared[name] === undefined);
  return unknown === undefined ? undefined : `${unknown} is not one of this version's`;
}

function isAddon(loaded: unknown): loaded is NativeAddon {
  if (typeof loaded !== 'object' || loaded === null) return false;
  const functions = [
    'connect',
    'multipliesBf16',
    'run',
    'upload',
    'stage',
    'claim',
    'read',
    'release',
    'memory',
    'giveBack',
  ];
  const signatures: unknown = Reflect.get(loaded, 'signatures');
  return (
    functions.every((name) => typeof Reflect.get(loaded, name) === 'function') &&
    Array.isArray(Reflect.get(loaded, 'operations')) &&
    typeof signatures === 'object' &&
    signatures !== null &&
    typeof Reflect.get(loaded, 'version') === 'string'
  );
}
