import {
  type Tensor2D,
  type Tensor4D,
  add,
  argMax,
  softmax,
  tensor2d,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { WholePicture } from '../data/dataset';
import { type PictureSize, type Sides, sidesOf } from '../families/picture-sides';
import { resizeBilinear } from '../operations/resize-bilinear';
import { areFinite } from '../tree/finite';

/** A model's answer for every pixel of one picture, [height · width]: classes, or `classes` itself where it says nothing. */
export type Segmented = Int32Array;

/** A look at a picture: how large it is then, beside what it is, and whether it is mirrored. */
export interface Look {
  readonly scale: number;
  readonly mirrored: boolean;
}

/** One look at the picture as it is. */
export const singleScale: readonly Look[] = [{ scale: 1, mirrored: false }];

/** Segmenter's twelve looks (rstrudel/segmenter, `ms` of its evaluation). */
export const multiScale: readonly Look[] = [0.5, 0.75, 1, 1.25, 1.5, 1.75].flatMap((scale) =>
  [false, true].map((mirrored) => ({ scale, mirrored })),
);

/** Windows that go through a model at a time. */
const WINDOWS_AT_A_TIME = 8;
/** Values that are between others at a time: 64 MiB. */
const MOST_VALUES = 2 ** 24;

/** Pictures [N, H, W, C] of the window's size → logits [N·H·W, K]. */
type Forward = (images: Tensor4D) => Tensor2D;

export interface WindowsOptions {
  /** H and W of a window, in pixels. */
  readonly window: PictureSize;
  readonly channels: number;
  readonly classes: number;
  readonly looks: readonly Look[];
}

/** Where windows of a length begin on a side: one after another, the last moved back so that it ends with the side. */
export function windowStarts(side: number, window: number): number[] {
  const starts: number[] = [];
  for (let start = 0; start < side - window; start += window) starts.push(start);
  return [...starts, side - window];
}

/**
 * Says of every pixel of a picture what it shows: windows slide over it at each scale, their logits are averaged where they overlap,
 * brought to the picture's own size, and the softmaxes of all looks are added. A scaled picture that is smaller than a window is
 * enlarged to it (rstrudel/segmenter, `inference`). Called outside of a tidy; nothing is left of it.
 */
export async function segmentWhole(
  forward: Forward,
  picture: Omit<WholePicture, 'mask'>,
  { looks, classes, ...options }: WindowsOptions,
): Promise<Segmented> {
  const { maskHeight, maskWidth } = picture;
  const seen: Seen[] = [];
  for (const look of looks) seen.push(await seenAt(forward, picture, look, { classes, ...options }));
  const result = new Int32Array(maskHeight * maskWidth);
  const rows = Math.max(1, Math.floor(MOST_VALUES / (maskWidth * classes)));
  for (let first = 0; first < maskHeight; first += rows) {
    const end = Math.min(maskHeight, first + rows);
    const best = tidy(() => {
      const all = seen.map(({ logits, height, width }): Tensor2D => {
        const told = tensor2d(logits, [height * width, classes]);
        return softmax(resizeBilinear(told, [height, width], [maskHeight, maskWidth], [first, end]));
      });
      return argMax(
        all.reduce((sum, one) => add(sum, one)),
        1,
      );
    });
    result.set(await best.data<'int32'>(), first * maskWidth);
    best.dispose();
  }
  return seen.every(({ logits }) => areFinite(logits)) ? result : result.fill(classes);
}

/** The logits of one look, those of a mirrored one turned back, [height, width, K]. */
interface Seen extends Sides {
  readonly logits: Float32Array;
}

async function seenAt(
  forward: Forward,
  { height, width, pixels }: Omit<WholePicture, 'mask'>,
  { scale, mirrored: isMirrored }: Look,
  { window, channels, classes }: Omit<WindowsOptions, 'looks'>,
): Promise<Seen> {
  const sides = sidesOf(window);
  const size = enlarged({ height: Math.floor(height * scale), width: Math.floor(width * scale) }, sides);
  const shown = await valuesOf(() =>
    resizeBilinear(tensor2d(pixels, [height * width, channels]), [height, width], [size.height, size.width]),
  );
  const image = isMirrored ? mirrored(shown, size, channels) : shown;
  const windows = windowStarts(size.height, sides.height).flatMap((top) =>
    windowStarts(size.width, sides.width).map((left) => ({ top, left })),
  );
  const logits = new Float32Array(size.height * size.width * classes);
  const counts = new Float32Array(size.height * size.width);
  const area = sides.height * sides.width;
  for (let from = 0; from < windows.length; from += WINDOWS_AT_A_TIME) {
    const some = windows.slice(from, from + WINDOWS_AT_A_TIME);
    const batch = new Float32Array(some.length * area * channels);
    some.forEach((place, index) => {
      batch.set(cut(image, size, { ...place, ...sides }, channels), index * area * channels);
    });
    const told = await valuesOf(() =>
      forward(tensor4d(batch, [some.length, sides.height, sides.width, channels])),
    );
    some.forEach((place, index) => {
      const own = told.subarray(index * area * classes, (index + 1) * area * classes);
      addAt(logits, counts, own, { size, place: { ...place, ...sides }, classes });
    });
  }
  for (let i = 0; i < logits.length; i++) {
    logits[i] = (logits[i] ?? 0) / (counts[Math.floor(i / classes)] ?? 1);
  }
  return { ...size, logits: isMirrored ? mirrored(logits, size, classes) : logits };
}

/** A size in its own proportions that no side of a window is longer than. */
function enlarged({ height, width }: Sides, window: Sides): Sides {
  const ratio = Math.max(1, window.height / height, window.width / width);
  return {
    height: Math.max(window.height, Math.floor(height * ratio)),
    width: Math.max(window.width, Math.floor(width * ratio)),
  };
}

async function valuesOf(compute: () => Tensor2D): Promise<Float32Array> {
  const values = tidy(compute);
  const read = await values.data<'float32'>();
  values.dispose();
  return read;
}

interface Window extends Sides {
  readonly top: number;
  readonly left: number;
}

/** The values of a window, [h, w, D], of those of a picture, [H, W, D]. */
function cut(
  values: Float32Array,
  size: Sides,
  { top, left, height, width }: Window,
  D: number,
): Float32Array {
  const result = new Float32Array(height * width * D);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * size.width + left) * D;
    result.set(values.subarray(from, from + width * D), row * width * D);
  }
  return result;
}

/** Adds the logits of a window at its place, and counts them there. */
function addAt(
  logits: Float32Array,
  counts: Float32Array,
  own: Float32Array,
  { size, place, classes }: { readonly size: Sides; readonly place: Window; readonly classes: number },
): void {
  for (let row = 0; row < place.height; row++) {
    const at = (place.top + row) * size.width + place.left;
    for (let x = at; x < at + place.width; x++) counts[x] = (counts[x] ?? 0) + 1;
    const from = row * place.width * classes;
    for (let i = 0; i < place.width * classes; i++) {
      logits[at * classes + i] = (logits[at * classes + i] ?? 0) + (own[from + i] ?? 0);
    }
  }
}

/** Values [H, W, D] with left and right exchanged. */
function mirrored(values: Float32Array, { height, width }: Sides, D: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < height; row++) {
    for (let x = 0; x < width; x++) {
      const from = (row * width + x) * D;
      result.set(values.subarray(from, from + D), (row * width + width - 1 - x) * D);
    }
  }
  return result;
}
