import { UserError, durationOption } from '@winnow/core';
import { z } from 'zod';
import type { WorkloadKind } from '../workload/workload';
import { anyTrainingShape, checkParts } from './fine-tuning';
import { type GivenOptions, kebab } from './group';
import { erasingOf, optimizationShape, picturesShape } from './training';

type Shape = Readonly<Record<string, z.ZodType>>;

/** `layerDecay` → `retrainLayerDecay`. */
const keyAfterCut = (key: string): string => `retrain${key.charAt(0).toUpperCase()}${key.slice(1)}`;

/** Options for the training after the cut alone; none is filled in, so that runs without them do not name them. */
const afterCut = (shape: Shape, describe: (key: string, description: string) => string): Shape =>
  Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => {
      const bare = withoutDefault(schema);
      const text = describe(key, schema.description ?? '');
      return [keyAfterCut(key), z.optional(bare).describe(text)];
    }),
  );

const withoutDefault = (schema: z.ZodType): z.ZodType => {
  if (!(schema instanceof z.ZodDefault || schema instanceof z.ZodOptional)) return schema;
  const inner = schema.unwrap();
  return inner instanceof z.ZodType ? inner : schema;
};

const { layerDecay, warmup } = optimizationShape;
const { eraseProbability } = picturesShape;

const ownShape = {
  ...anyTrainingShape,
  evaluateEvery: durationOption
    .default('1ep')
    .describe('Steps between scores on the validation split, for the patience; default: 1ep'),
};

/** Options of the training after the cut: each is called as in `train`, with `retrain` before it. */
export const retrainingShape = ({ trainingShape }: Pick<WorkloadKind, 'trainingShape'>): Shape => ({
  ...afterCut(
    { layerDecay, warmup, eraseProbability, ...z.object(trainingShape).shape },
    (key) => `--${kebab(key)} of the training after the cut alone; default: that of every training`,
  ),
  ...afterCut(ownShape, (_, description) => `After the cut: ${description}`),
});

/** The options of a run, as the training after the cut has them: by the names that they have in `train`. */
export function ofRetraining(options: GivenOptions): GivenOptions {
  const given = Object.entries(options).flatMap(([key, value]) => {
    const name = /^retrain([A-Z])(.*)$/.exec(key);
    return name === null || value === undefined
      ? []
      : [[`${name[1]?.toLowerCase()}${name[2]}`, value] as const];
  });
  return { ...options, ...Object.fromEntries(given) };
}

const retrainingOptions = z.object({
  ...z.object(optimizationShape).shape,
  ...picturesShape,
  ...ownShape,
});
export type RetrainingOptions = z.output<typeof retrainingOptions>;

/**
 * Reads the choices for the training after the cut.
 * @param options Those of the whole run.
 * @throws {UserError} when they do not go together.
 */
export function retrainingOf(options: GivenOptions): RetrainingOptions {
  const retraining = retrainingOptions.parse(ofRetraining(options));
  const { patience, evaluateEvery } = retraining;
  checkParts(retraining, keyAfterCut('microBatches'));
  erasingOf(retraining);
  if (patience === 0 && options[keyAfterCut('evaluateEvery')] !== undefined)
    throw new UserError(
      '--retrain-evaluate-every has no use without --retrain-patience: say how long it waits',
    );
  if (Number.parseFloat(evaluateEvery) === 0)
    throw new UserError('--retrain-evaluate-every: expected a length above 0, or no --retrain-patience');
  return retraining;
}
