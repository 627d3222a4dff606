import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { backend, getBackend, setBackend } from '@tensorflow/tfjs-core';
import type { EngineDriver, RunningEngine } from './driver';

const nodePackage = '@tensorflow/tfjs-node-gpu';
const require = createRequire(import.meta.url);

/** TensorFlow's own kernels, on all CPU cores or an NVIDIA GPU, through @tensorflow/tfjs-node-gpu. */
export const tensorflowDriver: EngineDriver = {
  availability({ precision = 'f32' }) {
    const missing = precision !== 'bf16' ? missingPart() : `it computes in f32 only, not in ${precision}`;
    return Promise.resolve(
      missing === undefined ? { available: true } : { available: false, reason: missing },
    );
  },
  async start({ threads, device }) {
    // TensorFlow reads these when it is loaded; what the user has set stays. Deterministic kernels cost nothing on the
    // CPU, whose results do not vary anyway; on a GPU they rule out sums in the order in which threads happen to finish.
    process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
    process.env['TF_DETERMINISTIC_OPS'] ??= '1';
    if (threads !== undefined) setThreads(threads);
    restoreRemovedUtilities();
    require(nodePackage);
    const isStarted = await setBackend('tensorflow');
    if (!isStarted || getBackend() !== 'tensorflow')
      throw new Error(`${nodePackage} did not register its backend.`);
    const running = runningEngine();
    if (device !== undefined && device !== running.device && `${device}:0` !== running.device) {
      throw new Error(
        `it runs on ${running.device}, not on ${device}; CUDA_VISIBLE_DEVICES chooses a GPU or, empty, none`,
      );
    }
    return running;
  },
};

const THREADS = 'TF_NUM_INTRAOP_THREADS';

/** TensorFlow makes its threads once, when it is loaded. */
function setThreads(threads: number): void {
  if (getBackend() === 'tensorflow' && threads !== threadCount()) {
    throw new Error(`it has been started with ${threadCount()} threads, not with ${threads}`);
  }
  process.env[THREADS] = String(threads);
}

const threadCount = (): number => Number(process.env[THREADS] ?? availableParallelism());

/** The package may be left out by npm, and its native half is made by the set-up. */
function missingPart(): string | undefined {
  try {
    const binding = join(
      dirname(require.resolve(`${nodePackage}/package.json`)),
      'lib',
      'napi-v8',
      'tfjs_binding.node',
    );
    return existsSync(binding) ? undefined : 'its native binding has not been made: npm run setup';
  } catch {
    return `the optional package ${nodePackage} is not installed: npm run setup`;
  }
}

/**
 * tfjs-node 4.22 calls util.isNullOrUndefined and util.isArray, for every kernel that takes a list and for TopK. Node
 * warns about them since version 22 and has removed them in 23.
 */
function restoreRemovedUtilities(): void {
  const nodeUtilities: object = require('node:util');
  Object.assign(nodeUtilities, {
    isArray: Array.isArray,
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  });
}

function runningEngine(): RunningEngine {
  const started: object = backend();
  const binding: unknown = Reflect.get(started, 'binding');
  const version =
    typeof binding === 'object' && binding !== null ? String(Reflect.get(binding, 'TF_Version')) : '';
  const isOnGpu = Reflect.get(started, 'isUsingGpuDevice') === true;
  const threads = threadCount();
  return {
    description: `tensorflow ${version} on ${isOnGpu ? 'the GPU' : `the CPU (${threads} threads)`}`,
    precision: 'f32',
    threads,
    device: isOnGpu ? 'cuda:0' : 'cpu',
  };
}
