import { type VisionTransformerConfig, visionTransformerFamily } from '@winnow/core';
import { z } from 'zod';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { checkJson } from '../../file/json';
import { classNamesIn } from '../class-names';
import { classifierOf, leftOutOfClassifier } from '../classifier';
import { withoutLayerScale } from '../fold-layer-scale';
import { checkLayers } from '../layers';
import { defineLayout } from '../layout';
import { type Naming, namingOf } from '../naming';
import { huggingFaceClassNames, theirClassNames } from './class-names';
import { isPositionBuffer } from './clip';
import { configOf } from './config-file';
import {
  SIGLIP,
  siglipNormalisation,
  siglipVision,
  siglipVisionBlocks,
  siglipVisionConfig,
  siglipVisionNames,
  theirSiglipVision,
} from './siglip';

const ANCHOR = 'embeddings.patch_embedding.weight';
const CLASSIFIER = 'classifier.weight';

/** A vision tower without class token, and no text tower beside it. */
const recognises = (tensors: Checkpoint['tensors']): boolean => {
  const names = [...tensors.keys()];
  return (
    names.some((name) => name.endsWith(ANCHOR)) &&
    !names.some((name) => /embeddings\.(class_embedding|token_embedding\.weight)$/.test(name))
  );
};

/** A classifier's configuration holds that of its vision tower; a vision tower's is it. */
const within = z.looseObject({ vision_config: z.looseObject({}).nullish() });

/** Our paths → their names. @param prefix Of every name but the classifier's; may be empty. */
export const siglipVisionNaming = (prefix: string): Naming =>
  namingOf({
    towers: { '': siglipVisionBlocks(prefix) },
    outside: { ...siglipVisionNames('', prefix), head: 'classifier' },
  });

/**
 * SiglipForImageClassification, which reads the mean of the patches, and SiglipVisionModel, whose attention pool a fresh
 * classifier reads.
 */
export const huggingFaceSiglipVision = defineLayout<VisionTransformerConfig>({
  family: visionTransformerFamily,
  source: 'Hugging Face',
  models: SIGLIP,
  anchors: ['patch_embedding.weight'],
  normalisation: siglipNormalisation,
  recognises,
  modelTypes: { siglip: 'siglip', siglip_vision_model: 'siglip_vision_model' },
  read: (checkpoint, options) => {
    const { tensors } = checkpoint;
    const prefix = [...tensors.keys()].find((name) => name.endsWith(ANCHOR))?.slice(0, -ANCHOR.length) ?? '';
    const stated = configOf(checkpoint);
    const what = `the configuration of ${SIGLIP}`;
    const inner = checkJson(stated.file, stated.json, within, what).vision_config ?? stated.json;
    const theirs = checkJson(stated.file, inner, siglipVisionConfig, what);
    checkLayers(checkpoint, {
      prefix: `${prefix}encoder.layers.`,
      stated: theirs.num_hidden_layers,
      source: `num_hidden_layers in ${stated.file}`,
    });
    const head = classifierOf(checkpoint, CLASSIFIER, options);
    const { classes, fresh } = head;
    const hasPool = !tensors.has(CLASSIFIER) && tensors.has(`${prefix}head.probe`);
    const naming = siglipVisionNaming(prefix);
    const ofClassifier = leftOutOfClassifier(naming, head, ['head']);
    return {
      config: {
        kind: 'vision-transformer',
        classes,
        ...siglipVision(theirs, { hasPool }),
        ...(hasPool ? {} : { headInput: 'mean' as const }),
      },
      naming,
      classNames: fresh === undefined ? classNamesIn(stated, classes, huggingFaceClassNames) : undefined,
      fresh,
      leftOut: (name) =>
        !hasPool && name.startsWith(`${prefix}head.`)
          ? 'the classifier reads the mean of the patches, not the attention pool'
          : (isPositionBuffer(name) ?? ofClassifier(name)),
    };
  },
  holds: ({ classToken, headInput, normAfterMean }) =>
    classToken === false && headInput === 'mean' && normAfterMean === undefined,
  write: (config, classNames) => {
    const plain = withoutLayerScale(config);
    return {
      json: {
        architectures: ['SiglipForImageClassification'],
        model_type: 'siglip',
        vision_config: { model_type: 'siglip_vision_model', ...theirSiglipVision(plain) },
        ...theirClassNames(config.classes, classNames),
      },
      naming: siglipVisionNaming('vision_model.'),
      ...(config.tower.layerScale === undefined ? {} : { folded: plain }),
    };
  },
});
