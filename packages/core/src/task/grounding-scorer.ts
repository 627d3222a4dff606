import { BOX, cornersOf } from '../boxes/box';
import { type RankedBoxes, precisionAt } from '../boxes/grounding-scores';
import type { GroundingBatch } from '../data/dataset';
import { probabilities } from './grounding-matching';
import type { HostPrediction, Scorer, Scores } from './task';

const CUTOFFS = [1, 5, 10] as const;

/**
 * Collects the queries' boxes by how sure each is that there is an object. Scores are precisions in percent: `p1` is how often the best
 * box overlaps the one that is meant by 0.5 or more, `giouP1` the same by GIoU, as MDETR's own evaluator counts.
 */
export function groundingScorer(): Scorer<HostPrediction, GroundingBatch> {
  const examples: (RankedBoxes & { readonly target: Float64Array })[] = [];
  return {
    add: (prediction, { size, objects }) => {
      const { logits, boxes } = prediction;
      if (logits?.dtype !== 'float32' || boxes?.dtype !== 'float32')
        throw new TypeError('grounding: no boxes were predicted');
      const queries = boxes.values.length / BOX / size;
      const classes = logits.values.length / (queries * size);
      const [found, wanted] = [cornersOf(Float32Array.from(boxes.values)), cornersOf(objects.boxes)];
      for (let example = 0; example < size; example++) {
        const own = [...objects.examples.keys()].filter((object) => objects.examples[object] === example);
        if (own.length === 0) continue;
        examples.push({
          boxes: found.slice(example * queries * BOX, (example + 1) * queries * BOX),
          scores: Float64Array.from({ length: queries }, (_, query) => {
            const row = (example * queries + query) * classes;
            return objectness(logits.values.slice(row, row + classes));
          }),
          target: Float64Array.from(
            own.flatMap((object) => [...wanted.subarray(object * BOX, (object + 1) * BOX)]),
          ),
        });
      }
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
function objectness(logits: Float32Array): number {
  const share = 1 - (probabilities(logits).at(-1) ?? 0);
  return Number.isNaN(share) ? -1 : share;
}
