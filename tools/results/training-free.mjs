/**
 * The tables of models that are made smaller without any training: a share of the hidden units, of the dimensions of heads, or
 * of both goes by several rankers, and what is left is cut plainly, with the means of what is gone in the biases, or reconstructed.
 *
 *   node tools/results/training-free.mjs --model dense/model --data clothing --image-size 112 --out cells.jsonl
 *        [--seeds 1,2,3,4,5] [--removed 0.5,0.25,0.75] [--parts both,ffn,attention] [--rankers obs,allocated,taylor,magnitude,random]
 *        [--kinds plain,bias,bases] [--calibration 256] [--batch-size 32] [--precision bf16] [--threads 1] [--table]
 *
 * A seed draws the calibration pictures, and the units of `random`. Each finished cell is a line of the file; those that stand
 * there are not made again, so a killed script goes on. `--table` makes nothing and prints what is there. Rankers look once for
 * each seed and part: what they saw is kept for all shares.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  classification,
  compact,
  compactModel,
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
import { methodNamed, openModel } from '@winnow/lab';
import { printTrainingFree } from './training-free-tables.mjs';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string' },
    data: { type: 'string' },
    'image-size': { type: 'string' },
    out: { type: 'string' },
    seeds: { type: 'string', default: '1,2,3,4,5' },
    removed: { type: 'string', default: '0.5,0.25,0.75' },
    parts: { type: 'string', default: 'both,ffn,attention' },
    rankers: { type: 'string', default: 'obs,allocated,taylor,magnitude,random' },
    kinds: { type: 'string', default: 'plain,bias,bases' },
    calibration: { type: 'string', default: '256' },
    'batch-size': { type: 'string', default: '32' },
    engine: { type: 'string', default: 'torch' },
    precision: { type: 'string', default: 'bf16' },
    threads: { type: 'string', default: '1' },
    table: { type: 'boolean', default: false },
  },
});
const given = (name) => {
  const value = flags[name];
  if (value !== undefined) return value;
  console.error(`training-free: say --${name}`);
  process.exit(2);
};
const list = (name) => given(name).split(',');
const file = given('out');
const known = () =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}')) // A line that a kill cut short is made again.
        .map((line) => JSON.parse(line))
    : [];
if (flags.table) {
  printTrainingFree(known());
  process.exit(0);
}

/** Rankers by their names in the tables. */
const rankers = {
  obs: ['obs', {}],
  allocated: ['obs', { scope: 'allocated' }],
  taylor: ['taylor', {}],
  flap: ['flap', {}],
  magnitude: ['magnitude', undefined],
  random: ['random', undefined],
};
const structures = { both: ['attention', 'ffn'], attention: ['attention'], ffn: ['ffn'] };
const [size, batchSize, examples] = ['image-size', 'batch-size', 'calibration'].map((name) =>
  Number(given(name)),
);

await startEngine(flags.engine, { precision: flags.precision, threads: Number(flags.threads) });
const { model, params, preparation } = await openModel(given('model'), {});
const data = await openDataset(given('data'), { imageSize: size, preload: true, preparation });
const inputs = pictureInputs({ imageSize: pictureSizeOf({ height: size, width: size }), channels: 3 });
const taskOf = (own) =>
  classification(own, { inputs, classes: data.classes?.length ?? model.config.classes });
const scored = async (own, leaves) =>
  (await evaluate(taskOf(own), leaves, evaluationBatches(data.test, batchSize))).top1;

const memory = () => {
  const snapshots = new Map();
  return {
    load: async (name) => snapshots.get(name),
    save: async (name, snapshot) => void snapshots.set(name, snapshot),
    remove: async (name) => void snapshots.delete(name),
  };
};

/** A model of which only some kinds of sites can be cut. */
const partOf = (part) => ({
  ...model,
  sites: model.sites.filter(({ structure }) => structures[part].includes(structure)),
});

/** The decisions of a ranker for a seed and a part, by the share that goes; it looks once for all of them. */
function ranking(ranker, part, seed, store) {
  const [name, options] = rankers[ranker];
  const own = partOf(part);
  const runner = { store, checkpointEvery: Number.POSITIVE_INFINITY, report: () => undefined };
  const task = taskOf(model);
  const looking = lookingAt(runner, { model: own, params, task, splits: data, batchSize, seed }, []);
  const configured = methodNamed(name).configure(
    options === undefined ? {} : { ...options, calibration: examples },
  );
  return async (removed) => {
    const budget = { unit: 'compressible-parameters', keep: 1 - removed };
    const run = { ...looking, task, budget, seed, stepsIn: () => 0, note: () => undefined };
    const { decision, params: masked, whole } = await configured.compress(run);
    for (const tree of [masked, whole]) if (tree !== undefined) disposeTree(tree);
    return decision;
  };
}

async function cell(kind, decision, batches) {
  const cut = compact(model, params, decision);
  if (kind === 'plain') {
    const top1 = await scored(cut.model, cut.params);
    disposeTree(cut.params);
    return top1;
  }
  const found = await reconstruct({
    ...{ kind, sites: model.sites, decision, batches },
    dense: { model, params, task: taskOf(model) },
    cut: { ...cut, task: taskOf(cut.model) },
  });
  disposeTree(cut.params);
  const top1 = await scored(cut.model, found.params);
  disposeTree(found.params);
  return top1;
}

const dense = known().find(({ ranker }) => ranker === 'dense')?.top1 ?? (await scored(model, params));
const write = (line) => {
  appendFileSync(file, `${JSON.stringify(line)}\n`);
  console.error(JSON.stringify(line));
};
if (!known().some(({ ranker }) => ranker === 'dense'))
  write({ ranker: 'dense', top1: dense, testExamples: data.test.size, macs: model.account.macs });

for (const seed of list('seeds').map(Number)) {
  const source = observedBatches(data.train, { examples, batchSize, seed, augment: false });
  const batches = await Promise.all(Array.from({ length: source.count }, (_, index) => source.at(index)));
  const stores = new Map();
  for (const removed of list('removed').map(Number))
    for (const part of list('parts'))
      for (const ranker of list('rankers')) {
        const done = known();
        const isDone = (kind) =>
          done.some(
            (line) =>
              line.seed === seed &&
              line.removed === removed &&
              line.part === part &&
              line.ranker === ranker &&
              line.kind === kind,
          );
        const kinds = list('kinds').filter((kind) => !isDone(kind));
        if (kinds.length === 0) continue;
        const place = `${rankers[ranker][0]} ${part}`;
        if (!stores.has(place)) stores.set(place, memory());
        const decision = await ranking(ranker, part, seed, stores.get(place))(removed);
        const { parameters, macs } = compactModel(model, decision).account;
        for (const kind of kinds) {
          const startMs = performance.now();
          const top1 = await cell(kind, decision, batches);
          const seconds = Math.round((performance.now() - startMs) / 1000);
          write({ seed, removed, part, ranker, kind, top1, parameters, macs, seconds });
        }
      }
}
