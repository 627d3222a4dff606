import { availableParallelism } from 'node:os';
import { backend, findBackendFactory, getBackend, registerBackend, setBackend } from '@tensorflow/tfjs-core';
import { type NativeAddon, isBuilt, loadAddon } from './addon';
import { TorchBackend, backendName } from './backend';
import { registerElementwise } from './kernels/elementwise';
import { registerFused } from './kernels/fused';
import { registerIndexing } from './kernels/indexing';
import { registerRearranging } from './kernels/rearranging';
import { registerReductions } from './kernels/reductions';
import { registerSublayers } from './kernels/sublayers';
import type { Kernels, Precision, TorchOptions, TorchSettings } from './options';

export interface RunningTorch extends TorchSettings {
  /** One line about what runs. */
  readonly description: string;
}

/** Why the engine cannot be started here, without loading native code; undefined when it can. */
export function obstacle(): string | undefined {
  return isBuilt() ? undefined : 'its native addon has not been built: npm run setup';
}

/**
 * Loads libtorch, registers the backend and its kernels and makes it current. Started again, it takes the new settings.
 * @throws {Error} if the addon has not been built or does not load, if the device is not here, or if OMP_NUM_THREADS or
 * WINNOW_KERNELS says nothing that makes sense.
 */
export async function startTorch({
  precision = 'f32',
  threads = usualThreads(),
  device = 'cpu',
  kernels = kernelsAskedFor(device),
}: TorchOptions = {}): Promise<RunningTorch> {
  // Read when libtorch is loaded; what the user has set stays. Threads that wait by spinning take the core away from the
  // one they wait for as soon as anything else runs on the machine.
  process.env['OMP_WAIT_POLICY'] ??= 'passive';
  // But some microseconds of spinning spare most waits the way through the operating system.
  process.env['GOMP_SPINCOUNT'] ??= '1000';
  // Read when a GPU is first used: what cuBLAS needs to sum in the same order each time.
  process.env['CUBLAS_WORKSPACE_CONFIG'] ??= ':4096:8';
  const addon = loadAddon();
  const place = device === 'cuda' ? 'cuda:0' : device;
  const chosen = precision === 'auto' ? fastest(addon, place, kernels) : precision;
  const settings: TorchSettings = { precision: chosen, threads, device: place, kernels };
  if (findBackendFactory(backendName) === null) {
    // First, as it fails where the device is not there: tfjs would keep a backend that does not start.
    const made = new TorchBackend(addon, settings);
    // tfjs-core comes without gradients; its union package registers them, for all backends, when it is loaded.
    await import('@tensorflow/tfjs');
    registerElementwise();
    registerReductions();
    registerRearranging();
    registerIndexing();
    registerFused();
    registerSublayers();
    registerBackend(backendName, () => made);
  }
  const isStarted = await setBackend(backendName);
  if (!isStarted || getBackend() !== backendName)
    throw new Error('The torch backend did not start: build it again with npm run setup.');
  const started = backend();
  if (started instanceof TorchBackend) started.configure(settings);
  const where = settings.device === 'cpu' ? 'the CPU' : settings.device;
  const plural = threads === 1 ? 'thread' : 'threads';
  const usual = settings.device === 'cpu' ? 'own' : 'libtorch';
  const whose = kernels === usual ? '' : kernels === 'own' ? ', our kernels' : ", libtorch's kernels";
  const why =
    precision === 'auto'
      ? `, ${chosen === 'bf16' ? 'which is faster here' : 'as bf16 is no faster here'}`
      : '';
  const description = `torch ${addon.version} on ${where} (${threads} ${plural}, ${chosen}${why}${whose})`;
  return { ...settings, description };
}

const fastest = (addon: NativeAddon, device: string, kernels: Kernels): Precision =>
  addon.multipliesBf16(device, kernels) ? 'bf16' : 'f32';

/** One for each core, unless OpenMP's own variable says how many: those of the outermost level, of a list such as `4,2`. */
function usualThreads(): number {
  const wish = process.env['OMP_NUM_THREADS'] || String(availableParallelism());
  const [, threads] = /^ *([1-9]\d{0,3}) *(,.*)?$/.exec(wish) ?? [];
  if (threads !== undefined) return Number(threads);
  throw new Error(`OMP_NUM_THREADS: expected a number of threads, got "${wish}"`);
}

/**
 * So tests see on any machine what a GPU runs, and a GPU runs ours where they are asked for: they have not been measured on one
 * yet, so libtorch's come first there.
 */
function kernelsAskedFor(device: string): Kernels {
  const wish = process.env['WINNOW_KERNELS'] || (device === 'cpu' ? 'own' : 'libtorch');
  if (wish === 'own' || wish === 'libtorch') return wish;
  throw new Error(`WINNOW_KERNELS: expected own or libtorch, got "${wish}"`);
}
