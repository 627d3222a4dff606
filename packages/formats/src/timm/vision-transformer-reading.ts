import type { VisionTransformerConfig } from '@winnow/core';
import type { Checkpoint } from '../checkpoint/checkpoint';
import { timmClassNames } from '../checkpoint/class-names';
import { classifierOf, leftOutOfClassifier } from '../checkpoint/classifier';
import type { ImportOptions, Reading } from '../checkpoint/reading';
import { FormatError } from '../file/format-error';
import { refuseUnsupported } from './unsupported';
import { timmVisionTransformerConfig } from './vision-transformer-config';
import { timmNaming } from './vision-transformer-naming';

/**
 * A ViT or DeiT of timm; `undefined` for any other checkpoint.
 * @throws {FormatError} when a shape makes no sense, nothing says how many heads there are, or the model is one that we do
 * not have.
 */
export function timmVisionTransformer(
  checkpoint: Checkpoint,
  options: ImportOptions,
): Reading<VisionTransformerConfig> | undefined {
  const { file, tensors, config: stated } = checkpoint;
  if (!tensors.has('cls_token')) {
    if (!tensors.has('patch_embed.proj.weight')) return undefined;
    throw new FormatError(`${file}: models without a class token (cls_token) are not supported`);
  }
  refuseUnsupported(file, tensors.keys());
  const head = classifierOf(checkpoint, 'head.weight', options);
  const { classes, fresh } = head;
  return {
    ...timmVisionTransformerConfig(checkpoint, classes, options.heads),
    naming: timmNaming,
    classNames: stated === undefined || fresh !== undefined ? undefined : timmClassNames(stated, classes),
    fresh,
    leftOut: leftOutOfClassifier(timmNaming, head),
  };
}
