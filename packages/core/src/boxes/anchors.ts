import { BOX, type Boxes, centredOf, iou } from './box';

/** In the place of an object, for an anchor that has none. */
export const NO_OBJECT = -1;

export interface AtssOptions {
  /** k: anchors of each level that are looked at for an object. GLIP's has 9. */
  readonly perLevel: number;
}

/** By how much an anchor's centre must be inside of a box, in pixels. */
const INSIDE = 0.01;
/** Overlaps that differ by no more are the same: all anchors around a small object have one, but for their rounding. */
const SAME = 1e-9;

/** Anchors of a level that are nearest to a point, k or all of them; of equally near ones the first. */
function nearestOf(
  centres: Boxes,
  from: number,
  count: number,
  [x, y]: readonly [number, number],
  k: number,
) {
  return Array.from({ length: count }, (_, index) => {
    const at = (from + index) * BOX;
    return { anchor: from + index, distance: Math.hypot((centres[at] ?? 0) - x, (centres[at + 1] ?? 0) - y) };
  })
    .sort((a, b) => a.distance - b.distance || a.anchor - b.anchor)
    .slice(0, k)
    .map(({ anchor }) => anchor);
}

/** Mean plus standard deviation, with n − 1 beneath it; of a single value that value. */
function threshold(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return values.length < 2 ? mean : mean + Math.sqrt(squares / (values.length - 1));
}

/**
 * Adaptive training sample selection (Zhang et al., 2020, Algorithm 1): of each object, those of the anchors nearest to its centre
 * whose overlap with it is at least mean plus standard deviation of theirs, and whose centre is inside of it. An anchor that several
 * objects claim goes to the one that it overlaps most.
 * @param levels Anchors of each level, one level after the other.
 * @param objects In pixels, as the anchors are.
 * @returns the object of each anchor, or `NO_OBJECT`.
 */
export function adaptiveSamples(
  anchors: Boxes,
  levels: readonly number[],
  objects: Boxes,
  { perLevel }: AtssOptions,
): Int32Array {
  const [centres, objectCentres] = [centredOf(anchors), centredOf(objects)];
  const objectOf = new Int32Array(anchors.length / BOX).fill(NO_OBJECT);
  const overlaps = new Float64Array(objectOf.length).fill(-1);
  for (let object = 0; object < objects.length / BOX; object++) {
    const at = object * BOX;
    const centre = [objectCentres[at] ?? 0, objectCentres[at + 1] ?? 0] as const;
    let from = 0;
    const candidates: { readonly anchor: number; readonly overlap: number }[] = [];
    for (const count of levels) {
      for (const anchor of nearestOf(centres, from, count, centre, perLevel)) {
        candidates.push({ anchor, overlap: iou(anchors, anchor, objects, object) });
      }
      from += count;
    }
    const least = threshold(candidates.map(({ overlap }) => overlap));
    for (const { anchor, overlap } of candidates) {
      const [x, y] = [centres[anchor * BOX] ?? 0, centres[anchor * BOX + 1] ?? 0];
      const depth = Math.min(
        x - (objects[at] ?? 0),
        y - (objects[at + 1] ?? 0),
        (objects[at + 2] ?? 0) - x,
        (objects[at + 3] ?? 0) - y,
      );
      if (overlap < least - SAME || depth <= INSIDE || overlap <= (overlaps[anchor] ?? -1)) continue;
      objectOf[anchor] = object;
      overlaps[anchor] = overlap;
    }
  }
  return objectOf;
}

/** Centerness (Tian et al., 2019, Equation 3) of a point by its distances to the sides of a box: 1 in the middle, 0 at a side. */
export const centerness = (left: number, top: number, right: number, bottom: number): number =>
  Math.sqrt(
    (Math.min(left, right) / Math.max(left, right)) * (Math.min(top, bottom) / Math.max(top, bottom)),
  );

/** Multiply the offsets and the logarithms of a box's code. */
export const BOX_OFFSET_WEIGHT = 10;
export const BOX_LOG_WEIGHT = 5;
export const BOX_LARGEST_LOG = Math.log(1000 / 16);

/** A box as an anchor sees it: offsets of the centre in sides of the anchor, and logarithms of the sides, [4]. */
export function boxCode(box: Boxes, anchor: Boxes): Float64Array {
  const [x = 0, y = 0, width = 0, height = 0] = centredOf(box);
  const [x2 = 0, y2 = 0, width2 = 0, height2 = 0] = centredOf(anchor);
  return Float64Array.of(
    ((x - x2) / width2) * BOX_OFFSET_WEIGHT,
    ((y - y2) / height2) * BOX_OFFSET_WEIGHT,
    Math.log(width / width2) * BOX_LOG_WEIGHT,
    Math.log(height / height2) * BOX_LOG_WEIGHT,
  );
}

/** The box that a code means, [4]; no side is more than 62.5 times the anchor's. */
export function boxFromCode(code: Boxes, anchor: Boxes): Float64Array {
  const [dx = 0, dy = 0, logWidth = 0, logHeight = 0] = code;
  const [x = 0, y = 0, width = 0, height = 0] = centredOf(anchor);
  const side = (log: number, of: number) => Math.exp(Math.min(BOX_LARGEST_LOG, log / BOX_LOG_WEIGHT)) * of;
  const [wide, high] = [side(logWidth, width), side(logHeight, height)];
  const [cx, cy] = [x + (dx / BOX_OFFSET_WEIGHT) * width, y + (dy / BOX_OFFSET_WEIGHT) * height];
  return Float64Array.of(cx - wide / 2, cy - high / 2, cx + wide / 2, cy + high / 2);
}

/** Sigmoid focal loss (Lin et al., 2017, Equation 5) of a logit with a target of 0 or 1, in nats. */
export function focalLoss(
  logit: number,
  target: number,
  { alpha = 0.25, gamma = 2 }: { readonly alpha?: number; readonly gamma?: number } = {},
): number {
  const toward = target === 1 ? logit : -logit;
  const missing = 1 / (1 + Math.exp(toward)); // 1 − p of the truth
  const surprise = Math.log1p(Math.exp(-Math.abs(toward))) + Math.max(0, -toward); // −log p
  return (target === 1 ? alpha : 1 - alpha) * missing ** gamma * surprise;
}
