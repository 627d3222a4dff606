import type { SceneGraph, SceneObject } from './scene';

export const sceneRelations = ['left of', 'right of', 'above', 'below', 'next to'] as const;
export type SceneRelation = (typeof sceneRelations)[number];

/** Shares of S by which centres must differ for left, right, above and below. */
const LEAST_GAP = 0.1;
/** By so much farther must the second nearest object be than one that is "next to" another. */
const NEXT_MARGIN = 1.2;

const distance = (a: SceneObject, b: SceneObject): number =>
  Math.hypot(a.centre.x - b.centre.x, a.centre.y - b.centre.y);

/** Whether `a` is the nearest of all objects to `b`, with a margin of 20 %. */
function isNext({ objects }: SceneGraph, a: SceneObject, b: SceneObject): boolean {
  const own = distance(a, b) * NEXT_MARGIN;
  return objects.every((other) => other === a || other === b || distance(other, b) >= own);
}

/**
 * Whether a relation holds between two objects, by the centres of their visible boxes: a tenth of the picture's side apart in
 * that direction, or the nearest by 20 %.
 */
export function holds(scene: SceneGraph, a: SceneObject, relation: SceneRelation, b: SceneObject): boolean {
  const gap = LEAST_GAP * scene.side;
  switch (relation) {
    case 'left of':
      return b.centre.x - a.centre.x >= gap;
    case 'right of':
      return a.centre.x - b.centre.x >= gap;
    case 'above':
      return b.centre.y - a.centre.y >= gap;
    case 'below':
      return a.centre.y - b.centre.y >= gap;
    case 'next to':
      return a !== b && isNext(scene, a, b);
  }
  relation satisfies never;
  return relation;
}

export const superlatives = [
  'largest',
  'smallest',
  'leftmost',
  'rightmost',
  'topmost',
  'bottommost',
] as const;
export type Superlative = (typeof superlatives)[number];

/** The lead of the first over the second: of its own area, or of the picture's side. */
const LEAD = 0.15;

export const areaOf = ({ box }: SceneObject): number => (box.right - box.left) * (box.bottom - box.top);

/** Whether one object is larger than another, by 15 % of the visible box. */
export const isLarger = (a: SceneObject, b: SceneObject): boolean => areaOf(a) >= (1 + LEAD) * areaOf(b);

function beats(a: SceneObject, b: SceneObject, superlative: Superlative, side: number): boolean {
  const lead = LEAD * side;
  switch (superlative) {
    case 'largest':
      return isLarger(a, b);
    case 'smallest':
      return isLarger(b, a);
    case 'leftmost':
      return b.centre.x - a.centre.x >= lead;
    case 'rightmost':
      return a.centre.x - b.centre.x >= lead;
    case 'topmost':
      return b.centre.y - a.centre.y >= lead;
    case 'bottommost':
      return a.centre.y - b.centre.y >= lead;
  }
  superlative satisfies never;
  return superlative;
}

/** Picks the one of several objects that leads all others by 15 %, if there is one. */
export const leader = (
  objects: readonly SceneObject[],
  superlative: Superlative,
  side: number,
): SceneObject | undefined =>
  objects.length < 2
    ? undefined
    : objects.find((a) => objects.every((b) => a === b || beats(a, b, superlative, side)));

export const sceneSides = ['left', 'right', 'top', 'bottom'] as const;
export type SceneSide = (typeof sceneSides)[number];

/** The distance of an object from a side of the picture, in pixels. */
function depthFrom({ centre }: SceneObject, from: SceneSide, side: number): number {
  switch (from) {
    case 'left':
      return centre.x;
    case 'right':
      return side - centre.x;
    case 'top':
      return centre.y;
    case 'bottom':
      return side - centre.y;
  }
  from satisfies never;
  return from;
}

/** Orders objects from a side; nothing where two of them are less than a tenth of the picture's side apart. */
export function ranked(
  objects: readonly SceneObject[],
  from: SceneSide,
  side: number,
): readonly SceneObject[] | undefined {
  const order = objects
    .map((object) => ({ object, depth: depthFrom(object, from, side) }))
    .sort((a, b) => a.depth - b.depth);
  const apart = order.every(
    ({ depth }, place) => depth - (order[place - 1]?.depth ?? -Infinity) >= LEAST_GAP * side,
  );
  return apart ? order.map(({ object }) => object) : undefined;
}
