import type { Sides } from '@winnow/core';

/** Runs of pixels column by column, those outside first, as COCO has them: a list, or a text of its own coding. */
export interface Runs {
  /** Height and width. */
  readonly size: readonly [number, number];
  readonly counts: readonly number[] | string;
}

/** Where an object is: polygons [x, y, x, y, …] in pixels, or runs. */
export type Shape = readonly (readonly number[])[] | Runs;

const isRuns = (shape: Shape): shape is Runs => 'counts' in shape;

/**
 * Paints the pixels of an object. A pixel is in a polygon if its middle is, by the rule of even and odd; what several polygons of an object
 * cover is in it. (pycocotools draws outlines at five times the size, and so has some pixels more at the edges.)
 * @param paint Told a row, and from which pixel to before which one.
 * @returns why the shape is none of a picture of this size; nothing where it is one.
 */
export function painted(
  shape: Shape,
  { width, height }: Sides,
  paint: (row: number, from: number, to: number) => void,
): string | undefined {
  if (isRuns(shape)) return paintedRuns(shape, { width, height }, paint);
  for (const polygon of shape) fill(polygon, { width, height }, paint);
  return undefined;
}

/** The area of an object, in pixels²; a place that several polygons cover counts once for each of them. */
export function areaOf(shape: Shape): number {
  if (isRuns(shape)) {
    return runsOf(shape).reduce((sum, run, index) => sum + (index % 2) * run, 0);
  }
  return shape.reduce((sum, corners) => sum + Math.abs(signedArea(corners)), 0);
}

function signedArea(corners: readonly number[]): number {
  let twice = 0;
  for (let place = 0; place < corners.length; place += 2) {
    const next = (place + 2) % corners.length;
    twice +=
      (corners[place] ?? 0) * (corners[next + 1] ?? 0) - (corners[next] ?? 0) * (corners[place + 1] ?? 0);
  }
  return twice / 2;
}

/** Whether an object has a pixel in a picture of this size; a thin one may lie between their middles. */
export function hasPixels(shape: Shape, sides: Sides): boolean {
  if (isRuns(shape)) {
    const runs = runsOf(shape);
    // Those of another length are refused where they are painted.
    const isWhole = runs.reduce((sum, run) => sum + run, 0) === sides.width * sides.height;
    return !isWhole || runs.some((run, index) => index % 2 === 1 && run > 0);
  }
  return shape.some((polygon) =>
    rowsOf(polygon, sides).some((row) => spansOf(polygon, row, sides).length > 0),
  );
}

function fill(
  polygon: readonly number[],
  sides: Sides,
  paint: (row: number, from: number, to: number) => void,
): void {
  for (const row of rowsOf(polygon, sides))
    for (const [from, to] of spansOf(polygon, row, sides)) paint(row, from, to);
}

/** The rows of a picture that a polygon may have pixels in. */
function rowsOf(polygon: readonly number[], { height }: Sides): number[] {
  let [top, bottom] = [Infinity, -Infinity];
  for (let place = 1; place < polygon.length; place += 2) {
    top = Math.min(top, polygon[place] ?? 0);
    bottom = Math.max(bottom, polygon[place] ?? 0);
  }
  const first = Math.max(0, Math.floor(top - 0.5));
  const below = Math.min(height, Math.ceil(bottom + 0.5));
  return Array.from({ length: Math.max(0, below - first) }, (_, place) => first + place);
}

/** The pixels of a row whose middles lie in a polygon: from which to before which. */
function spansOf(polygon: readonly number[], row: number, { width }: Sides): [from: number, to: number][] {
  const corners = polygon.length / 2;
  const y = row + 0.5;
  const crossings: number[] = [];
  for (let corner = 0; corner < corners; corner++) {
    const next = (corner + 1) % corners;
    const [x1, y1] = [polygon[2 * corner] ?? 0, polygon[2 * corner + 1] ?? 0];
    const [x2, y2] = [polygon[2 * next] ?? 0, polygon[2 * next + 1] ?? 0];
    if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
  }
  crossings.sort((a, b) => a - b);
  const spans: [number, number][] = [];
  for (let place = 0; place + 1 < crossings.length; place += 2) {
    const from = Math.max(0, Math.ceil((crossings[place] ?? 0) - 0.5));
    const to = Math.min(width, Math.ceil((crossings[place + 1] ?? 0) - 0.5));
    if (to > from) spans.push([from, to]);
  }
  return spans;
}

const runsOf = ({ counts }: Runs): readonly number[] =>
  typeof counts === 'string' ? decoded(counts) : counts;

function paintedRuns(
  own: Runs,
  { width, height }: Sides,
  paint: (row: number, from: number, to: number) => void,
): string | undefined {
  const [rows, columns] = own.size;
  if (rows !== height || columns !== width) return `runs of ${columns}×${rows} pixels`;
  const runs = runsOf(own);
  const all = width * height;
  const sum = runs.reduce((total, run) => total + run, 0);
  if (runs.some((run) => !Number.isInteger(run) || run < 0) || sum !== all)
    return `runs of ${sum} pixels in all, of ${all}`;
  let from = 0;
  runs.forEach((run, index) => {
    for (let place = from; index % 2 === 1 && place < from + run; place++) {
      const column = Math.floor(place / height);
      paint(place % height, column, column + 1);
    }
    from += run;
  });
  return undefined;
}

/** Bits of a number in a sign of the text; the next one says whether it goes on. */
const BITS = 5;
const GOES_ON = 0x20;
const FIRST_SIGN = 48;

/**
 * The runs that a text stands for (cocodataset/cocoapi, `common/maskApi.c`, `rleFrString`): numbers of signs with five bits each, the lowest
 * first, of which those from the fourth on are differences to the one but last.
 */
function decoded(text: string): number[] {
  const runs: number[] = [];
  let [value, shift] = [0, 0];
  for (const sign of text) {
    const bits = (sign.codePointAt(0) ?? 0) - FIRST_SIGN;
    value += (bits & (GOES_ON - 1)) * 2 ** shift;
    shift += BITS;
    if ((bits & GOES_ON) !== 0) continue;
    if ((bits & (GOES_ON >> 1)) !== 0) value -= 2 ** shift;
    runs.push(value + (runs.length > 2 ? (runs.at(-2) ?? 0) : 0));
    [value, shift] = [0, 0];
  }
  return runs;
}
