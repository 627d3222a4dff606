import {
  type DenseConfig,
  UserError,
  type VisionTowerConfig,
  familyOf,
  segmenterEncoder,
} from '@winnow/core';

/**
 * The vision tower of any model as one whose patches are read: nothing is pooled, and every patch keeps its place.
 * @param task For errors.
 * @throws {UserError} when there is none, or its columns are shared.
 */
export function patchEncoderOf(config: DenseConfig, task: string): VisionTowerConfig {
  const { vision } = familyOf(config).towers(config);
  if (config.ties !== undefined)
    throw new UserError(
      `${task} takes over towers that are stored whole, and columns of this model are shared`,
    );
  if (vision === undefined)
    throw new UserError(`${task} needs a vision tower, and a ${config.kind} has none`);
  const { imageSize, patchSize, channels, distillation, embeddingNorm, patchBias, tower, ...more } = vision;
  const { classToken, registers, positioned } = more;
  return segmenterEncoder({
    ...{ imageSize, patchSize, channels, distillation, embeddingNorm, patchBias, tower },
    ...(classToken === undefined ? {} : { classToken }),
    ...(registers === undefined ? {} : { registers }),
    ...(positioned === undefined ? {} : { positioned }),
  });
}
