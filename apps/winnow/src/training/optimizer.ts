import { type Optimizer, type TensorTree, adamw, clipByGlobalNorm, cosine, sgd } from '@winnow/core';
import type { Optimization } from '../options/training';

const MOMENTUM = 0.9;

/** The optimiser of a phase: warm-up, then a cosine down to 0. */
export function optimizerFor<Params extends TensorTree>(
  { optimizer, weightDecay, warmup, clipNorm }: Optimization,
  { learningRate, steps }: { readonly learningRate: number; readonly steps: number },
): Optimizer<Params> {
  const schedule = cosine(learningRate, steps, { warmupSteps: Math.round(warmup * steps) });
  const plain = ((): Optimizer<Params> => {
    switch (optimizer) {
      case 'adamw':
        return adamw<Params>({ schedule, weightDecay });
      case 'sgd':
        return sgd<Params>({ schedule, weightDecay, momentum: MOMENTUM });
      default:
        return optimizer satisfies never;
    }
  })();
  return clipNorm === 0 ? plain : clipByGlobalNorm(plain, clipNorm);
}
