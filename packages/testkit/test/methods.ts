import { tensor1d } from '@tensorflow/tfjs-core';
import {
  type CompressionMethod,
  type CompressionRun,
  type Decision,
  type Masks,
  type Phase,
  type Plan,
  type TensorTree,
  adamw,
  cloneTree,
  constant,
  defineMethod,
  disposeTree,
  durationOption,
  effective,
  maskOf,
  randomStream,
  removalTarget,
  selectUnits,
  smallestKeep,
  tidyTree,
} from '@winnow/core';
import { z } from 'zod';

const schema = z.object({
  search: durationOption.default('6it').describe('How long the masked model is trained.'),
  learningRate: z.number().positive().default(1e-3).describe('Of the search.'),
});
type Options = z.output<typeof schema>;

/** The parts of a method that a test may break. */
export interface Parts {
  readonly schema: typeof schema;
  plan(...arguments_: Parameters<typeof plan>): Plan;
  decide(run: CompressionRun): Decision;
  /** May put something else in place of the search phase's parts. */
  phase(search: Phase<TensorTree, TensorTree>): Phase<TensorTree, TensorTree>;
  phaseName(): string;
  /** From trained parameters to what the method gives back. */
  finish(params: TensorTree, run: CompressionRun, masks: Masks): TensorTree;
  release(masks: Masks): void;
}

function plan(
  model: CompressionRun['model'],
  budget: CompressionRun['budget'],
  { search }: Pick<Options, 'search'>,
): Plan {
  removalTarget(model, budget);
  return { phases: [{ name: 'search', duration: search }], smallestKeep: smallestKeep(model, budget) };
}

/** Ranks the units by a number, and removes the first ones until the budget is met. */
export function decideBy(priority: (unit: number) => number): Parts['decide'] {
  return ({ model, budget }) =>
    selectUnits(
      model.sites,
      Object.fromEntries(
        model.sites.map(({ id, units }) => [id, Array.from({ length: units }, (_, unit) => priority(unit))]),
      ),
      removalTarget(model, budget),
    );
}

export const decideRandomly: Parts['decide'] = (run) => {
  const random = randomStream(run.seed, 'priorities');
  return decideBy(() => random.uniform())(run);
};

const dropLast: Parts = {
  schema,
  plan,
  decide: decideBy((unit) => unit),
  phase: (search) => search,
  phaseName: () => 'search',
  // `effective` passes on what no mask touches: a copy can be owned apart from the trained parameters.
  finish: (params, { model }, masks) => tidyTree(() => cloneTree(effective(params, model.sites, masks))),
  release: (masks) => disposeTree(masks),
};

/** A small method that obeys every law: removes the last units of every site, training the others a little first. */
export function fakeMethod(parts: Partial<Parts> = {}): CompressionMethod {
  const method = { ...dropLast, ...parts };
  return defineMethod({
    manifest: {
      name: 'fake',
      title: 'Fake',
      family: 'testkit',
      paper: 'none',
      summary: 'Removes the last units.',
    },
    options: method.schema,
    plan: method.plan,
    compress: async (run, { search, learningRate }) => {
      const { sites } = run.model;
      const decision = method.decide(run);
      const masks = Object.fromEntries(sites.map((site) => [site.id, tensor1d(maskOf(decision, site))]));
      try {
        const trained = await run.train(
          method.phaseName(),
          method.phase({
            params: run.params,
            state: {},
            objective: (params) => ({ params: effective(params, sites, masks) }),
            optimizer: adamw({ schedule: constant(learningRate) }),
            steps: run.stepsIn(search),
          }),
        );
        const params = method.finish(trained.params, run, masks);
        disposeTree(trained.params);
        return { params, decision };
      } finally {
        method.release(masks);
      }
    },
  });
}
