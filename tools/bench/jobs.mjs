import * as core from '../../packages/core/dist/index.js';
import { upopMethods } from '../../packages/upop/dist/index.js';
import { modelOf } from './models.mjs';

/** More steps than any benchmark takes: a training that waits for the next request, and ends with its process. */
const ENDLESS = 1_000_000;
const MASK_INTERVAL = 20; // what 1,000 iterations at 2× would take: one update for each percent of p

/** What ours can be asked to do: a function from a number of steps to the milliseconds of each. */
export function jobOf(request) {
  const setting = settingOf(request.sizes);
  if (request.what === 'infer') return inference(setting);
  const training = steppedTraining(setting.batch);
  const ended = request.what === 'search' ? search(setting, training) : dense(setting, training);
  return (count) => Promise.race([training.steps(count), ended]);
}

function settingOf(sizes) {
  const { imageSize, classes, batchSize } = sizes;
  const model = modelOf(sizes);
  const random = core.randomStream(1, 'bench');
  return {
    model,
    params: core.initialize(model.specs, 1),
    task: core.classification(model, { imageSize, channels: 3, classes }),
    batch: {
      size: batchSize,
      images: Float32Array.from({ length: batchSize * imageSize * imageSize * 3 }, () => random.normal()),
      labels: Int32Array.from({ length: batchSize }, () => random.integer(classes)),
    },
  };
}

/** A forward pass as the evaluation does it, logits downloaded. */
function inference({ task, params, batch }) {
  return async (count) => {
    const times = [];
    for (let step = 0; step < count; step++) {
      const start = performance.now();
      const outputs = core.tidyTree(() => task.predict(params, batch));
      await core.downloadTree(outputs);
      times.push(performance.now() - start);
      core.disposeTree(outputs);
    }
    return times;
  };
}

/** Lets the core's own training loop take some steps and wait: it gets its next batch when more are asked for. */
function steppedTraining(batch) {
  let remaining = 0;
  let start = 0;
  let times = [];
  let resume = () => undefined;
  let finish = () => undefined;
  return {
    batches: {
      batchSize: batch.size,
      stepsPerEpoch: ENDLESS,
      at: async () => {
        if (remaining === 0) {
          finish(times);
          await new Promise((resolve) => {
            resume = resolve;
          });
        }
        remaining -= 1;
        start = performance.now();
        return batch;
      },
    },
    hooks: { onStep: () => times.push(performance.now() - start) },
    steps: (count) => {
      times = [];
      remaining = count;
      return new Promise((resolve) => {
        finish = resolve;
        resume();
      });
    },
  };
}

/** The trainer with nothing but the task's loss. */
function dense({ params, task }, { batches, hooks }) {
  const optimizer = core.adamw({ schedule: core.constant(1e-4), weightDecay: 0.05 });
  return core.train(
    { params, state: {}, task, effective: (own) => own, optimizer, batches, steps: ENDLESS },
    hooks,
  );
}

/** UPop's search as the command line runs it. */
function search({ model, params, task }, { batches, hooks }) {
  const upop = upopMethods
    .find(({ manifest }) => manifest.name === 'upop')
    .configure({ search: `${ENDLESS}it`, interval: MASK_INTERVAL });
  return upop.compress({
    model,
    params,
    task,
    budget: { unit: 'compressible-parameters', keep: 0.5 },
    seed: 1,
    stepsIn: () => ENDLESS,
    train: (_name, phase) => core.train({ ...phase, task, batches }, hooks),
  });
}
