import { type Tensor2D, softmax, tensor2d } from '@tensorflow/tfjs-core';
import type { PairBatch } from '../data/dataset';
import { type BeamSearch, bestWords } from '../decoding/beam-search';
import { writeTexts } from '../decoding/write-texts';
import type { Blip } from '../families/blip';
import type { BlipParams } from '../families/blip-parts';
import { keptMemory, memoryOfEach } from '../families/memory-rows';
import { softmaxCrossEntropy } from '../operations/cross-entropy';
import { captionScorer } from './caption-scorer';
import { type PictureShape, pictureInputs } from './inputs';
import { logitsOf, symmetricDivergence } from './logits';
import { begunWith, nextWordLoss, nextWords, ofWords } from './next-words';
import type { Task } from './task';
import type { Logits } from '../families/prediction';

/** The writing of texts when a model is scored. */
export interface WritingChoice {
  readonly beams: number;
  /** Words of the shortest and of the longest text. */
  readonly shortest: number;
  readonly longest: number;
}

/** BLIP's for captions: three beams, 5 to 20 tokens with its prompt of three and the start token. */
export const captionWriting: WritingChoice = { beams: 3, shortest: 1, longest: 20 };

export interface CaptionOptions extends PictureShape {
  readonly writing?: WritingChoice;
  /** The text of some tokens. */
  readonly say: (tokens: readonly number[]) => string;
  /** Lists the things that a text says, a line each; with it, the share that references say is a score. */
  readonly statementsOf?: ((text: string) => readonly string[]) | undefined;
}

/** As in BLIP. */
export const LABEL_SMOOTHING = 0.1;

/**
 * Writing captions (Li et al., 2022, BLIP): learned word by word, with smoothed labels, and scored by what beam search writes: CIDEr-D as
 * tables have it, from 0 to 1000 (`ciderD`), BLEU@1 to 4 in percent, and with `statementsOf` the F1 of what captions say, in percent (`tupleF1`).
 * Not BLIP's: the mean is over the words of a batch, of which pictures may have different numbers.
 */
export function captions(
  { config, passes }: Pick<Blip, 'config' | 'passes'>,
  { writing = captionWriting, say, statementsOf, ...shape }: CaptionOptions,
): Task<BlipParams, PairBatch, Logits, readonly (readonly number[])[]> {
  const { start, end } = config.tokens;
  const picturesOf = pictureInputs(shape);
  const nextOf = ({ tokens, texts }: PairBatch) => nextWords(tokens, tokens.length / texts, end);
  const wordsOf = ({ logits }: Logits, batch: PairBatch): Tensor2D => ofWords(logits, nextOf(batch));
  return {
    name: 'captions',
    metric: 'ciderD',
    predict: (params, batch, hooks) => {
      const { tokens, texts, imageGroups, textGroups } = batch;
      const length = tokens.length / texts;
      const seen = passes.see(params, picturesOf(batch).images, hooks);
      const written = tensor2d(begunWith(tokens, length, start), [texts, length], 'int32');
      const memory = memoryOfEach(seen, placesOf(imageGroups, textGroups));
      return logitsOf({ logits: passes.write(params, written, memory, hooks) });
    },
    loss: ({ logits }, batch) => nextWordLoss(logits, nextOf(batch), LABEL_SMOOTHING),
    divergence: (one, other, batch) => symmetricDivergence(wordsOf(one, batch), wordsOf(other, batch)),
    distillation: (student, teacher, batch) =>
      softmaxCrossEntropy(wordsOf(student, batch), softmax(wordsOf(teacher, batch))),
    answer: async (params, batch) => {
      const { memory, release } = keptMemory(() => passes.see(params, picturesOf(batch).images));
      try {
        const options = writingOptions(writing, config.tokens, config.decoder?.positions);
        const found = await writeTexts(passes, params, memory, options);
        return found.map((search: BeamSearch) => bestWords(search, 1, end));
      } finally {
        release();
      }
    },
    scorer: () => captionScorer({ end, say, statementsOf }),
  };
}

/** Options of a search for texts behind the start token, as far as a model has places for them. */
export const writingOptions = (
  { beams, shortest, longest }: WritingChoice,
  { start, end }: { readonly start: number; readonly end: number },
  places = Infinity,
) => ({
  beams,
  begin: [start],
  end,
  shortest: Math.min(1 + shortest, places - 1),
  longest: Math.min(2 + longest, places), // The start token and the end token stand beside the words.
  length: 'whole' as const,
});

/** The place of each text's picture among those of the batch. @throws {RangeError} for a text without one. */
export function placesOf(imageGroups: Int32Array, textGroups: Int32Array): Int32Array {
  const places = new Map<number, number>();
  imageGroups.forEach((group, place) => places.has(group) || places.set(group, place));
  return textGroups.map((group) => {
    const place = places.get(group);
    if (place === undefined) throw new RangeError('expected a picture of every text of the batch');
    return place;
  });
}
