import { z } from 'zod';
import { pictureSizeOption } from '../options/picture-size';

/** The size of the pictures that a model is opened for, as a flag. */
export const imageSizeShape = {
  imageSize: pictureSizeOption()
    .optional()
    .describe(
      'Side of the pictures, in pixels, or height x width like 224x112: as it was trained, or positions are resampled for it',
    ),
};

/** The merging of tokens of a model's pictures, as flags. */
export const mergingShape = {
  mergeTokens: z
    .int()
    .min(0)
    .max(100_000)
    .optional()
    .describe(
      'Merge so many like tokens in every block (ToMe), which needs no training; 0 for none; default: as the model says',
    ),
  mergeSchedule: z
    .enum(['constant', 'decreasing'])
    .optional()
    .describe(
      'Of --merge-tokens: as many in every block, or twice as many in the first and none in the last [default: constant]',
    ),
  mergeProportional: z
    .boolean()
    .optional()
    .describe(
      'Of --merge-tokens: look at a merged token as at all that it is made of; no for a model that was trained with merging [default: true]',
    ),
};

const mergingOptions = z.object(mergingShape);
export type MergingChoices = z.output<typeof mergingOptions>;

/** Flags given, of which those of merging are taken. */
export const mergingChoices = (given: unknown): MergingChoices => mergingOptions.parse(given);

/** Choices that a checkpoint of others may leave open, as flags of the commands that make a model of ours from it. */
export const checkpointShape = {
  ...imageSizeShape,
  ...mergingShape,
  heads: z
    .int()
    .positive()
    .optional()
    .describe('Attention heads of a timm checkpoint, where neither it nor its config.json says them'),
  activation: z
    .enum(['gelu', 'quick-gelu'])
    .optional()
    .describe('Activation of a CLIP of open_clip, where no open_clip_config.json says it'),
};

const checkpointOptions = z.object(checkpointShape);
export type CheckpointChoices = z.output<typeof checkpointOptions>;

/** Flags given, of which `heads`, `activation`, `imageSize` and those of merging are taken. */
export const checkpointChoices = (given: unknown): CheckpointChoices => checkpointOptions.parse(given);
