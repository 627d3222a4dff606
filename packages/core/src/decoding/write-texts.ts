import {
  type Tensor1D,
  type Tensor2D,
  dispose,
  keep,
  logSoftmax,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { BlipPasses } from '../families/blip';
import type { BlipParams } from '../families/blip-parts';
import { type DecoderCache, memoryTensors, reorderTexts, textTensors } from '../families/decoder-cache';
import type { Memory } from '../layers/cross-block';
import { type BeamOptions, type BeamSearch, beginSearch, searchStep } from './beam-search';

export interface WritingOptions extends BeamOptions {
  /** Tokens that each text begins with: the start token, and a prompt. */
  readonly begin: readonly number[];
}

/**
 * Writes one text about each memory by beam search, with keys and values of all that is written and seen kept. The memory is
 * lent, and all tensors that are made are disposed.
 * @returns The search of each, at its end.
 * @throws {RangeError} when a text begins with nothing, or with no room behind it.
 */
export async function writeTexts(
  passes: Pick<BlipPasses, 'begin' | 'advance'>,
  params: BlipParams,
  memory: Memory,
  { begin, ...options }: WritingOptions,
): Promise<readonly BeamSearch[]> {
  const { beams, longest } = options;
  if (begin.length === 0 || begin.length >= longest) {
    throw new RangeError(
      `expected texts that begin with 1 to ${longest - 1} tokens, got ${begin.length}: the longest has ${longest}`,
    );
  }
  const examples = memory.states.shape[0] / memory.tokens;
  let searches = Array.from({ length: examples }, () => beginSearch(begin, options));
  let cache = keeping(() => passes.begin(params, memory));
  const remembered = memoryTensors(cache);
  try {
    for (let place = 0; place < longest - 1; place++) {
      const words = searches.flatMap(({ open }) => open.map(({ tokens }) => tokens[place] ?? 0));
      const isBegun = place < begin.length - 1;
      const { logits, cache: next } = advanced(passes, params, words, cache);
      cache = next;
      if (isBegun) {
        logits.dispose();
        continue;
      }
      const values = await logits.data<'float32'>();
      logits.dispose();
      const size = values.length / examples;
      const steps = searches.map((search, example) =>
        searchStep(search, values.subarray(example * size, (example + 1) * size), begin.length, options),
      );
      searches = steps.map(({ search }) => search);
      if (searches.every(({ isOver }) => isOver)) break;
      const rows = steps.flatMap(({ parents }, example) => parents.map((parent) => example * beams + parent));
      if (rows.some((row, index) => row !== index)) cache = reordered(cache, rows);
    }
    return searches;
  } finally {
    dispose([...remembered, ...textTensors(cache)]);
  }
}

/** The log-likelihoods of the next word, and the cache behind the word before; the old one goes. */
function advanced(
  passes: Pick<BlipPasses, 'advance'>,
  params: BlipParams,
  words: readonly number[],
  cache: DecoderCache,
): { logits: Tensor2D; cache: DecoderCache } {
  let next = cache;
  const logits = tidy(() => {
    const tokens: Tensor1D = tensor1d([...words], 'int32');
    const step = passes.advance(params, tokens, cache);
    next = step.cache;
    textTensors(next).forEach((tensor) => keep(tensor));
    return logSoftmax<Tensor2D>(step.logits);
  });
  dispose(textTensors(cache));
  return { logits, cache: next };
}

function reordered(cache: DecoderCache, rows: readonly number[]): DecoderCache {
  const next = keeping(() => reorderTexts(cache, tensor1d([...rows], 'int32')));
  dispose(textTensors(cache));
  return next;
}

/** A cache that survives the tidy that it is made in. */
function keeping(make: () => DecoderCache): DecoderCache {
  let made: DecoderCache | undefined;
  tidy(() => {
    made = make();
    [...textTensors(made), ...memoryTensors(made)].forEach((tensor) => keep(tensor));
  });
  if (made === undefined) throw new RangeError('expected a cache');
  return made;
}
