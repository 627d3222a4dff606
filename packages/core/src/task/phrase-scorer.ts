import { BOX, cornersOf } from '../boxes/box';
import { type GroundedPhrase, type PhraseRecall, phraseRecall } from '../boxes/grounding-scores';
import type { GroundingBatch } from '../data/dataset';
import { probabilities } from './grounding-matching';
import type { HostPrediction, Scorer, Scores } from './task';

const CUTOFFS = [1, 5, 10] as const;

/** Objects of a text that the same tokens name. */
interface Phrase {
  readonly example: number;
  readonly tokens: Int32Array;
  readonly objects: readonly number[];
}

function phrasesOf({ examples, tokens }: GroundingBatch['objects']): Phrase[] {
  const phrases = new Map<string, { example: number; tokens: Int32Array; objects: number[] }>();
  examples.forEach((example, object) => {
    const own = tokens[object] ?? new Int32Array();
    const name = `${example}: ${own.join()}`;
    const known = phrases.get(name);
    if (known === undefined) phrases.set(name, { example, tokens: own, objects: [object] });
    else known.objects.push(object);
  });
  return [...phrases.values()];
}

/**
 * Collects the boxes of each phrase, ranked by the greatest probability that a query gives to one of its tokens, as MDETR does. Scores
 * are recalls in percent, as for Flickr30k Entities: `any1` is how often the best box overlaps any box of the phrase by 0.5 or more,
 * `merged1` the smallest box around them all; `anyAll` and `mergedAll` look at all queries. Each phrase of each text counts once.
 */
export function phraseScorer(): Scorer<HostPrediction, GroundingBatch> {
  const found: GroundedPhrase[] = [];
  return {
    add: (prediction, { size, objects }) => {
      const { logits, boxes } = prediction;
      if (logits?.dtype !== 'float32' || boxes?.dtype !== 'float32')
        throw new TypeError('grounding: no boxes were predicted');
      const queries = boxes.values.length / BOX / size;
      const classes = logits.values.length / (queries * size);
      const shares = Array.from({ length: queries * size }, (_, row) =>
        probabilities(logits.values.slice(row * classes, (row + 1) * classes)),
      );
      const [told, wanted] = [cornersOf(Float32Array.from(boxes.values)), cornersOf(objects.boxes)];
      for (const { example, tokens, objects: own } of phrasesOf(objects)) {
        const scores = shares.slice(example * queries, (example + 1) * queries).map((row) => {
          const best = tokens.reduce((most, token) => Math.max(most, row[token] ?? 0), 0);
          return Number.isNaN(best) ? -1 : best;
        });
        found.push({
          boxes: told.slice(example * queries * BOX, (example + 1) * queries * BOX),
          scores,
          truths: Float64Array.from(
            own.flatMap((object) => [...wanted.subarray(object * BOX, (object + 1) * BOX)]),
          ),
          categories: [],
        });
      }
    },
    scores: (): Scores => ({
      ...named('any', phraseRecall(found, CUTOFFS, 'any').all),
      ...named('merged', phraseRecall(found, CUTOFFS, 'merged').all),
    }),
  };
}

const named = (rule: string, { recalls, upperBound }: PhraseRecall): Scores => ({
  ...Object.fromEntries(CUTOFFS.map((cutoff, index) => [`${rule}${cutoff}`, recalls[index] ?? Number.NaN])),
  [`${rule}All`]: upperBound,
});
