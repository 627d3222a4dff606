import { type Scalar, type Tensor2D, add, mul, oneHot, reshape, tensor1d } from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { gatherRows } from '../operations/gather-rows';

/** The words that a text goes on with: which row of logits is about each, and which word it is. */
export interface NextWords {
  readonly rows: Int32Array;
  readonly words: Int32Array;
}

/**
 * The words behind each token of texts, up to their ends.
 * @param tokens [M, N] in row-major order; a text's own are those up to its first end token.
 * @param length N.
 * @param skipped Words at the beginning that are given, and not learned.
 */
export function nextWords(tokens: Int32Array, length: number, end: number, skipped = 0): NextWords {
  const rows: number[] = [];
  const words: number[] = [];
  for (let start = 0; start < tokens.length; start += length) {
    for (let place = 0; place + 1 < length; place++) {
      const word = tokens[start + place + 1] ?? end;
      if (place >= skipped) {
        rows.push(start + place);
        words.push(word);
      }
      if (word === end) break;
    }
  }
  return { rows: Int32Array.from(rows), words: Int32Array.from(words) };
}

/** Logits [M·N, V] → those that are about words, [W, V]. */
export const ofWords = (logits: Tensor2D, { rows }: NextWords): Tensor2D =>
  gatherRows(logits, tensor1d(rows, 'int32'));

/**
 * The mean cross-entropy of logits [M·N, V] to the next words; with smoothing, a share of each target is spread evenly over all words.
 */
export function nextWordLoss(logits: Tensor2D, next: NextWords, smoothing: number): Scalar {
  const vocabulary = logits.shape[1];
  const right: Tensor2D = reshape(oneHot(tensor1d(next.words, 'int32'), vocabulary), [
    next.words.length,
    vocabulary,
  ]);
  const targets: Tensor2D = add(mul(right, 1 - smoothing), smoothing / vocabulary);
  return softmaxCrossEntropy(ofWords(logits, next), targets);
}

/** Texts [M, N] in row-major order, with another first token. */
export function begunWith(tokens: Int32Array, length: number, first: number): Int32Array {
  const begun = tokens.slice();
  for (let start = 0; start < begun.length; start += length) begun[start] = first;
  return begun;
}
