import type { PictureRegions, RandomStream } from '@winnow/core';

/** Questions to an example: whether text and picture belong together, which words are hidden, what hidden regions show, or are, or a question itself. */
export type Objective = 'matching' | 'words' | 'regions' | 'classes' | 'answers';

/** Drawn 2 : 2 : 1 : 1, as UNITER mixes them; without classes 2 : 2 : 1. */
const DRAWN: readonly Objective[] = ['matching', 'matching', 'words', 'words', 'regions', 'classes'];
const HIDDEN_SHARE = 0.15;
/** Shares of hidden words, as BERT's: most become the token for them, some another word, and the rest stay. */
const [MASKED, OTHER] = [0.8, 0.1];

const ANSWERS: readonly Objective[] = ['answers', 'answers'];

/**
 * Draws what an example is asked.
 * @param hasClasses Whether the data know what regions are.
 * @param hasQuestions Whether there are questions about its picture: as often as matching.
 */
export function drawnObjective(random: RandomStream, hasClasses: boolean, hasQuestions = false): Objective {
  const drawn = [...DRAWN.slice(0, hasClasses ? DRAWN.length : -1), ...(hasQuestions ? ANSWERS : [])];
  return drawn[random.integer(drawn.length)] ?? 'matching';
}

/** Draws some of so many places, each by itself, and at least one where there is one. */
function someOf(places: readonly number[], random: RandomStream): readonly number[] {
  const drawn = places.filter(() => random.uniform() < HIDDEN_SHARE);
  const [sure] = places.slice(places.length === 0 ? 0 : random.integer(places.length));
  return drawn.length > 0 || sure === undefined ? drawn : [sure];
}

/** Tokens that words are hidden by. */
export interface HidingTokens {
  /** Stands for a hidden word. */
  readonly maskToken: number;
  readonly endToken: number;
  /** Words that may stand in place of another: those below it. */
  readonly vocabulary: number;
}

/**
 * Hides words of a text: 15 % of those between its first token and its end, at least one where there is one. Of these 80 % become
 * the token for hidden words, 10 % any word, and 10 % stay (Devlin et al., 2019).
 * @param tokens Changed in place. @returns the words that were hidden, −1 elsewhere.
 */
export function hideWords(
  tokens: Int32Array,
  { maskToken, endToken, vocabulary }: HidingTokens,
  random: RandomStream,
): Int32Array {
  const hidden = new Int32Array(tokens.length).fill(-1);
  const end = tokens.indexOf(endToken);
  const places = Array.from({ length: Math.max(0, end - 1) }, (_, place) => place + 1);
  for (const place of someOf(places, random)) {
    hidden[place] = tokens[place] ?? -1;
    const fate = random.uniform();
    if (fate < MASKED) tokens[place] = maskToken;
    else if (fate < MASKED + OTHER) tokens[place] = random.integer(vocabulary);
    // A word that looks like an end would cut the text.
    if (tokens[place] === endToken) tokens[place] = maskToken;
  }
  return hidden;
}

/** Hides regions of a picture of a batch: 15 % of those that are none of padding, at least one. @returns 1 where one is, [R]. */
export function hideRegions(
  { count, real }: Pick<PictureRegions, 'count' | 'real'>,
  picture: number,
  random: RandomStream,
): Float32Array {
  const places = Array.from({ length: count }, (_, place) => place).filter(
    (place) => real[picture * count + place] === 1,
  );
  const hidden = new Float32Array(count);
  for (const place of someOf(places, random)) hidden[place] = 1;
  return hidden;
}
