import {
  type Scalar,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  abs,
  add,
  div,
  logSoftmax,
  matMul,
  maximum,
  minimum,
  mul,
  neg,
  reshape,
  scalar,
  slice,
  sub,
  sum,
  tensor1d,
  tensor2d,
  tensor3d,
  transpose,
} from '@tensorflow/tfjs-core';
import { BOX } from '../boxes/box';
import type { Groundings } from '../families/mdetr';
import { gatherRows } from '../operations/gather-rows';
import { type NamedObjects, matchedQueries } from './grounding-matching';
import { nothingOf } from './nothing';

/** Weights of the losses in their sum, as published. */
export const groundingWeights = { token: 1, distance: 5, overlap: 2, alignment: 1 } as const;
/** The weight of a query that found no object. */
const NO_OBJECT_WEIGHT = 0.1;
const TEMPERATURE = 0.07;
/** Far below any score. */
const NEVER = -1e9;

/** The predictions of one decoder layer. */
type LayerTold = Pick<Groundings, 'logits' | 'boxes' | 'aligned'>;

/**
 * Reads what each decoder layer says, the last layer last.
 * @throws {RangeError} when a layer says too little.
 */
export function layersOf(prediction: Groundings): LayerTold[] {
  const isMatrix = (tensor: Tensor | undefined): tensor is Tensor2D => tensor?.rank === 2;
  const earlier: LayerTold[] = [];
  for (let index = 0; `logits${index}` in prediction; index++) {
    const { [`logits${index}`]: logits, [`boxes${index}`]: boxes, [`aligned${index}`]: aligned } = prediction;
    if (!isMatrix(logits) || !isMatrix(boxes) || !isMatrix(aligned))
      throw new RangeError(`expected logits, boxes and aligned queries of decoder layer ${index}`);
    earlier.push({ logits, boxes, aligned });
  }
  return [...earlier, prediction];
}

/**
 * The loss of MDETR (Kamath et al., 2021, Section 3.2) of all decoder layers: soft tokens, distances and overlaps of boxes, and the
 * alignment of queries and words; each layer has its own matching, which no gradient goes through. Sums over a batch go by
 * max(1, objects in it).
 */
export function groundingLoss(prediction: Groundings, objects: NamedObjects): Scalar {
  const unused = Object.entries(prediction).flatMap(([name, tensor]) => (name === 'read' ? [] : [tensor]));
  return layersOf(prediction)
    .map((told) => layerLoss(told, prediction, objects))
    .reduce((total, loss) => add(total, loss), nothingOf(unused));
}

function layerLoss(told: LayerTold, { words, read }: Groundings, objects: NamedObjects): Scalar {
  const [examples] = read.shape;
  const rowOf = matchedQueries(
    {
      logits: Float32Array.from(told.logits.dataSync()),
      boxes: Float32Array.from(told.boxes.dataSync()),
      examples,
    },
    objects,
  );
  const matched = [...rowOf.keys()].filter((object) => (rowOf[object] ?? -1) >= 0);
  const rows = Int32Array.from(matched, (object) => rowOf[object] ?? 0);
  const count = Math.max(1, objects.examples.length);
  const token = tokenLoss(told.logits, objects, { rows, matched });
  const losses = [mul<Scalar>(token, groundingWeights.token)];
  if (matched.length > 0) {
    const found = gatherRows(told.boxes, tensor1d(rows, 'int32')); // [M, 4]
    const wanted = tensor2d(
      Float32Array.from(
        matched.flatMap((object) => [...objects.boxes.subarray(object * BOX, (object + 1) * BOX)]),
      ),
      [matched.length, BOX],
    );
    losses.push(mul<Scalar>(sum<Scalar>(abs(sub(found, wanted))), groundingWeights.distance));
    losses.push(
      mul<Scalar>(sum<Scalar>(sub(1, generalisedOverlaps(found, wanted))), groundingWeights.overlap),
    );
    const aligned = alignmentLoss(
      alignedScores(told.aligned, words, examples),
      read,
      positives(told, words, objects, { rows, matched }, examples),
    );
    losses.push(mul<Scalar>(aligned, groundingWeights.alignment));
  }
  return div(
    losses.reduce((total, loss) => add(total, loss)),
    count,
  );
}

interface Matching {
  /** Rows of the queries that have an object, [M]. */
  readonly rows: Int32Array;
  /** Their objects, [M]. */
  readonly matched: readonly number[];
}

/** Cross-entropy to even targets over the tokens that name the object, or to "no object"; a sum. */
function tokenLoss(logits: Tensor2D, objects: NamedObjects, { rows, matched }: Matching): Scalar {
  const [all, classes] = logits.shape;
  const targets = new Float32Array(all * classes);
  for (let row = 0; row < all; row++) targets[(row + 1) * classes - 1] = NO_OBJECT_WEIGHT;
  matched.forEach((object, index) => {
    const row = rows[index] ?? 0;
    targets[(row + 1) * classes - 1] = 0;
    const tokens = objects.tokens[object] ?? new Int32Array();
    for (const token of tokens) targets[row * classes + token] = 1 / tokens.length;
  });
  return neg(sum<Scalar>(mul(tensor2d(targets, [all, classes]), logSoftmax(logits))));
}

const sides = (boxes: Tensor2D): { low: Tensor2D; high: Tensor2D; size: Tensor2D } => {
  const [count] = boxes.shape;
  const centre: Tensor2D = slice(boxes, [0, 0], [count, 2]);
  const size: Tensor2D = slice(boxes, [0, 2], [count, 2]);
  return { low: sub(centre, mul(size, 0.5)), high: add(centre, mul(size, 0.5)), size };
};

/** The product of width and height, [M, 2] → [M, 1]. */
const area = (size: Tensor2D): Tensor2D => {
  const [count] = size.shape;
  return mul(slice(size, [0, 0], [count, 1]), slice(size, [0, 1], [count, 1]));
};

/** Keeps a division by the area of an empty box finite. */
const SMALLEST_AREA = 1e-9;

/** GIoU of boxes of [centre x, centre y, width, height], pair by pair: [M, 4] each → [M, 1]. */
export function generalisedOverlaps(a: Tensor2D, b: Tensor2D): Tensor2D {
  const [one, other] = [sides(a), sides(b)];
  const within: Tensor2D = maximum(sub(minimum(one.high, other.high), maximum(one.low, other.low)), 0);
  const intersection = area(within);
  const union: Tensor2D = sub(add(area(one.size), area(other.size)), intersection);
  const hull = area(sub(maximum(one.high, other.high), minimum(one.low, other.low)));
  const share = (part: Tensor2D, whole: Tensor2D): Tensor2D => div(part, maximum(whole, SMALLEST_AREA));
  return sub(share(intersection, union), share(sub(hull, union), hull));
}

/** Products of queries and words, by the temperature: [B·Q, a] and [B·T, a] → [B, Q, T]. */
function alignedScores(aligned: Tensor2D, words: Tensor2D, examples: number): Tensor3D {
  const width = aligned.shape[1];
  const perExample = (x: Tensor2D): Tensor3D => reshape(x, [examples, x.shape[0] / examples, width]);
  return div(matMul(perExample(aligned), perExample(words), false, true), TEMPERATURE);
}

/** Which queries are to be close to which words: 1, and 0 elsewhere. [B, Q, T] */
function positives(
  { aligned }: LayerTold,
  words: Tensor2D,
  objects: NamedObjects,
  { rows, matched }: Matching,
  examples: number,
): Tensor3D {
  const [queries, length] = [aligned.shape[0] / examples, words.shape[0] / examples];
  const pairs = new Float32Array(examples * queries * length);
  matched.forEach((object, index) => {
    for (const token of objects.tokens[object] ?? []) pairs[(rows[index] ?? 0) * length + token] = 1;
  });
  return tensor3d(pairs, [examples, queries, length]);
}

/**
 * The contrastive alignment of queries and words, a sum: half of each query's cross-entropy over the words that are read, and half
 * of each word's over the queries, where they have positives. MDETR's code counts padding among the words; here it does not.
 * @param scores By the temperature, [B, Q, T]. @param read 1 where a word is read, [B, T]. @param pairs Positives, [B, Q, T].
 */
export function alignmentLoss(scores: Tensor3D, read: Tensor2D, pairs: Tensor3D): Scalar {
  const [examples, length] = read.shape;
  const hidden: Tensor3D = reshape(mul(sub(1, read), NEVER), [examples, 1, length]);
  const half = (logits: Tensor3D, targets: Tensor3D): Scalar => {
    const shares = div(targets, maximum(sum(targets, 2, true), 1));
    return neg(sum<Scalar>(mul(shares, logSoftmax(logits))));
  };
  const overWords = half(add(scores, hidden), pairs);
  const overQueries = half(transpose(scores, [0, 2, 1]), transpose(pairs, [0, 2, 1]));
  return mul(add<Scalar>(overWords, overQueries), scalar(0.5));
}
