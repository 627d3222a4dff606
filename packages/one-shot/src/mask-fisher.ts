import { add, mul, square } from '@tensorflow/tfjs-core';
import { effective } from '@winnow/core';
import { sensitivitiesToMasks } from './masks';
import { gradientRanker } from './ranker';

/** E (∂L/∂ζ)² of a factor ζ = 1 on what makes the unit, example by example: the diagonal of the masks' Fisher information. */
export const maskFisher = gradientRanker(
  {
    name: 'mask-fisher',
    title: 'Fisher information of masks',
    paper: 'Kwon et al., A Fast Post-Training Pruning Framework for Transformers, NeurIPS 2022',
    summary: 'units whose masks the loss is least sensitive to',
    scope: 'global',
    scale: 'cost',
  },
  (run, examples) =>
    sensitivitiesToMasks(run, examples, {
      masked: (params, masks) => effective(params, run.sites, masks),
      perExample: true,
      add: (sum, gradient, size) => add(sum, mul(square(gradient), size)),
    }),
);
