import { type RegionBox, permutation, randomStream } from '@winnow/core';

/**
 * Boxes that a model is given of what is in a picture:
 * - `true`: those of its objects.
 * - `jittered`: the same, each side moved by up to a tenth of the box, as a detector would.
 * - `crowded`: these among four boxes of nothing in particular, in an order that tells nothing.
 */
export const regionRules = ['true', 'jittered', 'crowded'] as const;
export type RegionRule = (typeof regionRules)[number];

/** Which boxes, and the seed of those that are drawn. */
export interface RegionChoice {
  readonly rule: RegionRule;
  readonly seed: number;
}

const JITTER = 0.1;
const DISTRACTORS = 4;
/** Sides of distractors, in shares of the picture. */
const [SMALLEST, LARGEST] = [0.15, 0.5];
const WHOLE: RegionBox = [0, 0, 1, 1];

/**
 * The boxes of a picture by a rule; the whole picture where nothing is in it.
 * @param picture Its path: the boxes of a picture depend on no other.
 */
export function boxesBy(
  { rule, seed }: RegionChoice,
  picture: string,
  objects: readonly RegionBox[],
): readonly RegionBox[] {
  const own = objects.length === 0 ? [WHOLE] : objects;
  if (rule === 'true') return own;
  const random = randomStream(seed, 'regions', picture);
  const between = (least: number, most: number): number => least + random.uniform() * (most - least);
  const moved = own.map(([left, top, right, bottom]): RegionBox => {
    const [across, down] = [JITTER * (right - left), JITTER * (bottom - top)];
    const inside = (side: number, by: number): number => Math.min(1, Math.max(0, side + between(-by, by)));
    return [inside(left, across), inside(top, down), inside(right, across), inside(bottom, down)];
  });
  switch (rule) {
    case 'jittered':
      return moved;
    case 'crowded': {
      const others = Array.from({ length: DISTRACTORS }, (): RegionBox => {
        const [width, height] = [between(SMALLEST, LARGEST), between(SMALLEST, LARGEST)];
        const [left, top] = [between(0, 1 - width), between(0, 1 - height)];
        return [left, top, left + width, top + height];
      });
      const all = [...moved, ...others];
      return [...permutation(all.length, random)].map((place) => all[place] ?? WHOLE);
    }
    default:
      return rule satisfies never;
  }
}

/** Most regions that a rule makes of a picture with so many objects. */
export const mostRegions = (rule: RegionRule, objects: number): number =>
  Math.max(1, objects) + (rule === 'crowded' ? DISTRACTORS : 0);
