import type { RandomStream } from '@winnow/core';
import {
  type Rgb,
  isHeldOutPair,
  sceneBackgrounds,
  sceneColours,
  sceneConcepts,
  sceneSizes,
} from './concepts';
import type { SceneDrawings, Sprite } from './drawings';
import { eachPixel, sideOf, spriteFor } from './occlusion';
import type { Background, Layout, PlacedObject, Scene } from './scene';

/** Which concept–colour pairs a scene may have: those that are trained on, or at least one that is held out. */
export type PairRule = 'trained' | 'one held out';

const LEAST_OBJECTS = 2;
const MOST_OBJECTS = 6;
/** The share of an object's pixels that must stay visible. */
const LEAST_VISIBLE = 0.7;
/** The share of the smaller of two drawings that the other may cover at most, as boxes. */
const MOST_OVERLAP = 0.3;
/** Tries to place an object, after which it is left out. */
const MOST_TRIES = 60;
/** Chances that an object is of the concept, or of the group, of one before it: what would confuse whom? */
const SAME_CONCEPT = 0.35;
const SAME_GROUP = 0.3;
/** Distance of an object's mean colour from its background's, of 441. */
const LEAST_CONTRAST = 80;
/** Points a side of the lattice of value noise. */
export const LATTICE = 7;

const pick = <Item>(items: readonly Item[], random: RandomStream): Item => {
  const item = items[random.integer(items.length)];
  if (item === undefined) throw new RangeError('expected something to choose from');
  return item;
};

const indicesWhere = (test: (concept: (typeof sceneConcepts)[number]) => boolean): number[] =>
  sceneConcepts.flatMap((concept, index) => (test(concept) ? [index] : []));
const all = indicesWhere(() => true);
const recolourable = indicesWhere((concept) => concept.recolourable);
const ofGroup = new Map(
  sceneConcepts.map(({ group }) => [group, indicesWhere((concept) => concept.group === group)]),
);

function conceptFor(earlier: readonly number[], random: RandomStream): number {
  const chance = random.uniform();
  if (earlier.length === 0 || chance >= SAME_CONCEPT + SAME_GROUP) return pick(all, random);
  const other = pick(earlier, random);
  if (chance < SAME_CONCEPT) return other;
  const group = sceneConcepts[other]?.group;
  return pick((group === undefined ? undefined : ofGroup.get(group)) ?? all, random);
}

function colourFor(concept: number, heldOut: boolean, random: RandomStream): number | undefined {
  const known = sceneConcepts[concept];
  if (known?.recolourable !== true) return undefined;
  const colours = sceneColours.flatMap((_, colour) =>
    isHeldOutPair(known, colour) === heldOut ? [colour] : [],
  );
  return pick(colours, random);
}

/** The picture while objects are placed. */
interface Canvas {
  readonly side: number;
  readonly owner: Uint8Array;
  readonly placed: { readonly object: PlacedObject; readonly sprite: Sprite; visible: number }[];
}

const overlapOf = (a: PlacedObject, aSide: number, b: PlacedObject, bSide: number): number => {
  const width = Math.min(a.left + aSide, b.left + bSide) - Math.max(a.left, b.left);
  const height = Math.min(a.top + aSide, b.top + bSide) - Math.max(a.top, b.top);
  return (Math.max(0, width) * Math.max(0, height)) / Math.min(aSide, bSide) ** 2;
};

/** Puts an object in front of the others, where enough of each stays visible. */
function placedOn(canvas: Canvas, object: PlacedObject, sprite: Sprite): boolean {
  const { side, owner, placed } = canvas;
  const crowded = placed.some(
    (other) => overlapOf(object, sprite.side, other.object, other.sprite.side) > MOST_OVERLAP,
  );
  if (crowded) return false;
  let visible = 0;
  const hidden = placed.map(() => 0);
  eachPixel(sprite, object, side, (pixel) => {
    visible++;
    const below = owner[pixel] ?? 0;
    if (below > 0) hidden[below - 1] = (hidden[below - 1] ?? 0) + 1;
  });
  if (visible < LEAST_VISIBLE * sprite.area) return false;
  const lost = placed.some(
    (other, index) => other.visible - (hidden[index] ?? 0) < LEAST_VISIBLE * other.sprite.area,
  );
  if (lost) return false;
  placed.forEach((other, index) => {
    other.visible -= hidden[index] ?? 0;
  });
  placed.push({ object, sprite, visible });
  eachPixel(sprite, object, side, (pixel) => {
    owner[pixel] = placed.length;
  });
  return true;
}

const distance = (a: Rgb, b: Rgb): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

/**
 * Whether enough of each object of a scene is visible, and one of them has not the colour of the background: as of a layout that is drawn.
 * @param changed The place of the object that was put there afterwards, in layers from the farthest.
 */
export function isClear({ objects, layout }: Scene, changed: number, drawings: SceneDrawings): boolean {
  const placed = layout.objects[changed];
  if (placed === undefined) return false;
  const { meanColour } = spriteFor(drawings, placed, layout.side);
  return (
    objects.every(({ visibleShare }) => visibleShare >= LEAST_VISIBLE) &&
    layout.background.colours.every((index) => {
      const background = sceneBackgrounds[index];
      return background !== undefined && distance(meanColour, background) >= LEAST_CONTRAST;
    })
  );
}

/** A background that no object has the colour of. */
function backgroundFor(colours: readonly Rgb[], random: RandomStream): Background {
  const contrasts = sceneBackgrounds.map((background, index) => ({
    index,
    contrast: Math.min(...colours.map((colour) => distance(colour, background))),
  }));
  const clear = contrasts.filter(({ contrast }) => contrast >= LEAST_CONTRAST);
  const clearest = contrasts.reduce((best, other) => (other.contrast > best.contrast ? other : best));
  const choices = clear.length === 0 ? [clearest] : clear;
  return {
    kind: pick(['flat', 'gradient', 'noise'] as const, random),
    colours: [pick(choices, random).index, pick(choices, random).index],
    towards: pick(
      [
        { right: true, below: false },
        { right: false, below: true },
        { right: true, below: true },
      ],
      random,
    ),
    lattice: Array.from({ length: LATTICE * LATTICE }, () => random.uniform() * 2 - 1),
  };
}

/**
 * Draws a layout: 2 to 6 objects (fewer where they do not fit), each of at least 0.7 visible, and a background that none has the
 * colour of. The concept is often one that is there already, or of its group.
 * @param side S, in pixels.
 */
export function composed(
  { side, pairs }: { readonly side: number; readonly pairs: PairRule },
  drawings: SceneDrawings,
  random: RandomStream,
): Layout {
  const canvas: Canvas = { side, owner: new Uint8Array(side * side), placed: [] };
  const wanted = LEAST_OBJECTS + random.integer(MOST_OBJECTS - LEAST_OBJECTS + 1);
  const concepts: number[] = [];
  while (canvas.placed.length < wanted) {
    const heldOut = pairs === 'one held out' && canvas.placed.length === 0;
    const concept = heldOut ? pick(recolourable, random) : conceptFor(concepts, random);
    const colour = colourFor(concept, heldOut, random);
    const placed = tries(canvas, { concept, colour }, drawings, random);
    if (placed) concepts.push(concept);
    else if (canvas.placed.length >= LEAST_OBJECTS) break;
  }
  const background = backgroundFor(
    canvas.placed.map(({ sprite }) => sprite.meanColour),
    random,
  );
  return { side, objects: canvas.placed.map(({ object }) => object), background };
}

function tries(
  canvas: Canvas,
  what: Pick<PlacedObject, 'concept' | 'colour'>,
  drawings: SceneDrawings,
  random: RandomStream,
): boolean {
  for (let left = MOST_TRIES; left > 0; left--) {
    const size = random.integer(sceneSizes.length);
    const half = sideOf(size, canvas.side) / 2;
    const object: PlacedObject = {
      ...what,
      size,
      left: Math.round(random.uniform() * canvas.side - half),
      top: Math.round(random.uniform() * canvas.side - half),
    };
    if (placedOn(canvas, object, spriteFor(drawings, object, canvas.side))) return true;
  }
  return false;
}
