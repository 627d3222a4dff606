import { assignment } from '../boxes/assignment';
import type { GroundingBatch } from '../data/dataset';
import { BOX, cornersOf, giou } from '../boxes/box';

/** Objects that the texts of a batch name, in host memory. */
export type NamedObjects = GroundingBatch['objects'];

/** The predictions of a batch's queries, in host memory. */
export interface QueriesTold {
  /** [B·Q, K]; the last is "no object". */
  readonly logits: Float32Array;
  /** [B·Q, 4] */
  readonly boxes: Float32Array;
  /** B */
  readonly examples: number;
}

/** The weights of costs in DETR and MDETR. */
export const matchingWeights = { token: 1, distance: 5, overlap: 2 } as const;

const slice = (values: Float32Array, row: number, width: number): Float32Array =>
  values.subarray(row * width, (row + 1) * width);

/** Probabilities of a row of logits. */
export function probabilities(row: Float32Array): Float64Array {
  const powers = Float64Array.from(row);
  let highest = -Infinity;
  for (const logit of powers) highest = Math.max(highest, logit);
  let sum = 0;
  for (let at = 0; at < powers.length; at++) {
    const power = Math.exp((powers[at] ?? NaN) - highest);
    powers[at] = power;
    sum += power;
  }
  return powers.map((power) => power / sum);
}

/** ‖b − b′‖₁ of two boxes. */
function distanceOf(a: Float32Array, i: number, b: Float32Array, j: number): number {
  let sum = 0;
  for (let side = 0; side < BOX; side++)
    sum += Math.abs((a[BOX * i + side] ?? NaN) - (b[BOX * j + side] ?? NaN));
  return sum;
}

/**
 * Gives each named object a query of its own, where there are enough, so that the costs are the least: 5·‖b − b′‖₁ − Σ_t p_t·y_t −
 * 2·GIoU, y even over the object's tokens (Kamath et al., 2021; its HungarianMatcher).
 * @returns the row of each object's query, −1 for an object without one, [N].
 */
export function matchedQueries(told: QueriesTold, objects: NamedObjects): Int32Array {
  const { logits, boxes, examples } = told;
  const queries = boxes.length / BOX / examples;
  const classes = logits.length / (queries * examples);
  const [found, wanted] = [cornersOf(boxes), cornersOf(objects.boxes)];
  const rowOf = new Int32Array(objects.examples.length).fill(-1);
  for (let example = 0; example < examples; example++) {
    const own = [...objects.examples.keys()].filter((object) => objects.examples[object] === example);
    if (own.length === 0) continue;
    const costs = new Float64Array(queries * own.length);
    for (let query = 0; query < queries; query++) {
      const row = example * queries + query;
      const shares = probabilities(slice(logits, row, classes));
      own.forEach((object, column) => {
        const tokens = objects.tokens[object] ?? new Int32Array();
        const named = tokens.reduce((sum, token) => sum + (shares[token] ?? 0), 0);
        const distance = distanceOf(boxes, row, objects.boxes, object);
        const cost =
          matchingWeights.distance * distance -
          (matchingWeights.token * named) / Math.max(1, tokens.length) -
          matchingWeights.overlap * giou(found, row, wanted, object);
        // Where a training diverges, its loss says so.
        costs[query * own.length + column] = Number.isFinite(cost) ? cost : 0;
      });
    }
    assignment(costs, queries, own.length).forEach((column, query) => {
      const object = own[column];
      if (object !== undefined) rowOf[object] = example * queries + query;
    });
  }
  return rowOf;
}
