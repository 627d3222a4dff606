import { boxFromCode } from '../boxes/anchors';
import { BOX } from '../boxes/box';
import type { DetectionPrompt } from '../boxes/detection-prompt';
import { byScore, nonMaximumSuppression } from '../boxes/suppression';
import type { Sides } from '../families/picture-sides';
import type { RegionPlaces } from './detection-loss';

/** Objects that were found in a picture, the surest first. */
export interface DetectedObjects {
  /** Left, top, right and bottom in pixels of the picture as it was annotated, within it, [M, 4]. */
  readonly boxes: Float64Array;
  /** [M] */
  readonly classes: Int32Array;
  /** From 0 to 1, [M]. */
  readonly scores: Float64Array;
  /** Whether all that the model said was a number; if not, nothing is found. */
  readonly isFinite: boolean;
}

/** The regions of a picture in host memory, as one prompt finds them. */
export interface RegionsTold {
  readonly prompt: DetectionPrompt;
  /** [N, T] */
  readonly logits: Float32Array;
  /** [N, 4] */
  readonly codes: Float32Array;
  /** [N] */
  readonly centerness: Float32Array;
}

/** GLIP's: a class is looked at from this probability on. */
export const LEAST_PROBABILITY = 0.05;
const MOST_OF_LEVEL = 1000;
const SUPPRESSION = 0.6;
const MOST_OF_PICTURE = 100;

interface Candidate {
  readonly region: number;
  readonly index: number;
  readonly score: number;
  readonly code: Float32Array;
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/**
 * Objects of a picture from its regions, as GLIP's inference has them (its `ATSSPostProcessor`): a class is as likely as its tokens are
 * on average, from 0.05 on; the score is the root of that by the centerness; the best 1,000 of each grid, without what others of the
 * class cover by more than 0.6, and of those the best 100. What several prompts find is put together before.
 */
export function detectedObjects(
  told: readonly RegionsTold[],
  { anchors, height, width }: RegionPlaces,
  size: Sides,
): DetectedObjects {
  const isFinite = told.every(({ logits, codes, centerness }) =>
    [logits, codes, centerness].every((values) => values.every(Number.isFinite)),
  );
  const candidates: Candidate[] = [];
  let from = 0;
  for (const count of anchors.levels) {
    const own = isFinite ? told.flatMap((each) => candidatesOf(each, from, from + count)) : [];
    candidates.push(...best(own, MOST_OF_LEVEL));
    from += count;
  }
  const boxes = Float64Array.from(
    candidates.flatMap(({ region, code }) => {
      const corners = boxFromCode(code, anchors.boxes.subarray(region * BOX, (region + 1) * BOX));
      return [...corners].map((value, side) => {
        const [shown, whole] = side % 2 === 0 ? [width, size.width] : [height, size.height];
        return (Math.min(shown, Math.max(0, value)) / shown) * whole;
      });
    }),
  );
  const scores = candidates.map(({ score }) => score);
  const classes = candidates.map(({ index }) => index);
  const kept = nonMaximumSuppression(boxes, scores, {
    threshold: SUPPRESSION,
    classes,
    most: MOST_OF_PICTURE,
  });
  return {
    boxes: Float64Array.from(kept.flatMap((place) => [...boxes.subarray(place * BOX, (place + 1) * BOX)])),
    classes: Int32Array.from(kept, (place) => classes[place] ?? 0),
    scores: Float64Array.from(kept, (place) => scores[place] ?? 0),
    isFinite,
  };
}

function candidatesOf(
  { prompt, logits, codes, centerness }: RegionsTold,
  from: number,
  to: number,
): Candidate[] {
  const length = prompt.tokens.length;
  const found: Candidate[] = [];
  for (let region = from; region < to; region++) {
    for (const { index, places } of prompt.named) {
      let sum = 0;
      for (const place of places) sum += sigmoid(logits[region * length + place] ?? Number.NaN);
      const probability = sum / places.length;
      if (!(probability > LEAST_PROBABILITY)) continue;
      const score = Math.sqrt(probability * sigmoid(centerness[region] ?? Number.NaN));
      found.push({ region, index, score, code: codes.subarray(region * BOX, (region + 1) * BOX) });
    }
  }
  return found;
}

function best(candidates: readonly Candidate[], most: number): readonly Candidate[] {
  if (candidates.length <= most) return candidates;
  const order = byScore(candidates.map(({ score }) => score)).slice(0, most);
  return order.flatMap((place) => candidates[place] ?? []);
}
