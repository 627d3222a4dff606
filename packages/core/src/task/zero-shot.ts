import {
  type Tensor1D,
  type Tensor2D,
  mean,
  mul,
  reshape,
  rsqrt,
  square,
  sum,
  tensor2d,
} from '@tensorflow/tfjs-core';
import { type DualEncoder, type DualEncoderParams, similarity } from '../families/dual-encoder';
import type { Model } from '../families/model';
import type { Logits } from '../families/prediction';
import { checkTextEnds } from '../families/text-tower-config';
import type { ImageInputs } from '../families/vision-transformer';
import type { VisionTowerParams } from '../families/vision-tower';
import { cloneTree, tidyTree } from '../tree/tree';

export type ZeroShotParams = {
  vision: VisionTowerParams;
  visionProjection?: Tensor2D;
  logitScale: Tensor1D;
  logitBias?: Tensor1D;
  classes: Tensor2D; // [K, P]
};

/** A classifier of pictures, to be scored by the task `classification`. */
export interface ZeroShot extends Pick<Model<ZeroShotParams, ImageInputs, Logits>, 'forward'> {
  /** The caller owns them. */
  readonly params: ZeroShotParams;
}

/**
 * A classifier from the names of its classes (Radford et al., 2021, Section 3.1): the logit of a class is the scaled
 * cosine of the picture and of the mean embedding of the class's prompts, plus the model's bias where it has one.
 * @param prompts Token sequences of all prompts, [K·N, T]: N for each class, one class after the other.
 * @throws {RangeError} for a prompt without its end.
 */
export function zeroShot(
  model: DualEncoder,
  params: DualEncoderParams,
  prompts: { readonly tokens: Int32Array; readonly length: number; readonly perClass: number },
): ZeroShot {
  const { tokens, length, perClass } = prompts;
  checkTextEnds(tokens, length, model.config.text.endToken);
  const classes = tidyTree(() => {
    const embedded = model.embedTexts(params, tensor2d(tokens, [tokens.length / length, length], 'int32'));
    const [rows, width] = embedded.shape;
    const means: Tensor2D = mean(reshape(embedded, [rows / perClass, perClass, width]), 1);
    return { classes: mul<Tensor2D>(means, rsqrt(sum(square(means), 1, true))) };
  });
  const { text: _text, textProjection: _projection, textProjectionBias: _bias, ...ofPictures } = params;
  return {
    params: { ...cloneTree(ofPictures), ...classes },
    forward: (own, { images }) => {
      const embedded = model.embedImages({ ...params, ...own }, images);
      return { logits: similarity(embedded, own.classes, own), images: embedded };
    },
  };
}
