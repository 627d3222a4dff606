/**
 * Times training steps on every engine that is there: the dense step against UPop's search step, interleaved, medians.
 * `npm run bench` sets up and builds first; `npm run bench -- --engine wasm --rounds 6` narrows or widens it.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import * as core from '../../packages/core/dist/index.js';
import { availableEngines, startEngine } from '../../packages/engine/dist/index.js';
import { upopMethods } from '../../packages/upop/dist/index.js';

const { values: flags } = parseArgs({
  options: {
    engine: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    model: { type: 'string', default: 'nano' },
    'image-size': { type: 'string', default: '32' },
    'patch-size': { type: 'string', default: '8' },
    'batch-size': { type: 'string', default: '64' },
    precision: { type: 'string', default: 'f32' },
    threads: { type: 'string' },
    device: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const batchSize = Number(flags['batch-size']);
const STEPS_PER_ROUND = 21;
const MASK_INTERVAL = 20; // what 1,000 iterations at 2× would take: one update for each percent of p
const imageSize = Number(flags['image-size']);
const classes = 9;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Durations of the steps of one training, without the first, which pays for copies and kernels' first use. */
async function timed(training) {
  const times = [];
  let last = performance.now();
  const trained = await core.train(training, {
    onStep: () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
    },
  });
  return { trained, times: times.slice(1) };
}

async function benchmark(engine) {
  const threads = flags.threads === undefined ? undefined : Number(flags.threads);
  const started = await startEngine(engine, { precision: flags.precision, threads, device: flags.device });
  const model = core.visionTransformer(
    core.visionTransformerConfig(flags.model, { imageSize, patchSize: Number(flags['patch-size']), classes }),
  );
  const params = core.initialize(model.specs, 1);
  const task = core.classification(model, { imageSize, channels: 3, classes });
  const random = core.randomStream(1, 'bench');
  const batch = {
    size: batchSize,
    images: Float32Array.from({ length: batchSize * imageSize * imageSize * 3 }, () => random.normal()),
    labels: Int32Array.from({ length: batchSize }, () => random.integer(classes)),
  };
  const batches = { batchSize, stepsPerEpoch: STEPS_PER_ROUND, at: () => Promise.resolve(batch) };
  const optimizer = () => core.adamw({ schedule: core.constant(1e-4), weightDecay: 0.05 });

  const times = { dense: [], search: [] };
  const upop = upopMethods
    .find(({ manifest }) => manifest.name === 'upop')
    .configure({ search: `${STEPS_PER_ROUND}it`, interval: MASK_INTERVAL });
  for (let round = 0; round <= rounds; round++) {
    const dense = await timed({
      params,
      state: {},
      task,
      effective: (own) => own,
      optimizer: optimizer(),
      batches,
      steps: STEPS_PER_ROUND,
    });
    core.disposeTree(dense.trained.params);
    let searchTimes = [];
    const compressed = await upop.compress({
      model,
      params,
      task,
      budget: { unit: 'compressible-parameters', keep: 0.5 },
      seed: 1,
      stepsIn: () => STEPS_PER_ROUND,
      train: async (_name, phase) => {
        const { trained, times } = await timed({ ...phase, task, batches });
        searchTimes = times;
        return trained;
      },
    });
    core.disposeTree(compressed.params);
    if (round === 0) continue; // warm-up
    times.dense.push(...dense.times);
    times.search.push(...searchTimes);
  }
  core.disposeTree(params);

  const label = started.precision === 'f32' ? engine : `${engine} ${started.precision}`;
  const rate = (ms) => (1000 * batchSize) / ms;
  const gflops = (ms) => (2 * 3 * model.account.macs * batchSize) / ms / 1e6;
  const row = (name, ms) =>
    `| ${label} | ${flags.model} | ${name} | ${ms.toFixed(1)} | ${rate(ms).toFixed(0)} | ${gflops(ms).toFixed(1)} |`;
  const [dense, search] = [median(times.dense), median(times.search)];
  console.error(started.description);
  console.log(row('dense step', dense));
  console.log(row('UPop search step', search));
  console.log(`| ${label} | ${flags.model} | **search / dense** | **${(search / dense).toFixed(3)}** | | |`);
}

const engines = (await availableEngines()).filter(({ available }) => available).map(({ name }) => name);
console.error(
  `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; ${imageSize} px, batch ${batchSize}`,
);
console.log('| engine | model | what | median ms | images/s | GFLOP/s |');
console.log('|---|---|---|---|---|---|');
for (const engine of flags.engine === undefined ? engines : [flags.engine]) await benchmark(engine);
