import {
  type Scalar,
  type Tensor2D,
  gather,
  mean,
  relu,
  reshape,
  sigmoid,
  slice,
  sub,
  tensor1d,
  add,
} from '@tensorflow/tfjs-core';
import type { PairBatch, RegionPairBatch } from '../data/dataset';
import type { DualEncoderInputs } from '../families/dual-encoder';
import type { Hooks } from '../families/hooks';
import type { Model } from '../families/model';
import type { Logits, Prediction } from '../families/prediction';
import type { RegionInputs } from '../families/region-inputs';
import { type EndToken, checkTextEnds } from '../families/text-tower-config';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { type TensorTree, tidyTree } from '../tree/tree';
import { placesOf } from './captions';
import { type PictureShape, pictureInputs, picturesBetween, tokenInputs } from './inputs';
import { type Together, jointScorer } from './joint-scorer';
import {
  logitDistillation,
  logitsOf,
  sigmoidDistillation,
  sigmoidDivergence,
  symmetricDivergence,
} from './logits';
import { othersOf } from './other-texts';
import { type RegionShape, regionInputs, regionsBetween } from './region-inputs';
import type { Task } from './task';
import { textsOf, textsTogether } from './text-rows';

/**
 * The loss that tells a text that belongs to a picture from others:
 * - `choice`: by the cross-entropy among it and 15 random texts (Kim et al., 2021, ViLT, Section 4.1).
 * - `margin`: its probability is to lie 0.2 above that of a random text, and of a random picture (Chen et al., 2020, UNITER;
 *   ChenRocks/UNITER, `UniterForImageTextRetrieval`).
 */
export type JointLoss = 'choice' | 'margin';

export interface JointMatchingOptions {
  readonly loss: JointLoss;
  /** Ends each text; given, a batch with a text that has none is refused. */
  readonly endToken?: EndToken;
  /** The first pictures of a split, among which scores are recalls. Default 64: each text is read about each of them. */
  readonly pictures?: number;
}

const OTHERS = { choice: 15, margin: 1 } as const satisfies Record<JointLoss, number>;
const MARGIN = 0.2;
export const JOINT_PICTURES = 64;

/** Retrieval by reading texts about pictures, by a model that says how well both belong together. */
export const jointMatching = <Params extends TensorTree>(
  model: Pick<Model<Params, DualEncoderInputs>, 'forward'>,
  { imageSize, channels, ...options }: JointMatchingOptions & PictureShape,
): Task<Params, PairBatch, Logits, Together<Shown>> => {
  const picturesOf = pictureInputs({ imageSize, channels });
  return together<Params, Shown, PairBatch>(
    {
      read: (params, seen, pictures, tokens, hooks) => {
        const images = gather(picturesOf(seen).images, tensor1d([...pictures], 'int32'));
        return model.forward(params, { images, tokens, ...hooks });
      },
      one: ({ images, size }, picture) => {
        const { images: own } = picturesBetween({ images, size }, picture, picture + 1);
        return { images: Float32Array.from(own), size: 1 };
      },
    },
    options,
  );
};

/** The same about regions of pictures. */
export const regionMatching = <Params extends TensorTree>(
  model: Pick<Model<Params, RegionInputs>, 'forward'>,
  { features, places, ...options }: JointMatchingOptions & RegionShape,
): Task<Params, RegionPairBatch, Logits, Together<ShownRegions>> => {
  const regionsOf = regionInputs({ features, places });
  return together<Params, ShownRegions, RegionPairBatch>(
    {
      read: (params, seen, pictures, tokens, hooks) => {
        const rows = tensor1d([...pictures], 'int32');
        const all = regionsOf(seen);
        return model.forward(params, {
          features: gather(all.features, rows),
          places: gather(all.places, rows),
          counts: gather(all.counts, rows),
          tokens,
          ...hooks,
        });
      },
      one: ({ regions }, picture) => ({
        regions: regionsBetween(regions, picture, picture + 1),
        size: 1,
      }),
    },
    options,
  );
};

type Shown = Pick<PairBatch, 'images' | 'size'>;
type ShownRegions = Pick<RegionPairBatch, 'regions' | 'size'>;

/** A model's sight of what a batch shows. */
interface Sight<Params, Seen> {
  /** Texts [N, T], each about the picture of the batch that is said beside it → `logits` [N, 1]. */
  read(
    params: Params,
    seen: Seen,
    pictures: readonly number[],
    tokens: Tensor2D,
    hooks: Hooks | undefined,
  ): Prediction;
  /** A copy of one picture of the batch. */
  one(seen: Seen, picture: number): Seen;
}

/**
 * Scores are recalls as of `retrieval`. What a text is told from is drawn by the examples of a batch. Its batches fail with a RangeError
 * for a text without its end.
 */
function together<Params extends TensorTree, Seen, Batch extends Seen & Omit<PairBatch, 'images'>>(
  { read, one }: Sight<Params, Seen>,
  { loss, endToken, pictures = JOINT_PICTURES }: JointMatchingOptions,
): Task<Params, Batch, Logits, Together<Seen>> {
  const scored = (said: Prediction): Tensor2D => {
    const { logits } = logitsOf(said);
    if (logits.shape[1] === 1) return logits;
    throw new RangeError(`expected a model for retrieval, with one score of a pair, got ${logits.shape[1]}`);
  };
  return {
    name: 'matching',
    metric: 'meanR',
    predict: (params, batch, hooks) => {
      const { tokens, texts, imageGroups, textGroups } = batch;
      if (endToken !== undefined) checkTextEnds(tokens, tokens.length / texts, endToken);
      const own = [...placesOf(imageGroups, textGroups)];
      const others = othersOf(batch, OTHERS[loss]);
      const pairs = own.flatMap((picture, text) => [
        { picture, text },
        ...(others.texts[text] ?? []).map((other) => ({ picture, text: other })),
        ...(loss === 'margin'
          ? (others.pictures[text] ?? []).map((other) => ({ picture: other, text }))
          : []),
      ]);
      const words = textsOf(batch);
      const said = textsTogether(pairs.map(({ text }) => words[text] ?? new Int32Array()));
      const shown = pairs.map(({ picture }) => picture);
      const scores = scored(read(params, batch, shown, tokenInputs(said).tokens, hooks));
      return { logits: reshape(scores, [texts, pairs.length / texts]) };
    },
    loss: ({ logits }): Scalar => {
      const [texts, candidates] = logits.shape;
      const others = candidates - 1;
      if (others === 0) return mean(sub(logits, logits)); // nothing to tell it from
      if (loss === 'choice') return softmaxCrossEntropy(logits, firstOf(texts, candidates));
      const probabilities = sigmoid(logits);
      const right = slice(probabilities, [0, 0], [texts, 1]);
      return mean(relu(add(sub(slice(probabilities, [0, 1], [texts, others]), right), MARGIN)));
    },
    ...(loss === 'choice'
      ? {
          divergence: (a: Logits, b: Logits) => symmetricDivergence(a.logits, b.logits),
          distillation: logitDistillation,
        }
      : {
          divergence: (a: Logits, b: Logits) => sigmoidDivergence(a.logits, b.logits),
          distillation: sigmoidDistillation,
        }),
    answer: (params, batch) =>
      Promise.resolve({
        seen: Array.from({ length: batch.size }, (_, picture) => one(batch, picture)),
        tokens: textsOf(batch),
        score: async (seen, tokens) => {
          const said = textsTogether(tokens);
          const shown = tokens.map(() => 0);
          const scores = tidyTree(() => ({
            scores: scored(read(params, seen, shown, tokenInputs(said).tokens, undefined)),
          })).scores;
          const values = await scores.data<'float32'>();
          scores.dispose();
          return Float32Array.from(values);
        },
      }),
    scorer: () => jointScorer(pictures),
  };
}

/** Distributions that have all in the first place, [rows, columns]. */
function firstOf(rows: number, columns: number): Tensor2D {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) values[row * columns] = 1;
  return reshape(tensor1d(values), [rows, columns]);
}
