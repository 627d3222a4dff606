import { abs, add, mul } from '@tensorflow/tfjs-core';
import { effective } from '@winnow/core';
import { sensitivitiesToMasks } from './masks';
import { gradientRanker } from './ranker';

/**
 * E |Σ w ∂L/∂w| over batches, with the sum over all weights of the unit, signed: that is |∂L/∂ζ| of a factor ζ = 1 on all
 * of them, and to first order what removing the unit costs (Equation 8).
 */
export const taylor = gradientRanker(
  {
    name: 'taylor',
    title: 'Taylor expansion',
    paper:
      'Molchanov et al., Importance Estimation for Neural Network Pruning, CVPR 2019; signed within a unit',
    summary: 'units whose removal moves the loss least, to first order',
    scope: 'global',
    scale: 'cost',
  },
  (run, examples) =>
    sensitivitiesToMasks(run, examples, {
      masked: (params, masks) =>
        effective(effective(params, run.sites, masks, 'producer'), run.sites, masks, 'consumer'),
      perExample: false,
      add: (sum, gradient, size) => add(sum, mul(abs(gradient), size)),
    }),
);
