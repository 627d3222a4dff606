import type { VisionTransformerConfig } from '@winnow/core';
import type { Checkpoint } from '../checkpoint/checkpoint';
import { classesOf, leftOutOfClassifier } from '../checkpoint/classifier';
import type { ImportOptions, Reading } from '../checkpoint/reading';
import { timmVisionTransformerConfig } from './vision-transformer-config';
import { timmNaming } from './vision-transformer-naming';

/**
 * A ViT or DeiT of timm; `undefined` for any other checkpoint.
 * @throws {FormatError} when a shape makes no sense or nothing says how many heads there are.
 */
export function timmVisionTransformer(
  checkpoint: Checkpoint,
  options: ImportOptions,
): Reading<VisionTransformerConfig> | undefined {
  if (!checkpoint.tensors.has('cls_token')) return undefined;
  const classes = classesOf(checkpoint, 'head.weight', options);
  return {
    config: timmVisionTransformerConfig(checkpoint, classes, options.heads),
    naming: timmNaming,
    leftOut: leftOutOfClassifier(timmNaming, options),
  };
}
