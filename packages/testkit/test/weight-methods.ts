import {
  type CompressionMethod,
  type CompressionRun,
  type ParameterMasks,
  type Plan,
  type TensorTree,
  defineMethod,
  maskFrom,
  smallestSparseKeep,
  sparsityTarget,
  tidyTree,
  zeroed,
} from '@winnow/core';
import { z } from 'zod';

/** The parts of a method that a test may break. */
export interface WeightParts {
  plan(model: CompressionRun['model'], budget: CompressionRun['budget']): Plan;
  /** How many weights it takes where that many are asked for. */
  removedOf(amount: number): number;
  finish(params: TensorTree, masks: ParameterMasks): TensorTree;
}

const takeFirst: WeightParts = {
  plan: (model, budget) => {
    sparsityTarget(model, budget);
    return { phases: [], smallestKeep: smallestSparseKeep(model, budget.unit) };
  },
  removedOf: (amount) => Math.ceil(amount - 1e-6),
  finish: (params, masks) => tidyTree(() => zeroed(params, masks)),
};

/** A small method of single weights that obeys every law: masks the first ones of the model. */
export function fakeWeightMethod(parts: Partial<WeightParts> = {}): CompressionMethod {
  const method = { ...takeFirst, ...parts };
  return defineMethod({
    manifest: {
      name: 'fake-weights',
      title: 'Fake weights',
      family: 'testkit',
      paper: 'none',
      summary: 'Masks the first weights.',
      granularity: 'weights',
    },
    options: z.object({}),
    plan: (model, budget) => method.plan(model, budget),
    compress: (run) => {
      const { amount, matrices } = sparsityTarget(run.model, run.budget);
      let due = method.removedOf(amount);
      const masks = Object.fromEntries(
        matrices.map(({ parameter, shape: [rows, columns] }) => {
          const kept = Array.from({ length: rows * columns }, () => (due-- > 0 ? 0 : 1));
          return [parameter, maskFrom(kept, [rows, columns])];
        }),
      );
      return Promise.resolve({
        params: method.finish(run.params, masks),
        decision: { version: 1, sites: {}, masks },
      });
    },
  });
}
