import { CHANNELS } from '../picture/picture';
import { LATTICE } from './compose';
import { type Rgb, sceneBackgrounds, sceneConcepts, sceneGroups } from './concepts';
import type { SceneDrawings } from './drawings';
import { owners, spriteFor } from './occlusion';
import type { Background, Layout, PlacedObject } from './scene';

/** A scene's pixels, and whose they are. */
export interface PaintedScene {
  /** 8-bit RGB, [S, S, 3]. */
  readonly pixels: Uint8Array;
  /** 0 for the background, i + 1 for object i, [S, S]. */
  readonly owner: Uint8Array;
}

/** Levels by which value noise differs from its colour at most. */
const NOISE_LEVELS = 16;

const smooth = (t: number): number => t * t * (3 - 2 * t);

/** Value noise at (x, y) in [0, 1)²: −1 to 1. */
function noiseAt(lattice: readonly number[], x: number, y: number): number {
  const [column, row] = [x * (LATTICE - 1), y * (LATTICE - 1)];
  const [left, top] = [Math.floor(column), Math.floor(row)];
  const at = (down: number, right: number) => lattice[(top + down) * LATTICE + left + right] ?? 0;
  const [across, down] = [smooth(column - left), smooth(row - top)];
  const above = at(0, 0) * (1 - across) + at(0, 1) * across;
  const below = at(1, 0) * (1 - across) + at(1, 1) * across;
  return above * (1 - down) + below * down;
}

function colourAt({ kind, colours, towards, lattice }: Background, x: number, y: number): Rgb {
  const [from, to] = [sceneBackgrounds[colours[0]], sceneBackgrounds[colours[1]]];
  if (from === undefined || to === undefined) throw new RangeError('expected colours of backgrounds');
  switch (kind) {
    case 'flat':
      return from;
    case 'gradient': {
      const sum = (towards.right ? x : 0) + (towards.below ? y : 0);
      const share = sum / (Number(towards.right) + Number(towards.below));
      const mixed = (channel: 0 | 1 | 2) => from[channel] * (1 - share) + to[channel] * share;
      return [mixed(0), mixed(1), mixed(2)];
    }
    case 'noise': {
      const offset = NOISE_LEVELS * noiseAt(lattice, x, y);
      return [from[0] + offset, from[1] + offset, from[2] + offset];
    }
  }
  kind satisfies never;
  return kind;
}

function paintBackground(pixels: Uint8ClampedArray, { side, background }: Layout): void {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      pixels.set(colourAt(background, x / side, y / side), (y * side + x) * CHANNELS);
    }
  }
}

function paintObject(
  pixels: Uint8ClampedArray,
  object: PlacedObject,
  side: number,
  drawings: SceneDrawings,
): void {
  const sprite = spriteFor(drawings, object, side);
  for (let y = Math.max(0, -object.top); y < Math.min(sprite.side, side - object.top); y++) {
    for (let x = Math.max(0, -object.left); x < Math.min(sprite.side, side - object.left); x++) {
      const from = y * sprite.side + x;
      const opacity = sprite.alpha[from] ?? 0;
      if (opacity === 0) continue;
      const rest = 1 - opacity / 255;
      const to = ((object.top + y) * side + object.left + x) * CHANNELS;
      for (let channel = 0; channel < CHANNELS; channel++) {
        pixels[to + channel] =
          (sprite.colours[from * CHANNELS + channel] ?? 0) + (pixels[to + channel] ?? 0) * rest;
      }
    }
  }
}

/** Paints a layout: background, then the objects from the farthest to the nearest. */
export function painted(layout: Layout, drawings: SceneDrawings): PaintedScene {
  const pixels = new Uint8ClampedArray(layout.side * layout.side * CHANNELS);
  paintBackground(pixels, layout);
  for (const object of layout.objects) paintObject(pixels, object, layout.side, drawings);
  return { pixels: new Uint8Array(pixels.buffer), owner: owners(layout, drawings) };
}

/**
 * The classes of a scene's pixels: 0 is background, and otherwise the index of the object's group, or of its concept, plus 1.
 * @returns [S, S]
 */
export function classMask({ objects }: Layout, owner: Uint8Array, of: 'group' | 'concept'): Uint8Array {
  const classes = objects.map(({ concept }) =>
    of === 'concept' ? concept : sceneGroups.findIndex(({ name }) => name === sceneConcepts[concept]?.group),
  );
  return owner.map((index) => (index === 0 ? 0 : (classes[index - 1] ?? 0) + 1));
}
