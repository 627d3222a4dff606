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

/** Choices that a checkpoint of others may leave open, as flags of the commands that make a model of ours from it. */
export const checkpointShape = {
  ...imageSizeShape,
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

/** Flags given, of which `heads`, `activation` and `imageSize` are taken. */
export const checkpointChoices = (given: unknown): CheckpointChoices => checkpointOptions.parse(given);
