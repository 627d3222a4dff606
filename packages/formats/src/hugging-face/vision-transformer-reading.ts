import type { VisionTransformerConfig } from '@winnow/core';
import type { Checkpoint } from '../checkpoint/checkpoint';
import { huggingFaceClassNames } from '../checkpoint/class-names';
import { classesOf, leftOutOfClassifier } from '../checkpoint/classifier';
import type { ImportOptions, Reading } from '../checkpoint/reading';
import { configOf } from './config-file';
import { fromHuggingFaceConfig } from './vision-transformer-config';
import { huggingFaceNamesIn, huggingFaceNaming } from './vision-transformer-naming';

/**
 * A ViT or DeiT of Hugging Face; `undefined` for any other checkpoint.
 * @throws {FormatError} when its `config.json` is missing or says something that we do not have.
 */
export function huggingFaceVisionTransformer(
  checkpoint: Checkpoint,
  options: ImportOptions,
): Reading<VisionTransformerConfig> | undefined {
  const { tensors } = checkpoint;
  const names = huggingFaceNamesIn([...tensors.keys()]);
  if (names === undefined) return undefined;
  const { file, json } = configOf(checkpoint);
  const classifier = tensors.has('cls_classifier.weight') ? 'cls_classifier.weight' : 'classifier.weight';
  const config = fromHuggingFaceConfig(file, json, classesOf(checkpoint, classifier, options));
  const classNames =
    options.newHead === undefined ? huggingFaceClassNames({ file, json }, config.classes) : undefined;
  const naming = huggingFaceNaming({ ...names, distillation: config.distillation });
  return { config, naming, classNames, leftOut: leftOutOfClassifier(naming, options) };
}
