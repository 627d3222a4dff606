import {
  type Scalar,
  type Tensor,
  type Tensor2D,
  abs,
  add,
  mean,
  mul,
  reshape,
  sigmoid,
  sub,
  tensor2d,
  tile,
} from '@tensorflow/tfjs-core';
import { BOX } from '../boxes/box';
import type { DetectionPrompt } from '../boxes/detection-prompt';
import type { RegionAnchors } from '../boxes/region-anchors';
import type { DetectionBatch } from '../data/dataset';
import type { DualEncoderInputs } from '../families/dual-encoder';
import type { Regions } from '../families/glip';
import type { Model } from '../families/model';
import { sidesOf } from '../families/picture-sides';
import type { Prediction } from '../families/prediction';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { sigmoidCrossEntropy } from '../operations/cross-entropy';
import { downloadTree } from '../tree/host';
import { type TensorTree, disposeTree, tidyTree } from '../tree/tree';
import { type DetectedObjects, type RegionsTold, detectedObjects } from './detected-objects';
import { detectionLoss } from './detection-loss';
import { detectionScorer } from './detection-scorer';
import { type PictureShape, pictureInputs, tokenInputs } from './inputs';
import { sigmoidDivergence } from './logits';
import type { Task } from './task';

export interface DetectionOptions extends PictureShape {
  /** Where the model's regions are. */
  readonly anchors: RegionAnchors;
  /** Lists of classes that pictures are scored by, which together name all of them. */
  readonly prompts: readonly DetectionPrompt[];
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
}

const isMatrix = (tensor: Tensor | undefined): tensor is Tensor2D => tensor?.rank === 2;

/** @throws {RangeError} when the model says nothing of regions. */
function regionsOf(prediction: Prediction): Regions {
  const { logits, codes, centerness, read } = prediction;
  if (isMatrix(logits) && isMatrix(codes) && isMatrix(centerness) && isMatrix(read))
    return { ...prediction, logits, codes, centerness, read };
  const found = Object.keys(prediction).join(', ');
  throw new RangeError(`expected logits, codes and centerness of regions, the model predicts ${found}`);
}

/**
 * Finding all objects of some classes, by lists of their names: learned with GLIP's loss, scored by COCO's average precision in percent
 * (`ap`, `ap50` and ten more). Pictures are scored by the task's own prompts, all classes in turn, whichever text a batch has. A batch is
 * not computed in parts, as its loss goes by the regions that have an object. Its batches fail with a RangeError for a text without
 * its end.
 */
export function detection<Params extends TensorTree>(
  model: Pick<Model<Params, DualEncoderInputs>, 'forward'>,
  { anchors, prompts, endToken, ...shape }: DetectionOptions,
): Task<Params, DetectionBatch, Regions, readonly DetectedObjects[]> {
  const picturesOf = pictureInputs(shape);
  const places = { anchors, ...sidesOf(shape.imageSize) };
  const regions = anchors.boxes.length / BOX;
  return {
    name: 'detection',
    metric: 'ap50',
    predict: (params, batch, hooks) => {
      const { tokens, texts } = batch;
      if (endToken !== undefined) checkTextEnds(tokens, tokens.length / texts, endToken);
      return regionsOf(model.forward(params, { ...picturesOf(batch), ...tokenInputs(batch), ...hooks }));
    },
    loss: (prediction, { objects }) => detectionLoss(prediction, objects, places),
    divergence: (one, other) =>
      together(
        sigmoidDivergence(counted(one), counted(other)),
        sigmoidDivergence(one.centerness, other.centerness),
        codeDistance(one, other),
      ),
    distillation: (student, teacher) =>
      together(
        sigmoidCrossEntropy(counted(student), sigmoid(counted(teacher))),
        sigmoidCrossEntropy(student.centerness, sigmoid(teacher.centerness)),
        codeDistance(student, teacher),
      ),
    answer: async (params, batch) => {
      const told: RegionsTold[][] = [];
      for (const prompt of prompts) {
        const prediction = tidyTree(() => {
          const tokens = tensor2d(prompt.tokens, [1, prompt.tokens.length], 'int32');
          const texts: Tensor2D = tile(tokens, [batch.size, 1]);
          return regionsOf(model.forward(params, { ...picturesOf(batch), tokens: texts }));
        });
        try {
          told.push(byPicture(await downloadTree(prediction), prompt, batch.size, regions));
        } finally {
          disposeTree(prediction);
        }
      }
      return batch.truths.sizes.map((size, example) =>
        detectedObjects(
          told.flatMap((own) => own[example] ?? []),
          places,
          size,
        ),
      );
    },
    scorer: detectionScorer,
  };
}

/** The predictions for each picture of a batch. */
function byPicture(
  prediction: Awaited<ReturnType<typeof downloadTree>>,
  prompt: DetectionPrompt,
  size: number,
  regions: number,
): RegionsTold[] {
  const valuesOf = (name: string): Float32Array => {
    const found = prediction.get(name);
    if (found?.dtype !== 'float32') throw new TypeError(`detection: no ${name} were predicted`);
    return Float32Array.from(found.values);
  };
  const [logits, codes, centerness] = [valuesOf('logits'), valuesOf('codes'), valuesOf('centerness')];
  return Array.from({ length: size }, (_, example) => {
    const of = (values: Float32Array, width: number): Float32Array =>
      values.subarray(example * regions * width, (example + 1) * regions * width);
    return {
      prompt,
      logits: of(logits, prompt.tokens.length),
      codes: of(codes, BOX),
      centerness: of(centerness, 1),
    };
  });
}

/** Logits of which those of padding are 0, [B·N, T]. */
function counted({ logits, read }: Regions): Tensor2D {
  const [batch, length] = read.shape;
  const perExample = reshape(logits, [batch, logits.shape[0] / batch, length]);
  return reshape(mul(perExample, reshape(read, [batch, 1, length])), [logits.shape[0], length]);
}

/** The mean distance of codes, region by region. */
const codeDistance = (one: Regions, other: Regions): Scalar => mean(abs(sub(one.codes, other.codes)));

const together = (...losses: Scalar[]): Scalar => losses.reduce((total, loss) => add(total, loss));
