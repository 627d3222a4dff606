import type { VisionTransformerConfig } from '@winnow/core';
import type { Checkpoint } from '../checkpoint/checkpoint';
import { timmClassNames } from '../checkpoint/class-names';
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
  const { config: file } = checkpoint;
  const classes = classesOf(checkpoint, 'head.weight', options);
  return {
    config: timmVisionTransformerConfig(checkpoint, classes, options.heads),
    naming: timmNaming,
    classNames:
      file === undefined || options.newHead !== undefined ? undefined : timmClassNames(file, classes),
    leftOut: leftOutOfClassifier(timmNaming, options),
  };
}
