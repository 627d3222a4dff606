/**
 * Pruning beside the merging of tokens at equal multiply–accumulates, and both together, without any training.
 *
 *   node tools/results/merging.mjs --model dense/model --data clothing --image-size 112 --out cells.jsonl
 *        [--tokens 2,4,6] [--ranker allocated] [--seed 1] [--rounds 9] [--calibration 256] [--batch-size 32] [--precision bf16]
 *
 * Of each number of tokens: the dense model that merges so many in every block; the model that is pruned and reconstructed to as many
 * multiply–accumulates; and one of as many that merges half of the tokens and is pruned for the rest. Each is timed by turns with the
 * dense model. A finished row is a line of the file and is not made again; the table goes to standard output.
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compactModel, disposeTree, mergingTokens, quantileOf, timesInTurn } from '@winnow/core';
import { table } from '../markdown/table.mjs';
import { finishedIn, given, memory, openSubject, subjectFlags } from './without-training.mjs';

const { values: flags } = parseArgs({
  options: {
    ...subjectFlags,
    tokens: { type: 'string', default: '2,4,6' },
    ranker: { type: 'string', default: 'allocated' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '9' },
  },
});
for (const name of ['model', 'data', 'image-size', 'out']) given(flags, name, 'merging');
const { out: file, ranker } = flags;
const known = () => finishedIn(file);

const subject = await openSubject(flags);
const { model, params, data, batchSize, taskOf } = subject;
const seed = Number(flags.seed);
const batches = await subject.calibrationOf(seed);
const decide = subject.ranking(ranker, 'both', seed, memory());
const merging = (own, perBlock) =>
  perBlock === 0 ? own : mergingTokens({ kind: model.config.kind, model: own, params }, { perBlock }).model;
const batch = await data.test.batch(Array.from({ length: batchSize }, (_, index) => index));

/** Times as fast as the dense model, by turns. */
async function speed(own, leaves) {
  const [dense, other] = [
    { task: taskOf(model), params },
    { task: taskOf(own), params: leaves },
  ];
  const times = await timesInTurn(dense, other, batch, { warmup: 2, runs: Number(flags.rounds) });
  return quantileOf(times.first, 0.5) / quantileOf(times.second, 0.5);
}

const STEPS = 8;

/** The decision that leaves so many multiply–accumulates of a model that merges tokens besides, to within a five-hundredth. */
async function decisionFor(macs, perBlock) {
  // Units save fewer where fewer tokens are left, so the share is found step by step.
  let keep = macs / merging(model, perBlock).account.macs;
  for (let step = 1; ; step++) {
    const decision = await decide({ unit: 'macs', keep });
    const { account } = merging(compactModel(model, decision), perBlock);
    const ratio = macs / account.macs;
    if (Math.abs(ratio - 1) < 0.002 || step === STEPS) return decision;
    keep = Math.min(1, keep * ratio);
  }
}

async function row(macs, tokens, isPruned) {
  const name = { tokens, macs, isPruned };
  const found = known().find((line) => Object.entries(name).every(([key, value]) => line[key] === value));
  if (found !== undefined) return found;
  const cut = isPruned
    ? await subject.smaller('bases', await decisionFor(macs, tokens), batches)
    : { model, params };
  const own = merging(cut.model, tokens);
  const top1 = await subject.scored(own, cut.params);
  const line = {
    ...{ ...name, top1, parameters: own.account.parameters, ownMacs: own.account.macs },
    speed: await speed(own, cut.params),
  };
  if (isPruned) disposeTree(cut.params);
  appendFileSync(file, `${JSON.stringify(line)}\n`);
  console.error(JSON.stringify(line));
  return line;
}

const rows = [await row(model.account.macs, 0, false)];
for (const tokens of flags.tokens.split(',').map(Number)) {
  const { macs } = merging(model, tokens).account;
  rows.push(await row(macs, tokens, false), await row(macs, 0, true), await row(macs, tokens / 2, true));
}
const described = ({ tokens, isPruned }) =>
  [isPruned ? 'pruned' : '', tokens > 0 ? `${tokens} tokens merged in every block` : '']
    .filter((text) => text !== '')
    .join(', ') || 'dense';
console.log(
  table(
    ['model', 'MACs', 'parameters M', 'top-1', 'times as fast'],
    rows.map((line) => [
      described(line),
      (line.ownMacs / model.account.macs).toFixed(3),
      (line.parameters / 1e6).toFixed(2),
      line.top1.toFixed(2),
      line.speed.toFixed(2),
    ]),
  ).join('\n'),
);
