import { type Boxes, giou, hullOf, iou } from './box';
import { byScore } from './suppression';

/** A box counts as found from this overlap on. */
const FOUND = 0.5;

/** Boxes that were predicted for a text, each with its score. */
export interface RankedBoxes {
  /** [Q, 4]. */
  readonly boxes: Boxes;
  /** [Q]. */
  readonly scores: ArrayLike<number>;
}

/** The rank of the first box that overlaps any of some boxes enough, from 0; Infinity where none does. */
function firstHit({ boxes, scores }: RankedBoxes, targets: Boxes, measure: typeof iou): number {
  const count = targets.length / 4;
  const rank = byScore(scores).findIndex((index) =>
    Array.from({ length: count }, (_, target) => measure(boxes, index, targets, target)).some(
      (overlap) => overlap >= FOUND,
    ),
  );
  return rank < 0 ? Infinity : rank;
}

const percent = (hits: number, of: number): number => (of === 0 ? Number.NaN : (100 * hits) / of);

/**
 * Referring expressions: percent of them of which one of the k best boxes overlaps the one target by 0.5 or more.
 * @param overlap `iou` is what papers report; MDETR's own evaluator takes `giou`, which is stricter.
 */
export function precisionAt(
  examples: readonly (RankedBoxes & { /** [4]. */ readonly target: Boxes })[],
  cutoffs: readonly number[],
  overlap: 'iou' | 'giou' = 'iou',
): number[] {
  const ranks = examples.map((example) => firstHit(example, example.target, overlap === 'iou' ? iou : giou));
  return cutoffs.map((cutoff) => percent(ranks.filter((rank) => rank < cutoff).length, ranks.length));
}

/** A phrase of a sentence, with the boxes that were predicted for it. */
export interface GroundedPhrase extends RankedBoxes {
  /** [N, 4]; a phrase without boxes is not counted. */
  readonly truths: Boxes;
  /** Those it belongs to: people, animals, … */
  readonly categories: readonly string[];
}

export interface PhraseRecall {
  /** Phrases that have boxes. */
  readonly phrases: number;
  /** Percent, for each cutoff. */
  readonly recalls: readonly number[];
  /** Percent if all boxes are looked at. */
  readonly upperBound: number;
}

/**
 * Flickr30k Entities: percent of the phrases for which one of the k best boxes overlaps the truth by 0.5 or more. `any` takes any of
 * the phrase's boxes for the truth, `merged` the smallest box around them.
 * @returns of all phrases, and of each category.
 */
export function phraseRecall(
  phrases: readonly GroundedPhrase[],
  cutoffs: readonly number[],
  rule: 'any' | 'merged',
): { readonly all: PhraseRecall; readonly byCategory: ReadonlyMap<string, PhraseRecall> } {
  const ranked = phrases
    .filter(({ truths }) => truths.length > 0)
    .map((phrase) => ({
      rank: firstHit(phrase, rule === 'any' ? phrase.truths : hullOf(phrase.truths), iou),
      categories: phrase.categories,
    }));
  const recallOf = (own: readonly { readonly rank: number }[]): PhraseRecall => ({
    phrases: own.length,
    recalls: cutoffs.map((cutoff) => percent(own.filter(({ rank }) => rank < cutoff).length, own.length)),
    upperBound: percent(own.filter(({ rank }) => rank < Infinity).length, own.length),
  });
  const categories = [...new Set(ranked.flatMap((phrase) => phrase.categories))].sort();
  return {
    all: recallOf(ranked),
    byCategory: new Map(
      categories.map((name) => [name, recallOf(ranked.filter((own) => own.categories.includes(name)))]),
    ),
  };
}

/** Questions with the type and the answer that they have, and those that were predicted: [N] each. */
export interface AnsweredQuestions {
  readonly types: ArrayLike<number>;
  readonly answers: ArrayLike<number>;
  readonly predictedTypes: ArrayLike<number>;
  /** By the head of the question's true type. */
  readonly predictedAnswers: ArrayLike<number>;
}

/**
 * GQA's accuracy as MDETR counts it: percent of the questions whose type and whose answer of that type are both right; NaN for a type
 * that no question has.
 */
export function answerAccuracy(
  { types, answers, predictedTypes, predictedAnswers }: AnsweredQuestions,
  typeCount: number,
): { readonly all: number; readonly byType: readonly number[] } {
  const [right, asked] = [new Float64Array(typeCount), new Float64Array(typeCount)];
  for (let question = 0; question < types.length; question++) {
    const type = types[question] ?? 0;
    asked[type] = (asked[type] ?? 0) + 1;
    const isRight = predictedTypes[question] === type && predictedAnswers[question] === answers[question];
    if (isRight) right[type] = (right[type] ?? 0) + 1;
  }
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  return {
    all: percent(total(right), total(asked)),
    byType: Array.from(right, (hits, type) => percent(hits, asked[type] ?? 0)),
  };
}
