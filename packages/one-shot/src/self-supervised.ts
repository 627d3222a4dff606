import { abs, add, mul } from '@tensorflow/tfjs-core';
import { type UnitScores, UserError, effective } from '@winnow/core';
import { type UnitTensors, sensitivitiesToMasks } from './masks';
import { gradientRanker } from './ranker';

/**
 * As `taylor`, of how far apart two varied views of an example are: no labels. The paper compares embeddings; here it is what the task
 * predicts of them, as every model has that, with one of the two held still.
 */
export const selfSupervised = gradientRanker(
  {
    name: 'self-supervised',
    title: 'Self-supervised Taylor expansion',
    paper:
      'After SnapViT, NeurIPS 2025: its gradients, without its search over blocks; Molchanov et al., CVPR 2019',
    summary: 'units whose removal moves two views of an example apart least, to first order; no labels',
    scope: 'global',
    scale: 'cost',
  },
  async (run, examples) =>
    checked(
      await sensitivitiesToMasks(run, examples, {
        masked: (params, masks: UnitTensors) =>
          effective(effective(params, run.sites, masks, 'producer'), run.sites, masks, 'consumer'),
        perExample: false,
        loss: 'views',
        add: (sum, gradient, size) => add(sum, mul(abs(gradient), size)),
      }),
    ),
);

/** @throws {UserError} when no unit matters: both views were the same. */
function checked(importance: UnitScores): UnitScores {
  const isNothing = Object.values(importance).every((scores) =>
    Array.from(scores).every((score) => score === 0),
  );
  if (isNothing)
    throw new UserError(
      'self-supervised compares two varied views of each picture, and here both are the same: leave out --augmentation none, or take a ranker that sees one view (flap needs no labels)',
    );
  return importance;
}
