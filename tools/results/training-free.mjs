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
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compactModel, disposeTree } from '@winnow/core';
import { printTrainingFree } from './training-free-tables.mjs';
import { finishedIn, given, memory, openSubject, rankers, subjectFlags } from './without-training.mjs';

const { values: flags } = parseArgs({
  options: {
    ...subjectFlags,
    seeds: { type: 'string', default: '1,2,3,4,5' },
    removed: { type: 'string', default: '0.5,0.25,0.75' },
    parts: { type: 'string', default: 'both,ffn,attention' },
    rankers: { type: 'string', default: 'obs,allocated,taylor,magnitude,random' },
    kinds: { type: 'string', default: 'plain,bias,bases' },
    table: { type: 'boolean', default: false },
  },
});
const list = (name) => flags[name].split(',');
const file = given(flags, 'out', 'training-free');
const known = () => finishedIn(file);
if (flags.table) {
  printTrainingFree(known());
  process.exit(0);
}
for (const name of ['model', 'data', 'image-size']) given(flags, name, 'training-free');

const subject = await openSubject(flags);
const { model, params, data } = subject;

async function cell(kind, decision, batches) {
  const cut = await subject.smaller(kind, decision, batches);
  const top1 = await subject.scored(cut.model, cut.params);
  disposeTree(cut.params);
  return top1;
}

const dense = known().find(({ ranker }) => ranker === 'dense')?.top1 ?? (await subject.scored(model, params));
const write = (line) => {
  appendFileSync(file, `${JSON.stringify(line)}\n`);
  console.error(JSON.stringify(line));
};
if (!known().some(({ ranker }) => ranker === 'dense'))
  write({ ranker: 'dense', top1: dense, testExamples: data.test.size, macs: model.account.macs });

for (const seed of list('seeds').map(Number)) {
  const batches = await subject.calibrationOf(seed);
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
        const decide = subject.ranking(ranker, part, seed, stores.get(place));
        const decision = await decide({ unit: 'compressible-parameters', keep: 1 - removed });
        const { parameters, macs } = compactModel(model, decision).account;
        for (const kind of kinds) {
          const startMs = performance.now();
          const top1 = await cell(kind, decision, batches);
          const seconds = Math.round((performance.now() - startMs) / 1000);
          write({ seed, removed, part, ranker, kind, top1, parameters, macs, seconds });
        }
      }
}
