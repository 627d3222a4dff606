import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { backend, setBackend } from '@tensorflow/tfjs-core';
import type { EngineDriver } from './driver';
import { tuneKernels } from './wasm/tuning';

const wasmPackage = '@tensorflow/tfjs-backend-wasm';
const require = createRequire(import.meta.url);

/** tfjs-backend-wasm with our kernels where its own are slow. Runs everywhere, on one thread. */
export const wasmDriver: EngineDriver = {
  availability({ precision = 'f32', threads = 1, device = 'cpu' }) {
    const reasons = [
      ...(precision !== 'bf16' ? [] : [`it computes in f32 only, not in ${precision}`]),
      // tfjs builds its threads from web workers, which Node does not have.
      ...(threads === 1 ? [] : [`it runs on one thread, not on ${threads}`]),
      ...(device === 'cpu' ? [] : [`it runs on the CPU only, not on ${device}`]),
    ];
    return Promise.resolve(
      reasons.length === 0 ? { available: true } : { available: false, reason: reasons.join(', and ') },
    );
  },
  async start() {
    const {
      BackendWasm,
      setWasmPaths,
      version_wasm: version,
    } = await import('@tensorflow/tfjs-backend-wasm');
    // tfjs-core comes without gradients; its union package registers them, for all backends, when it is loaded.
    await import('@tensorflow/tfjs');
    // The compiled files lie beside the package's main file; without this, tfjs looks in the working directory.
    setWasmPaths(dirname(require.resolve(wasmPackage)) + sep);
    const isStarted = await setBackend('wasm');
    const started = backend();
    if (!isStarted || !(started instanceof BackendWasm))
      throw new Error('The wasm backend of tfjs did not start.');
    tuneKernels(started);
    const description = `wasm ${version} (SIMD, one thread); the native engines are several times faster: npm run setup`;
    return { description, precision: 'f32', threads: 1, device: 'cpu' };
  },
};
