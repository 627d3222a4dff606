import { sceneColours, sceneConcepts, sceneSizes } from './concepts';
import { OPAQUE, type SceneDrawings, type Sprite } from './drawings';
import type { Box, Layout, PlacedObject, Scene, SceneObject } from './scene';

/** The side of a drawing in a picture of S×S, in pixels. */
export const sideOf = (size: number, side: number): number =>
  Math.round((sceneSizes[size]?.share ?? 0) * side);

export const spriteFor = (
  drawings: SceneDrawings,
  { concept, colour, size }: PlacedObject,
  side: number,
): Sprite => drawings.sprite(concept, sideOf(size, side), colour);

/** Calls `visit` for each pixel of the picture that counts as the object. */
export function eachPixel(
  sprite: Sprite,
  { left, top }: Pick<PlacedObject, 'left' | 'top'>,
  side: number,
  visit: (pixel: number) => void,
): void {
  const lastX = Math.min(sprite.side, side - left);
  const lastY = Math.min(sprite.side, side - top);
  const firstX = Math.max(0, -left);
  for (let y = Math.max(0, -top); y < lastY; y++) {
    const from = y * sprite.side;
    const to = (top + y) * side + left;
    for (let x = firstX; x < lastX; x++) if ((sprite.alpha[from + x] ?? 0) >= OPAQUE) visit(to + x);
  }
}

/** Whose each pixel is: 0 the background's, i + 1 that of object i. [S, S] */
export function owners({ side, objects }: Layout, drawings: SceneDrawings): Uint8Array {
  const owner = new Uint8Array(side * side);
  objects.forEach((object, index) => {
    eachPixel(spriteFor(drawings, object, side), object, side, (pixel) => {
      owner[pixel] = index + 1;
    });
  });
  return owner;
}

interface Extent {
  left: number;
  top: number;
  right: number;
  bottom: number;
  pixels: number;
}

/** Boxes around what each object has left, and how much that is. */
function extents(owner: Uint8Array, side: number, count: number): Extent[] {
  const found = Array.from({ length: count }, () => ({
    left: side,
    top: side,
    right: 0,
    bottom: 0,
    pixels: 0,
  }));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const extent = found[(owner[y * side + x] ?? 0) - 1];
      if (extent === undefined) continue;
      extent.pixels++;
      if (x < extent.left) extent.left = x;
      if (x >= extent.right) extent.right = x + 1;
      if (y < extent.top) extent.top = y;
      if (y >= extent.bottom) extent.bottom = y + 1;
    }
  }
  return found;
}

/** Makes the scene that is to be seen of a layout. An object that is hidden altogether has an empty box. */
export function sceneOf(layout: Layout, drawings: SceneDrawings): Scene {
  const found = extents(owners(layout, drawings), layout.side, layout.objects.length);
  const objects = layout.objects.map((placed, depth): SceneObject => {
    const { pixels = 0, ...box }: Box & { pixels?: number } = found[depth] ?? emptyBox;
    const concept = sceneConcepts[placed.concept];
    const size = sceneSizes[placed.size];
    if (concept === undefined || size === undefined)
      throw new RangeError('expected a concept and a size that exist');
    return {
      concept: concept.name,
      group: concept.group,
      colour: placed.colour === undefined ? undefined : sceneColours[placed.colour]?.name,
      size: size.name,
      box,
      centre: { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 },
      visibleShare: pixels / Math.max(1, spriteFor(drawings, placed, layout.side).area),
      depth,
    };
  });
  return { side: layout.side, objects, layout };
}

const emptyBox: Box = { left: 0, top: 0, right: 0, bottom: 0 };
