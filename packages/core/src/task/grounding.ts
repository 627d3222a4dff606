import { type Scalar, type Tensor, type Tensor2D, abs, add, mean, softmax, sub } from '@tensorflow/tfjs-core';
import type { GroundingBatch } from '../data/dataset';
import type { DualEncoderInputs } from '../families/dual-encoder';
import type { Groundings } from '../families/mdetr';
import type { Model } from '../families/model';
import type { Prediction } from '../families/prediction';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import type { TensorTree } from '../tree/tree';
import { groundingLoss } from './grounding-loss';
import { groundingScorer } from './grounding-scorer';
import { type PictureShape, pictureInputs, tokenInputs } from './inputs';
import { symmetricDivergence } from './logits';
import { phraseScorer } from './phrase-scorer';
import type { HostPrediction, Task } from './task';

export interface GroundingOptions extends PictureShape {
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
  /** Texts name several things each: their phrases are scored, and not the one thing that a text means. Default false. */
  readonly phrases?: boolean;
}

const isMatrix = (tensor: Tensor | undefined): tensor is Tensor2D => tensor?.rank === 2;

/** @throws {RangeError} when the model finds no objects. */
function groundingsOf(prediction: Prediction): Groundings {
  const { logits, boxes, aligned, words, read } = prediction;
  const found = [logits, boxes, aligned, words, read];
  if (isMatrix(logits) && isMatrix(boxes) && isMatrix(aligned) && isMatrix(words) && isMatrix(read))
    return { ...prediction, logits, boxes, aligned, words, read };
  const missing = ['logits', 'boxes', 'aligned', 'words', 'read'].filter(
    (_, index) => !isMatrix(found[index]),
  );
  throw new RangeError(`expected a model that finds objects, the prediction has no ${missing.join(', ')}`);
}

/**
 * Finding the object that a text means: boxes for referring expressions, learned with MDETR's loss. Scores are precisions at 1, 5 and
 * 10 boxes in percent, by IoU (`p1`) and by GIoU (`giouP1`); of phrases, recalls (`any1`, `merged1`). A batch is not computed in parts, as its loss goes by the objects in it.
 * Its batches fail with a RangeError for a text without its end.
 */
export function grounding<Params extends TensorTree>(
  model: Pick<Model<Params, DualEncoderInputs>, 'forward'>,
  { endToken, phrases = false, ...shape }: GroundingOptions,
): Task<Params, GroundingBatch, Groundings, HostPrediction> {
  const picturesOf = pictureInputs(shape);
  return {
    name: 'grounding',
    metric: phrases ? 'any1' : 'p1',
    predict: (params, batch, hooks) => {
      const { tokens, texts } = batch;
      if (endToken !== undefined) checkTextEnds(tokens, tokens.length / texts, endToken);
      return groundingsOf(model.forward(params, { ...picturesOf(batch), ...tokenInputs(batch), ...hooks }));
    },
    loss: (prediction, { objects }) => groundingLoss(prediction, objects),
    divergence: (one, other) => add(symmetricDivergence(one.logits, other.logits), boxDistance(one, other)),
    distillation: (student, teacher) =>
      add(softmaxCrossEntropy(student.logits, softmax(teacher.logits)), boxDistance(student, teacher)),
    scorer: phrases ? phraseScorer : groundingScorer,
  };
}

/** The mean distance of boxes, query by query. */
const boxDistance = (one: Groundings, other: Groundings): Scalar => mean(abs(sub(one.boxes, other.boxes)));
