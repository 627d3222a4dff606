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
import { grouped } from '../split/grouped';
import { encodeAll } from '../tokenizer/encode-all';
import { drawnObjective, hideRegions, hideWords } from './hidden-parts';
import { classesOfRegions } from './region-classes';
import { type RegionOptions, shownRegions } from './shown-regions';

/** Regions and texts of which something is hidden. */
export type TokenizedHiddenData = TokenizedToldData<HiddenBatch> & {
  /** R: most regions of a picture. */
  readonly regions: number;
  /** Classes that regions are told apart by, that of nothing in particular among them; undefined where the data know none. */
  readonly classes: number | undefined;
  /** Answers to questions that are told apart; undefined where none are asked. */
  readonly answers: number | undefined;
  /** Stands for a hidden word: one more than the tokenizer has. */
  readonly maskToken: number;
};

/** Tokens of a question that is read whole, whatever captions have. */
const LONGEST_QUESTION = 77;
/** Tries to find a text about another picture. */
const TRIES = 20;

/** The choice of what is asked. */
export interface HiddenOptions extends RegionOptions {
  /** Whether examples are asked questions about their pictures, too, in the place of their texts, where there are some. Default false. */
  readonly asksQuestions?: boolean;
}

/**
 * Texts about regions for pre-training: of each example something is hidden, the text may be another picture's, or a question that is to be answered. What
 * that is depends on seed, epoch and example; for evaluation it is always the same.
 * @throws {RangeError} on options outside their range, and where pictures are to be varied.
 * @throws {DataError} when the data know no boxes, and on broken files with `preload`.
 */
export async function hiddenData(
  found: FoundTold<ToldPicture>,
  options: ToldPictureOptions,
  { asksQuestions = false, ...regions }: HiddenOptions,
): Promise<TokenizedHiddenData> {
  const { most, showing } = shownRegions(found, options, regions);
  const { regionClasses: classes } = found;
  const data = await shownData(found, options, () => ({}), showing);
  const { tokenizer, endToken, vocabulary } = data;
  const questions = asksQuestions ? found.questions?.() : undefined;
  const isGiven = options.context !== undefined || options.tokenizer !== undefined;
  const context = (isGiven ? [] : (questions?.splits.train ?? [])).reduce(
    (longest, { text }) => Math.max(longest, tokenizer.encode(text, LONGEST_QUESTION).length),
    data.context,
  );
  const maskToken = vocabulary;
  const hiding = (split: 'train' | 'validation' | 'test'): Dataset<HiddenBatch> => {
    const [examples, shown]: [readonly ToldPicture[], Dataset<ToldTexts & { regions: PictureRegions }>] = [
      found.splits[split],
      data[split],
    ];
    const asked = grouped(questions?.splits[split] ?? [], ({ picture }) => picture);
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
        const answers = new Int32Array(indices.length).fill(-1);
        const drawn = indices.map((example, place) => {
          const random = streamOf(example, augmentation);
          const about = examples[example];
          if (about === undefined)
            throw new RangeError(`expected an index below ${examples.length}, got ${example}`);
          const own = asked.get(about.picture) ?? [];
          const objective = drawnObjective(random, classes !== undefined, own.length > 0);
          const question = objective === 'answers' ? own[random.integer(own.length)] : undefined;
          answers[place] = question?.answer ?? -1;
          if (question !== undefined) return { random, objective, text: question.text };
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
        const hiddenClasses = new Int32Array(indices.length * count).fill(-1);
        drawn.forEach(({ random, objective }, place) => {
          const text = tokens.subarray(place * length, (place + 1) * length);
          if (objective === 'words')
            hiddenWords.set(hideWords(text, { maskToken, endToken, vocabulary }, random), place * length);
          if (objective !== 'regions' && objective !== 'classes') return;
          const hidden = hideRegions(own.regions, place, random);
          hiddenRegions.set(hidden, place * count);
          const example = examples[indices[place] ?? -1];
          if (objective === 'regions' || classes === undefined || example === undefined) return;
          const known = classesOfRegions(own.regions, place, classes.objectsIn(example.picture));
          hidden.forEach((away, region) => {
            if (away === 1) hiddenClasses[place * count + region] = known[region] ?? 0;
          });
        });
        const hidden = { ...own, tokens, hiddenWords, hiddenRegions, hiddenClasses, matches };
        return questions === undefined ? hidden : { ...hidden, answers };
      },
    };
  };
  return {
    ...data,
    context,
    regions: most,
    answers: questions?.answers.length,
    classes: classes === undefined ? undefined : classes.names.length + 1,
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
