import { type WrittenText, bestWords } from '../decoding/beam-search';
import { writeTexts } from '../decoding/write-texts';
import type { Blip } from '../families/blip';
import type { BlipParams } from '../families/blip-parts';
import { keptMemory } from '../families/memory-rows';
import { type WritingChoice, writingOptions } from './captions';
import { type PictureShape, pictureInputs, tokenInputs } from './inputs';

export interface AboutPictures extends PictureShape {
  readonly writing: WritingChoice;
  /** The tokens of a question about each picture; without it, captions are written. */
  readonly question?: Int32Array;
}

/** A text by its words, and how likely it is as a whole, from 0 to 1. */
export interface LikelyText {
  readonly words: readonly number[];
  readonly probability: number;
}

/**
 * Writes about each picture what a model for captions or for questions has to say: the best texts of a beam search, the best first.
 * @throws {RangeError} when the model has no decoder.
 */
export async function writeAbout(
  { config, passes }: Pick<Blip, 'config' | 'passes'>,
  params: BlipParams,
  batch: { readonly images: Float32Array; readonly size: number },
  { writing, question, ...shape }: AboutPictures,
): Promise<LikelyText[][]> {
  const { memory, release } = keptMemory(() => {
    const seen = passes.see(params, pictureInputs(shape)(batch).images);
    if (question === undefined) return seen;
    const tokens = Int32Array.from({ length: batch.size * question.length }, (_, place) => {
      return question[place % question.length] ?? 0;
    });
    return passes.ask(params, tokenInputs({ tokens, texts: batch.size }).tokens, seen);
  });
  try {
    const options = writingOptions(writing, config.tokens, config.decoder?.positions);
    const searches = await writeTexts(passes, params, memory, options);
    return searches.map(({ written }) =>
      written.map((text: WrittenText) => ({
        words: bestWords({ written: [text], open: [], isOver: true }, 1, config.tokens.end),
        probability: Math.exp(text.score * text.tokens.length),
      })),
    );
  } finally {
    release();
  }
}
