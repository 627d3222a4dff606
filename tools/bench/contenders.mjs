import { fileURLToPath } from 'node:url';
import { peerSizes } from './models.mjs';
import { workerProcess } from './process.mjs';

const OUR_WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
const PEER = fileURLToPath(new URL('../peers/peer.py', import.meta.url));

/** Ours on one engine: asked, it takes so many steps and says how long each was. */
export function ours(engine, { sizes, precision, what, threads, device, patienceMs }) {
  const worker = workerProcess(process.execPath, [OUR_WORKER], { patienceMs });
  return {
    name: `Winnow, ${engine}`,
    what,
    kind: 'ours',
    take: (steps) => worker.ask({ what, engine, precision, threads, device, sizes, steps }),
    close: worker.close,
  };
}

/** PyTorch in one variant. */
export function peer(python, variant, { sizes, precision, what, threads, device = 'cpu', patienceMs }) {
  const worker = peerProcess(python, threads, patienceMs);
  const model = peerSizes(sizes);
  return {
    name: `PyTorch, ${nameOf(variant, what)}`,
    what,
    kind: variant.compile ? 'compiled' : 'eager',
    take: (steps) => worker.ask({ what, precision, device, variant, model, batch: sizes.batchSize, steps }),
    close: worker.close,
  };
}

/** GFLOP/s of the machine's large matrix products. */
export async function matrixProductPeak(python, { precision, threads, device = 'cpu', patienceMs }) {
  const worker = peerProcess(python, threads, patienceMs);
  try {
    return (await worker.ask({ what: 'gemm', precision, device, steps: 5 })).gflops;
  } finally {
    await worker.close();
  }
}

/**
 * All ways to write it in PyTorch: attention written out or its own, AdamW over lists of tensors or in one kernel, eager
 * or compiled, and in bf16 weights cast where they are used (autocast) or once per step from f32 masters. Or only those
 * with its own attention and AdamW in one kernel, or whose weights are cast once, which is the faster in bf16 on a GPU.
 */
export function peerVariants(precision, what, { onlyFused, onlyEager, onlyCast }) {
  const optimizers = what === 'infer' || onlyFused ? ['fused'] : ['foreach', 'fused'];
  const weights = precision === 'bf16' ? ['f32', 'bf16'] : ['f32'];
  const all = (onlyFused ? ['sdpa'] : ['naive', 'sdpa']).flatMap((attention) => [
    ...optimizers.map((optimizer) => ({ attention, optimizer, compile: false, weights: 'f32' })),
    ...(precision === 'bf16' ? [{ attention, optimizer: 'fused', compile: false, weights: 'bf16' }] : []),
    ...weights.map((kept) => ({ attention, optimizer: 'fused', compile: true, weights: kept })),
  ]);
  const isCast = ({ weights: kept }) => !onlyCast || precision !== 'bf16' || kept === 'bf16';
  return all.filter((variant) => isCast(variant) && !(onlyEager && variant.compile));
}

function nameOf({ attention, optimizer, compile, weights }, what) {
  return [
    compile ? 'compiled' : 'eager',
    attention === 'naive' ? 'attention written out' : 'SDPA',
    ...(what === 'infer' ? [] : [`${optimizer} AdamW`]),
    ...(weights === 'bf16' ? ['weights cast once'] : []),
  ].join(', ');
}

function peerProcess(python, threads, patienceMs) {
  const environment = {
    OMP_NUM_THREADS: String(threads),
    PYTHONDONTWRITEBYTECODE: '1', // nothing is left behind in the clone
    // What it compiles runs in this process; the compilers themselves take no more cores than the rest.
    TORCHINDUCTOR_COMPILE_THREADS: String(threads),
  };
  return workerProcess(python, [PEER, String(threads)], { environment, patienceMs });
}
