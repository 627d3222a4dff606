import { cornersOf } from '../boxes/box';
import { type GroundedPhrase, type PhraseRecall, phraseRecall } from '../boxes/grounding-scores';
import type { GroundingBatch } from '../data/dataset';
import type { HostPrediction, Scorer, Scores } from './task';
import { boxesOf, toldQueries } from './told-queries';

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
      const wanted = cornersOf(objects.boxes);
      const told = toldQueries(prediction, size);
      for (const { example, tokens, objects: own } of phrasesOf(objects)) {
        const queries = told[example];
        if (queries === undefined) throw new RangeError(`expected an example below ${size}, got ${example}`);
        const { boxes, probabilities } = queries;
        const scores = probabilities.map((row) => {
          const best = tokens.reduce((most, token) => Math.max(most, row[token] ?? 0), 0);
          return Number.isNaN(best) ? -1 : best;
        });
        found.push({ boxes, scores, truths: boxesOf(wanted, own), categories: [] });
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
