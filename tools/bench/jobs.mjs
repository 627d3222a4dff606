import * as core from '../../packages/core/dist/index.js';
import { lotteryTicketMethods } from '../../packages/lottery-ticket/dist/index.js';
import { shareAndPruneMethods } from '../../packages/share-and-prune/dist/index.js';
import { upopMethods } from '../../packages/upop/dist/index.js';
import { modelOf } from './models.mjs';

/** More steps than any benchmark takes: a training that waits for the next request, and ends with its process. */
const ENDLESS = 1_000_000;
const MASK_INTERVAL = 20; // what 1,000 iterations at 2× would take: one update for each percent of p

/** Searches whose steps are timed: the method with its options, and which of its phases. */
const searches = {
  search: { methods: upopMethods, name: 'upop', options: { interval: MASK_INTERVAL }, phase: 'search' },
  // Without b half of all columns are borrowed or pruned: with it, R_w has nothing to do at the start.
  align: { methods: shareAndPruneMethods, name: 'bwsp', options: { bias: 0 }, phase: 'weights' },
  structure: { methods: shareAndPruneMethods, name: 'bwsp', options: { bias: 0 }, phase: 'structure' },
  ticket: {
    methods: lotteryTicketMethods,
    name: 'lottery-ticket',
    options: { originalFraction: 0.25, clipNorm: 0 }, // the dense step clips nothing either
    length: 'round',
    phase: 'round-2',
  },
};

/** Makes one of the jobs that ours can do: a function from a number of steps to the milliseconds of each. */
export function jobOf(request) {
  const setting = settingOf(request.sizes);
  if (request.what === 'infer') return inference(setting);
  const training = steppedTraining(setting.batch);
  const ended = endOf(request.what, setting, training);
  return (count) => Promise.race([training.steps(count), ended]);
}

function endOf(what, setting, training) {
  if (what === 'masked') return dense(halfMasked(setting), training);
  const wanted = searches[what];
  return wanted === undefined ? dense(setting, training) : search(setting, training, wanted);
}

/** The model as a ticket leaves it, every second weight masked: what is trained after a search. */
function halfMasked({ model, params, taskOf, ...setting }) {
  const masks = Object.fromEntries(
    core.prunableMatrices(model).map(({ parameter, shape: [rows, columns] }) => {
      const kept = Array.from({ length: rows * columns }, (_, place) => place % 2);
      return [parameter, core.maskFrom(kept, [rows, columns])];
    }),
  );
  const { running } = core.masked(model, masks);
  const zeroed = core.tidyTree(() => core.zeroed(params, masks));
  return { ...setting, ...running, params: zeroed, task: taskOf(running.model) };
}

function settingOf(sizes) {
  const { imageSize, classes, text, batchSize } = sizes;
  const model = modelOf(sizes);
  const random = core.randomStream(1, 'bench');
  const numbers = (count) => Float32Array.from({ length: count }, () => random.normal());
  const below = (limit, count) => Int32Array.from({ length: count }, () => random.integer(limit));
  const shape = { imageSize, channels: 3 };
  const pictures = { size: batchSize, images: numbers(batchSize * imageSize * imageSize * 3) };
  const groups = Int32Array.from({ length: batchSize }, (_, index) => index);
  // Every text ends where it has to.
  const tokens = () =>
    below(text.vocabulary - 2, batchSize * text.context).map((token, index) =>
      (index + 1) % text.context === 0 ? text.vocabulary - 1 : token,
    );
  const texts = () => ({ ...pictures, texts: batchSize, tokens: tokens() });
  const setting = (taskOf, batch) => ({
    model,
    params: core.initialize(model.specs, 1),
    task: taskOf(model),
    taskOf,
    batch,
  });
  if (text === undefined)
    return setting((own) => core.classification(own, { inputs: core.pictureInputs(shape), classes }), {
      ...pictures,
      labels: below(classes, batchSize),
    });
  if (sizes.fusion !== undefined)
    return setting((own) => core.grounding(own, shape), {
      ...texts(),
      objects: namedObjects(batchSize, random),
    });
  const pairs = { ...texts(), imageGroups: groups, textGroups: groups };
  if (sizes.writes) return setting((own) => core.captions(own, { ...shape, say: String }), pairs);
  return setting((own) => core.retrieval(own, shape), pairs);
}

/** One object for each text, somewhere in its picture and named by its first word. */
function namedObjects(count, random) {
  const between = (least, most) => least + (most - least) * random.uniform();
  const box = () => [between(0.3, 0.7), between(0.3, 0.7), between(0.2, 0.5), between(0.2, 0.5)];
  return {
    boxes: Float32Array.from(Array.from({ length: count }, box).flat()),
    examples: Int32Array.from({ length: count }, (_, index) => index),
    tokens: Array.from({ length: count }, () => Int32Array.of(1)),
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

/**
 * Lets the core's own training loop take some steps and wait: it gets its next batch when more are asked for. A step is timed from
 * the end of the one before, as the loop may prepare it beside that one.
 */
function steppedTraining(batch) {
  let limit = 0;
  let done = 0;
  let last = 0;
  let times = [];
  let finish = () => undefined;
  let resume = () => undefined;
  return {
    batches: {
      batchSize: batch.size,
      stepsPerEpoch: ENDLESS,
      at: async (step) => {
        while (step >= limit) {
          await new Promise((resolve) => {
            resume = resolve;
          });
        }
        return batch;
      },
    },
    hooks: {
      onStep: () => {
        const now = performance.now();
        times.push(now - last);
        last = now;
        done += 1;
        if (done === limit) finish(times);
      },
    },
    steps: (count) => {
      times = [];
      limit += count;
      last = performance.now();
      return new Promise((resolve) => {
        finish = resolve;
        resume();
      });
    },
  };
}

/** The trainer with nothing but the task's loss. */
function dense({ params, task, reparametrisation = core.unchanged() }, { batches, hooks }) {
  const optimizer = core.adamw({ schedule: core.constant(1e-4), weightDecay: 0.05 });
  const objective = (own) => ({ params: own });
  return core.train(
    { params, state: {}, task, objective, reparametrisation, optimizer, batches, steps: ENDLESS },
    hooks,
  );
}

/** A phase of a search as the command line runs it; those before it end at once. */
function search({ model, params, task }, { batches, hooks }, wanted) {
  const { methods, name, options, length = 'search' } = wanted;
  const method = methods
    .find(({ manifest }) => manifest.name === name)
    .configure({ ...options, [length]: `${ENDLESS}it` });
  return method.compress({
    model,
    params,
    task,
    budget: { unit: 'compressible-parameters', keep: 0.5 },
    seed: 1,
    stepsIn: () => ENDLESS,
    train: async (phaseName, phase) =>
      phaseName === wanted.phase
        ? core.train({ ...phase, task, batches }, hooks)
        : { params: core.cloneTree(phase.params), state: core.cloneTree(phase.state) },
    note: () => undefined,
  });
}
