import { type Tensor, type Tensor1D, add, mul, square } from '@tensorflow/tfjs-core';
import { lendTree, unitSums, zipTrees } from '@winnow/core';
import { nothing, readImportance } from './masks';
import { gradientRanker } from './ranker';

/** ½ Σ w² E (∂L/∂w)² over all weights of the unit, example by example: Optimal Brain Damage with Fisher's diagonal. */
export const fisher = gradientRanker(
  {
    name: 'fisher',
    title: 'Fisher information',
    paper:
      'LeCun et al., Optimal Brain Damage, NeurIPS 1989; Theis et al., Faster Gaze Prediction with Dense Networks and Fisher Pruning, 2018',
    summary: 'units whose removal moves the loss least, to second order',
    scope: 'global',
    scale: 'cost',
  },
  async (run, examples) => {
    const { sites } = run;
    const seen = await lendTree(nothing(sites), (state) =>
      run.sensitivities('gradients', {
        examples,
        params: run.params,
        objective: (params) => ({ params }),
        perExample: true,
        state,
        onGradients: ({ gradients, size }, sums) => {
          const moved = zipTrees([run.params, gradients], ([weight, gradient]) =>
            square(mul<Tensor>(weight, gradient)),
          );
          return Object.fromEntries(
            sites.map((site): [string, Tensor1D] => [
              site.id,
              add(sums[site.id] ?? 0, mul(unitSums(site, moved), size / 2)),
            ]),
          );
        },
      }),
    );
    return readImportance(seen);
  },
);
