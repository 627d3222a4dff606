import { existsSync, readFileSync } from 'node:fs';
import { keep, tidy } from '@tensorflow/tfjs-core';
import {
  classification,
  compact,
  disposeTree,
  evaluate,
  evaluationBatches,
  lookingAt,
  observedBatches,
  pictureInputs,
  pictureSizeOf,
  reconstruct,
} from '@winnow/core';
import { openDataset } from '@winnow/data';
import { startEngine } from '@winnow/engine';
import { methodNamed, openModel, picturesOf } from '@winnow/lab';

/** Flags of scripts that make a model of pictures smaller without training. */
export const subjectFlags = {
  model: { type: 'string' },
  data: { type: 'string' },
  'image-size': { type: 'string' },
  out: { type: 'string' },
  calibration: { type: 'string', default: '256' },
  'batch-size': { type: 'string', default: '32' },
  engine: { type: 'string', default: 'torch' },
  precision: { type: 'string', default: 'bf16' },
  threads: { type: 'string', default: '1' },
};

/** Rankers by their names in the tables. */
export const rankers = {
  obs: ['obs', {}],
  allocated: ['obs', { scope: 'allocated' }],
  taylor: ['taylor', {}],
  flap: ['flap', {}],
  magnitude: ['magnitude', undefined],
  random: ['random', undefined],
};
const structures = { both: ['attention', 'ffn'], attention: ['attention'], ffn: ['ffn'] };

/** A store of one process: rankers look once, and what they saw is kept for all budgets. */
export const memory = () => {
  const snapshots = new Map();
  return {
    load: async (name) => snapshots.get(name),
    save: async (name, snapshot) => void snapshots.set(name, snapshot),
    remove: async (name) => void snapshots.delete(name),
  };
};

/**
 * Opens a model and its pictures, and starts the engine.
 * @param flags of `subjectFlags`.
 */
export async function openSubject(flags) {
  const [size, batchSize, examples] = ['image-size', 'batch-size', 'calibration'].map((name) =>
    Number(flags[name]),
  );
  await startEngine(flags.engine, { precision: flags.precision, threads: Number(flags.threads) });
  const imageSize = pictureSizeOf({ height: size, width: size });
  const { model, params, preparation } = await openModel(flags.model, { imageSize });
  // Pictures as the model was trained to see them.
  const options = { imageSize: size, preload: true, ...picturesOf(preparation) };
  const data = await openDataset(flags.data, options);
  const inputs = pictureInputs({ imageSize, channels: 3 });
  const taskOf = (own) =>
    classification(own, { inputs, classes: data.classes?.length ?? model.config.classes });

  /** The decisions of a ranker for a seed and a part, by budget; it looks once for all of them. */
  const ranking = (ranker, part, seed, store) => {
    const [name, options] = rankers[ranker];
    // A model of which only some kinds of sites can be cut.
    const sites = model.sites.filter(({ structure }) => structures[part].includes(structure));
    const runner = { store, checkpointEvery: Number.POSITIVE_INFINITY, report: () => undefined };
    const task = taskOf(model);
    const looked = { model: { ...model, sites }, params, task, splits: data, batchSize, seed };
    const looking = lookingAt(runner, looked, []);
    const configured = methodNamed(name).configure(
      options === undefined ? {} : { ...options, calibration: examples },
    );
    return async (budget) => {
      const run = { ...looking, task, budget, seed, stepsIn: () => 0, note: () => undefined };
      const { decision, params: masked, whole } = await configured.compress(run);
      for (const tree of [masked, whole]) if (tree !== undefined) disposeTree(tree);
      return decision;
    };
  };

  const dense = { model, params, task: remembering(taskOf(model), params, model) };

  return {
    ...{ model, params, data, batchSize, taskOf, ranking },
    scored: async (own, leaves) =>
      (await evaluate(taskOf(own), leaves, evaluationBatches(data.test, batchSize))).top1,
    /** Batches of calibration examples of a seed; those of the seed before are forgotten. */
    calibrationOf: async (seed) => {
      const source = observedBatches(data.train, { examples, batchSize, seed, augment: false });
      const batches = await Promise.all(Array.from({ length: source.count }, (_, index) => source.at(index)));
      dense.task.remember(batches);
      return batches;
    },
    /** The smaller model and its parameters, which the caller owns: cut plainly, or reconstructed. */
    smaller: async (kind, decision, batches) => {
      const cut = compact(model, params, decision);
      if (kind === 'plain') return cut;
      const found = await reconstruct({
        ...{ kind, sites: model.sites, decision, batches },
        dense,
        cut: { ...cut, task: taskOf(cut.model) },
      });
      disposeTree(cut.params);
      return { model: cut.model, params: found.params };
    },
  };
}

/**
 * A task that says again what the dense model said at its blocks and taps, when it is asked once more about batches that it is to
 * remember: every cell of a table asks the same of the same pictures. It keeps seven matrices of the width of the model a block.
 */
function remembering(task, params, { readout: { heads } }) {
  const records = new Map();
  const ends = ['output', 'output.result', 'query.result', 'key.result'].map((end) => `attention.${end}`);
  const isKept = (path) =>
    [...ends, 'ffn.contract.result'].some((end) => path.endsWith(end)) ||
    heads.some((head) => path === `${head}.result`);
  const recordOf = (batch) => {
    const events = [];
    tidy(() => {
      task.predict(params, batch, {
        enter: (block, states) => {
          events.push({ block, tensor: keep(states.clone()) });
          return states;
        },
        observe: (path, values, rows) => {
          if (isKept(path)) events.push({ path, tensor: keep(values.clone()), rows });
        },
      });
      return [];
    });
    return events;
  };
  const forget = () => {
    for (const { tensor } of [...records.values()].flat()) tensor?.dispose();
    records.clear();
  };
  return {
    ...task,
    // A batch of its own to look around with: more is seen of it than is remembered.
    slice: (batch) => ({ ...batch }),
    predict: (own, batch, hooks) => {
      if (!records.has(batch)) return task.predict(own, batch, hooks);
      if (records.get(batch).length === 0) records.set(batch, recordOf(batch));
      let isRun = false;
      for (const { block, path, tensor, rows } of records.get(batch)) {
        if (block !== undefined) isRun = hooks.enter(block, tensor) !== undefined;
        else if (isRun || heads.some((head) => path === `${head}.result`))
          hooks.observe?.(path, tensor, rows);
      }
      return undefined;
    },
    remember: (batches) => {
      forget();
      for (const { batch } of batches) records.set(batch, []);
    },
  };
}

/** The lines of a file of finished cells, which are not made again; a line that a kill cut short is. */
export const finishedIn = (file) =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line))
    : [];

/** A flag that must be given. */
export function given(flags, name, script) {
  const value = flags[name];
  if (value !== undefined) return value;
  console.error(`${script}: say --${name}`);
  process.exit(2);
}
