import {
  type Tensor1D,
  type Tensor2D,
  add,
  div,
  mul,
  norm,
  scalar,
  sub,
  sum,
  zeros,
} from '@tensorflow/tfjs-core';
import {
  type CompressionRun,
  type SeenTensor,
  type Site,
  beforeOf,
  defineMethod,
  disposeTree,
  lendTree,
  pruneAtOnce,
  removalTarget,
  resultOf,
  sitesOf,
  smallestKeep,
} from '@winnow/core';
import { z } from 'zod';

/** Sums over rows: 1 − cos of what goes into a block and what comes out of it, and how many rows count. */
type Turned = { sum: Tensor1D; rows: Tensor1D }; // [1] each

/** Below any length of a state, so that a row of zeros is not divided by. */
const LEAST_LENGTH = 1e-12;

/** 1 − cos(x, y) of each row, [N, D] and [N, D] → [N]. */
function turning(x: Tensor2D, y: Tensor2D): Tensor1D {
  const lengths = mul(add(norm(x, 2, 1), LEAST_LENGTH), add(norm(y, 2, 1), LEAST_LENGTH));
  return sub(1, div(sum(mul(x, y), 1), lengths));
}

function withTurned(before: Turned, into: SeenTensor, out: SeenTensor): Turned {
  const turned = turning(into.values, out.values);
  const { counted } = out;
  const rows = counted === undefined ? scalar(out.values.shape[0]) : sum(counted);
  return {
    sum: add(before.sum, sum(counted === undefined ? turned : mul(turned, counted))),
    rows: add(before.rows, rows), // [1]
  };
}

/** E[1 − cos(x, x′)] of every block over all tokens that count, by its path: one charged forward pass. */
async function influenceOf(
  run: CompressionRun,
  blocks: readonly Site[],
  examples: number,
): Promise<Record<string, readonly number[]>> {
  const nothing: Record<string, Turned> = Object.fromEntries(
    blocks.map(({ id }) => [id, { sum: zeros([1]), rows: zeros([1]) }]),
  );
  const seen = await lendTree(nothing, (state) =>
    run.observe('blocks', {
      examples,
      at: blocks.flatMap(({ id }) => [beforeOf(id), resultOf(id)]),
      state,
      onBatch: ({ at }, before) =>
        Object.fromEntries(
          Object.entries(before).map(([id, own]) => {
            const out = at(resultOf(id));
            const turned = at(beforeOf(id)).reduce((sums, into, use) => {
              const after = out[use];
              return after === undefined ? sums : withTurned(sums, into, after);
            }, own);
            return [id, turned];
          }),
        ),
    }),
  );
  const found = Object.fromEntries(
    Object.entries(seen).map(([id, own]) => {
      const [total = NaN, rows = NaN] = [own.sum.dataSync()[0], own.rows.dataSync()[0]];
      return [id, [total / rows]];
    }),
  );
  disposeTree(seen);
  return found;
}

/** Removes whole blocks, those first that turn the states which go through them least. */
export const blockInfluence = defineMethod({
  manifest: {
    name: 'block-influence',
    title: 'Block influence',
    family: 'one-shot',
    paper:
      'Men et al., ShortGPT: Layers in Large Language Models are More Redundant Than You Expect, 2024 (arXiv 2403.03853)',
    summary: 'whole blocks that change least of what goes through them',
    granularity: 'blocks',
  },
  options: z.object({
    calibration: z
      .int()
      .positive()
      .max(1_000_000)
      .default(256)
      .describe('examples that are looked at; no labels'),
  }),
  plan: (model, budget, { calibration }) => {
    const blocks = sitesOf(model, 'blocks');
    removalTarget(model, budget, blocks); // throws when the budget cannot be reached
    return {
      phases: [],
      observations: [{ name: 'blocks', examples: calibration }],
      smallestKeep: smallestKeep(model, budget, blocks),
    };
  },
  compress: async (run, { calibration }) => {
    const blocks = sitesOf(run.model, 'blocks');
    const influence = await influenceOf(run, blocks, calibration);
    const priorities = Object.fromEntries(
      Object.entries(influence).map(([id, scores]) => [id, scores.map((score) => -score)]),
    );
    return pruneAtOnce(run, priorities, blocks);
  },
});
