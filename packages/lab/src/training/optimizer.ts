import {
  type Model,
  type Optimizer,
  type TensorTree,
  adamw,
  clipByGlobalNorm,
  cosine,
  decaysOf,
  layerwiseDecay,
  sgd,
} from '@winnow/core';
import type { Optimization } from '../options/training';

const MOMENTUM = 0.9;

/** The optimiser of a phase: warm-up, then a cosine down to 0, with the weight decay of the model's published recipe
 * and learning-rate decay by layer. */
export function optimizerFor<Params extends TensorTree>(
  { specs }: Pick<Model, 'specs'>,
  { optimizer, weightDecay, layerDecay, warmup, clipNorm }: Optimization,
  { learningRate, steps }: { readonly learningRate: number; readonly steps: number },
): Optimizer<Params> {
  const schedule = cosine(learningRate, steps, { warmupSteps: Math.round(warmup * steps) });
  const decays = decaysOf(specs);
  const learningRateScale = layerwiseDecay(specs, layerDecay);
  const plain = ((): Optimizer<Params> => {
    switch (optimizer) {
      case 'adamw':
        return adamw<Params>({ schedule, weightDecay, decays, learningRateScale });
      case 'sgd':
        return sgd<Params>({ schedule, weightDecay, decays, learningRateScale, momentum: MOMENTUM });
      default:
        return optimizer satisfies never;
    }
  })();
  return clipNorm === 0 ? plain : clipByGlobalNorm(plain, clipNorm);
}
