import {
  type Scalar,
  type Tensor2D,
  argMax,
  oneHot,
  reshape,
  softmax,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { SegmentationBatch, WholePicture } from '../data/dataset';
import type { Hooks } from '../families/hooks';
import type { Model } from '../families/model';
import { type Sides, sidesOf } from '../families/picture-sides';
import type { Logits } from '../families/prediction';
import type { ImageInputs } from '../families/vision-transformer';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { gatherRows } from '../operations/gather-rows';
import { finiteProbe } from '../operations/finite-probe';
import type { TensorTree } from '../tree/tree';
import { type PictureShape, pictureInputs } from './inputs';
import { logitsOf, symmetricDivergence } from './logits';
import { nothingOf } from './nothing';
import { IGNORED, confusionOf, noConfusion, segmentationScores } from './segmentation-scores';
import { type Look, type Segmented, segmentWhole, singleScale } from './segmentation-windows';
import type { Scorer, Task } from './task';

export interface SegmentationOptions extends PictureShape {
  readonly classes: number;
  /** The looks at a picture that a score takes. Default: once, as they are. */
  readonly looks?: readonly Look[];
}

/**
 * Saying of every pixel what it shows, by cross-entropy over the pixels that count (Strudel et al., 2021, Segmenter). Pictures that
 * are larger than the model takes are scored by windows that slide over them. Scores are those of `segmentationScores`, in percent. A
 * batch is not computed in parts, as its loss goes by the pixels that count in it.
 */
export function segmentation<Params extends TensorTree>(
  model: Pick<Model<Params, ImageInputs>, 'forward'>,
  { classes, looks = singleScale, ...shape }: SegmentationOptions,
): Task<Params, SegmentationBatch, Logits, readonly Segmented[]> {
  const inputs = pictureInputs(shape);
  const predict = (params: Params, batch: SegmentationBatch, hooks: Hooks = {}): Logits =>
    logitsOf(model.forward(params, { ...inputs(batch), ...hooks }));
  return {
    name: 'segmentation',
    metric: 'meanIoU',
    predict,
    loss: ({ logits }, { masks }) => pixelCrossEntropy(logits, masks, classes),
    divergence: (one, other) => symmetricDivergence(one.logits, other.logits),
    distillation: (student, teacher) => softmaxCrossEntropy(student.logits, softmax(teacher.logits)),
    answer: async (params, batch) => {
      const windows = { window: shape.imageSize, channels: shape.channels, classes, looks };
      const forward = (images: ImageInputs['images']) => logitsOf(model.forward(params, { images })).logits;
      const wholes =
        batch.wholes ?? (looks === singleScale ? undefined : wholesOf(batch, sidesOf(shape.imageSize)));
      if (wholes === undefined) return atOnce(() => predict(params, batch).logits, batch.size, classes);
      const answers: Segmented[] = [];
      for (const whole of wholes) answers.push(await segmentWhole(forward, whole, windows));
      return answers;
    },
    scorer: () => segmentationScorer(classes),
  };
}

/** The mean cross-entropy of logits [M, K] over the pixels that count; 0 where none does. */
export function pixelCrossEntropy(logits: Tensor2D, masks: Uint8Array, classes: number): Scalar {
  const counted: number[] = [];
  for (let pixel = 0; pixel < masks.length; pixel++) if (masks[pixel] !== IGNORED) counted.push(pixel);
  if (counted.length === 0) return nothingOf([logits]);
  const isWhole = counted.length === masks.length;
  const labels = isWhole ? Int32Array.from(masks) : Int32Array.from(counted, (pixel) => masks[pixel] ?? 0);
  const rows = isWhole ? logits : gatherRows(logits, tensor1d(counted, 'int32'));
  const targets: Tensor2D = reshape(oneHot(tensor1d(labels, 'int32'), classes), [labels.length, classes]);
  return softmaxCrossEntropy(rows, targets);
}

/** The best class of each pixel of pictures of the model's size; where a logit is no number, none of the batch is. */
async function atOnce(logitsOfAll: () => Tensor2D, size: number, classes: number): Promise<Segmented[]> {
  const { best, probe } = tidy(() => {
    const logits = logitsOfAll();
    return { best: argMax(logits, 1), probe: finiteProbe([logits]) };
  });
  const [values, [found]] = await Promise.all([best.data<'int32'>(), probe.data<'float32'>()]);
  best.dispose();
  probe.dispose();
  const told = Number.isFinite(found) ? Int32Array.from(values) : new Int32Array(values.length).fill(classes);
  const pixels = told.length / size;
  return Array.from({ length: size }, (_, index) => told.subarray(index * pixels, (index + 1) * pixels));
}

/** The pictures of a batch as they are, to be looked at more than once. */
function wholesOf({ size, images, masks }: SegmentationBatch, { height, width }: Sides): WholePicture[] {
  const [values, pixels] = [images.length / size, masks.length / size];
  return Array.from({ length: size }, (_, index) => ({
    height,
    width,
    pixels: images.subarray(index * values, (index + 1) * values),
    mask: masks.subarray(index * pixels, (index + 1) * pixels),
    maskHeight: height,
    maskWidth: width,
  }));
}

function segmentationScorer(classes: number): Scorer<readonly Segmented[], SegmentationBatch> {
  const confusion = noConfusion(classes);
  return {
    add: (answer, { size, masks, wholes }) => {
      const pixels = masks.length / size;
      answer.forEach((told, index) => {
        const truth = wholes?.[index]?.mask ?? masks.subarray(index * pixels, (index + 1) * pixels);
        confusionOf(truth, told, classes, confusion);
      });
    },
    scores: () => segmentationScores(confusion, classes),
  };
}
