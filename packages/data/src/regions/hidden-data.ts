import {
  type Augmentation,
  type Dataset,
  type HiddenBatch,
  type PictureRegions,
  type RandomStream,
  randomStream,
} from '@winnow/core';
import {
  type FoundTold,
  type ToldPicture,
  type ToldPictureOptions,
  type ToldTexts,
  type TokenizedToldData,
  shownData,
} from '../grounded/told-data';
import { encodeAll } from '../tokenizer/encode-all';
import { drawnObjective, hideRegions, hideWords } from './hidden-parts';
import { type RegionOptions, shownRegions } from './shown-regions';

/** Regions and texts of which something is hidden. */
export type TokenizedHiddenData = TokenizedToldData<HiddenBatch> & {
  /** R: most regions of a picture. */
  readonly regions: number;
  /** Stands for a hidden word: one more than the tokenizer has. */
  readonly maskToken: number;
};

/** Tries to find a text about another picture. */
const TRIES = 20;

/**
 * Texts about regions for pre-training: of each example something is hidden, or the text may be another picture's. What that is depends
 * on seed, epoch and example; for evaluation it is always the same.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} when the data know no boxes, and on broken files with `preload`.
 */
export async function hiddenData(
  found: FoundTold<ToldPicture>,
  options: ToldPictureOptions,
  regions: RegionOptions,
): Promise<TokenizedHiddenData> {
  const { most, showing } = shownRegions(found, options, regions);
  const data = await shownData(found, options, () => ({}), showing);
  const { tokenizer, context, endToken, vocabulary } = data;
  const maskToken = vocabulary;
  const hiding = (split: 'train' | 'validation' | 'test'): Dataset<HiddenBatch> => {
    const [examples, shown]: [readonly ToldPicture[], Dataset<ToldTexts & { regions: PictureRegions }>] = [
      found.splits[split],
      data[split],
    ];
    const streamOf = (example: number, augmentation: Augmentation | undefined) =>
      augmentation === undefined
        ? randomStream(0, 'hidden', split, example)
        : randomStream(augmentation.seed, 'hidden', split, augmentation.epoch, example);
    return {
      size: shown.size,
      batch: async (indices, augmentation) => {
        const own = await shown.batch(indices);
        const { count } = own.regions;
        const matches = new Int32Array(indices.length).fill(-1);
        const drawn = indices.map((example, place) => {
          const random = streamOf(example, augmentation);
          const objective = drawnObjective(random);
          const about = examples[example];
          if (about === undefined)
            throw new RangeError(`expected an index below ${examples.length}, got ${example}`);
          if (objective !== 'matching') return { random, objective, text: about.text };
          const other = random.integer(2) === 1 ? otherText(examples, about, random) : undefined;
          matches[place] = other === undefined ? 1 : 0;
          return { random, objective, text: other ?? about.text };
        });
        const { tokens, length } = encodeAll(
          tokenizer,
          drawn.map(({ text }) => text),
          context,
        );
        const hiddenWords = new Int32Array(tokens.length).fill(-1);
        const hiddenRegions = new Float32Array(indices.length * count);
        drawn.forEach(({ random, objective }, place) => {
          const text = tokens.subarray(place * length, (place + 1) * length);
          if (objective === 'words')
            hiddenWords.set(hideWords(text, { maskToken, endToken, vocabulary }, random), place * length);
          if (objective === 'regions')
            hiddenRegions.set(hideRegions(own.regions, place, random), place * count);
        });
        return { ...own, tokens, hiddenWords, hiddenRegions, matches };
      },
    };
  };
  return {
    ...data,
    regions: most,
    maskToken,
    train: hiding('train'),
    validation: hiding('validation'),
    test: hiding('test'),
  };
}

/** The text of an example about another picture; undefined where none was found. */
function otherText(
  examples: readonly ToldPicture[],
  { picture, text }: ToldPicture,
  random: RandomStream,
): string | undefined {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const other = examples[random.integer(examples.length)];
    if (other !== undefined && other.picture !== picture && other.text !== text) return other.text;
  }
  return undefined;
}
