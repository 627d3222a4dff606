import { UserError, durationOption } from '@winnow/core';
import { z } from 'zod';
import { kebab } from './group';

/** Things that a training does beside lowering its loss, as people do who train on from a pre-trained model. */
export const fineTuningShape = {
  freezeBackbone: durationOption
    .default('0it')
    .describe('Train the head alone for so long, before the training of --duration; 0it does not'),
  headLearningRate: z
    .number()
    .positive()
    .optional()
    .describe('Peak learning rate while the backbone is frozen; default: that of the training'),
  weightAverage: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Score and save a moving average of the weights that decays so slowly, 0.999 say; 0 does not'),
  microBatches: z
    .int()
    .positive()
    .max(65_536)
    .default(1)
    .describe('Compute a batch in so many parts, one after another: less memory, the same step'),
  stochasticDepth: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe(
      'Share of examples that leave out a residual branch of the last block, falling to 0 in the first',
    ),
  patience: z
    .int()
    .nonnegative()
    .max(10_000)
    .default(0)
    .describe(
      'Stop after so many evaluations without a better validation score, and save the best; 0 goes on to the end',
    ),
};
export type FineTuning = z.output<z.ZodObject<typeof fineTuningShape>>;

const { stochasticDepth, weightAverage, microBatches, patience } = fineTuningShape;
/** Those of a training that may stand anywhere in a run. */
export const anyTrainingShape = { stochasticDepth, weightAverage, microBatches, patience };

/** The options of the training that those of a fine-tuning must go with. */
interface Trained {
  readonly from?: string | undefined;
  readonly batchSize: number;
  readonly evaluateEvery: string;
  readonly adversarial?: string | undefined;
}

/** @throws {UserError} when options of a fine-tuning do not go together, or with those of the training. */
export function checkFineTuning({
  freezeBackbone,
  headLearningRate,
  patience,
  microBatches,
  ...training
}: FineTuning & Trained): void {
  const { evaluateEvery, adversarial, from, batchSize } = training;
  const freezes = Number.parseFloat(freezeBackbone) > 0;
  if (freezes && from === undefined)
    throw new UserError(
      '--freeze-backbone has no use without --from: the backbone of a new model has learned nothing',
    );
  checkParts({ microBatches, batchSize });
  if (!freezes && headLearningRate !== undefined)
    throw new UserError(
      '--head-learning-rate has no use without --freeze-backbone: say how long the head trains alone',
    );
  if (freezes && adversarial !== undefined)
    throw new UserError(
      '--freeze-backbone does not go with --adversarial: a perturbation needs the whole backward pass',
    );
  if (patience > 0 && Number.parseFloat(evaluateEvery) === 0)
    throw new UserError(
      '--patience needs evaluations on the validation split: say with --evaluate-every how often',
    );
}

/** @throws {UserError} when a batch is to be computed in more parts than it has examples. */
export function checkParts(
  { microBatches, batchSize }: Pick<FineTuning & Trained, 'microBatches' | 'batchSize'>,
  name = 'microBatches',
): void {
  if (microBatches > batchSize)
    throw new UserError(
      `--${kebab(name)}: expected at most the ${batchSize} pictures of a batch, got ${microBatches}`,
    );
}
