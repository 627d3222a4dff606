/**
 * One model in a process of its own, so that its peak memory is its own:
 *
 *   node tools/full-size/worker.mjs MODEL CHECKPOINT WORK-FOLDER ENGINE PRECISION THREADS
 *
 * The last line of stdout is what was measured, in JSON.
 */
import {
  compact,
  disposeTree,
  downloadTree,
  measureLatency,
  tidyTree,
} from '../../packages/core/dist/index.js';
import { startEngine } from '../../packages/engine/dist/index.js';
import { importModel, loadModel, saveModel } from '../../packages/formats/dist/index.js';
import { upopMethods } from '../../packages/upop/dist/index.js';
import { greatestDifference, inputsOf } from './inputs.mjs';
import { peakMib, resetPeak } from './memory.mjs';
import { fullSizeModels } from './models.mjs';

/** The distance that outputs may have when only the order of sums differs, relative to the largest of them. */
const TOLERANCE = { f32: 1e-4, bf16: 5e-2 };
const BUDGET = { unit: 'compressible-parameters', keep: 0.5 };
const LATENCY_RUNS = { warmup: 2, runs: 7 };

const [name, checkpoint, work, engine, precision, threads] = process.argv.slice(2);
const { batchSizes, expected } = fullSizeModels[name];
const started = await startEngine(engine, { precision, threads: Number(threads) });
if (started.precision !== precision) throw new Error(`${engine} does not compute in ${precision}`);

const stages = {};
const dense = await stage('import', () => importModel(checkpoint));
checkAccount(dense.model.account);
const sample = inputsOf(dense.model.config, batchSizes[0]);
const denseMs = await stage('run dense', () => latencies(dense.model, dense.params));

const { masked, decision, small } = await stage('compress', () => compressed(dense));
const fromMasked = await predicted(dense.model, masked, sample);
disposeTree(masked);
disposeTree(dense.params);
const fromCut = await predicted(small.model, small.params, sample);
const cutDifference = same('the cut and the masked model', fromCut, fromMasked, TOLERANCE[precision]);

const smallMs = await stage('run compressed', () => latencies(small.model, small.params));
await stage('save', () => saveModel(work, { ...small, decision }));
disposeTree(small.params);
const loaded = await stage('load', () => loadModel(work));
same('the loaded and the saved model', await predicted(loaded.model, loaded.params, sample), fromCut, 0);

console.log(
  JSON.stringify({
    engine: started.name,
    stages,
    batchSizes,
    dense: { ...costOf(dense.model), latencyMs: denseMs },
    compressed: { ...costOf(loaded.model), latencyMs: smallMs },
    cutDifference,
  }),
);

async function stage(title, work) {
  resetPeak();
  const start = performance.now();
  const result = await work();
  stages[title] = { ms: performance.now() - start, peakMib: peakMib() };
  console.error(`  ${title}: ${(stages[title].ms / 1000).toFixed(1)} s`);
  return result;
}

/** Half of what can go goes at once, by the norms of the weights: no data, no training. */
async function compressed({ model, params }) {
  const magnitude = upopMethods.find(({ manifest }) => manifest.name === 'magnitude');
  const method = magnitude.configure({ search: '0it' });
  method.plan(model, BUDGET);
  const nothing = () => {
    throw new Error('pruning at once needs neither data nor training');
  };
  const found = await method.compress({
    model,
    params,
    task: {
      name: 'none',
      metric: 'none',
      ...{ predict: nothing, loss: nothing, divergence: nothing, distillation: nothing, scorer: nothing },
    },
    budget: BUDGET,
    seed: 1,
    stepsIn: () => 0,
    train: nothing,
  });
  const { params: masked, decision } = found;
  return { masked, decision, small: compact(model, masked, decision) };
}

async function latencies(model, params) {
  const results = {};
  for (const batchSize of batchSizes) {
    const inputs = inputsOf(model.config, batchSize);
    const { p50Ms } = await measureLatency({ predict: model.forward }, params, inputs, LATENCY_RUNS);
    disposeTree(inputs);
    results[batchSize] = p50Ms;
  }
  return results;
}

async function predicted(model, params, inputs) {
  const prediction = tidyTree(() => model.forward(params, inputs));
  const host = await downloadTree(prediction);
  disposeTree(prediction);
  return host;
}

function same(what, actual, wanted, tolerance) {
  const difference = greatestDifference(actual, wanted);
  if (difference <= tolerance) return difference;
  throw new Error(`${what} differ by ${difference} of the largest output, more than ${tolerance}`);
}

function costOf({ account: { parameters, macs } }) {
  return { parameters, macs };
}

function checkAccount({ parameters, macs }) {
  if (parameters !== expected.parameters)
    throw new Error(`expected ${expected.parameters} parameters, got ${parameters}`);
  const gigaMacs = (macs / 1e9).toFixed(3);
  if (expected.gigaMacs !== undefined && gigaMacs !== expected.gigaMacs.toFixed(3))
    throw new Error(`expected ${expected.gigaMacs} G MACs, got ${gigaMacs}`);
}
