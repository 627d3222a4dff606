import { cornersOf } from '../boxes/box';
import { type RankedBoxes, precisionAt } from '../boxes/grounding-scores';
import type { GroundingBatch } from '../data/dataset';
import type { HostPrediction, Scorer, Scores } from './task';
import { boxesOf, toldQueries } from './told-queries';

const CUTOFFS = [1, 5, 10] as const;

/**
 * Collects the queries' boxes by how sure each is that there is an object. Scores are precisions in percent: `p1` is how often the best
 * box overlaps the one that is meant by 0.5 or more, `giouP1` the same by GIoU, as MDETR's own evaluator counts.
 */
export function groundingScorer(): Scorer<HostPrediction, GroundingBatch> {
  const examples: (RankedBoxes & { readonly target: Float64Array })[] = [];
  return {
    add: (prediction, { size, objects }) => {
      const wanted = cornersOf(objects.boxes);
      toldQueries(prediction, size).forEach(({ boxes, probabilities }, example) => {
        const own = [...objects.examples.keys()].filter((object) => objects.examples[object] === example);
        if (own.length === 0) return;
        examples.push({ boxes, scores: probabilities.map(objectness), target: boxesOf(wanted, own) });
      });
    },
    scores: (): Scores => {
      const named = (name: string, values: readonly number[]) =>
        Object.fromEntries(CUTOFFS.map((cutoff, index) => [`${name}${cutoff}`, values[index] ?? Number.NaN]));
      return {
        ...named('p', precisionAt(examples, CUTOFFS)),
        ...named('giouP', precisionAt(examples, CUTOFFS, 'giou')),
      };
    },
  };
}

/** 1 − the probability of "no object", the last class; what is not a number is as good as none. */
function objectness(probabilities: Float64Array): number {
  const share = 1 - (probabilities.at(-1) ?? 0);
  return Number.isNaN(share) ? -1 : share;
}
