import type { VisionTransformerConfig } from '@winnow/core';
import type { Checkpoint } from '../checkpoint/checkpoint';
import { huggingFaceClassNames } from '../checkpoint/class-names';
import { classifierOf, leftOutOfClassifier } from '../checkpoint/classifier';
import { checkLayers } from '../checkpoint/layers';
import type { ImportOptions, Reading } from '../checkpoint/reading';
import { configOf } from './config-file';
import { fromHuggingFaceConfig, readHuggingFaceConfig } from './vision-transformer-config';
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
  const stated = configOf(checkpoint);
  const theirs = readHuggingFaceConfig(stated);
  checkLayers(checkpoint, {
    prefix: `${names.prefix}${names.style}.`,
    stated: theirs.num_hidden_layers,
    source: `num_hidden_layers in ${stated.file}`,
  });
  const classifier = tensors.has('cls_classifier.weight') ? 'cls_classifier.weight' : 'classifier.weight';
  const head = classifierOf(checkpoint, classifier, options);
  const { classes, fresh } = head;
  const config = fromHuggingFaceConfig(theirs, classes);
  const naming = huggingFaceNaming({ ...names, distillation: config.distillation });
  return {
    config,
    naming,
    classNames: fresh === undefined ? huggingFaceClassNames(stated, classes) : undefined,
    fresh,
    leftOut: leftOutOfClassifier(naming, head),
  };
}
