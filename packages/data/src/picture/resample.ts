import type { Interpolation, PictureGeometry } from '@winnow/core';
import { CHANNELS, type Picture } from './picture';

/** A window onto a picture of its new size, in pixels of it. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Filter {
  /** Reach to each side, in pixels of the smaller picture. */
  readonly support: number;
  weight(distance: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
/** The parameter of the cubic convolution; OpenCV and torch without antialiasing take -0.75. */
const SHARPNESS = -0.5;

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((SHARPNESS + 2) * x - (SHARPNESS + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * SHARPNESS : 0;
}

const filters: Readonly<Record<Exclude<Interpolation, 'nearest'>, Filter>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x))),
  },
  bicubic: { support: 2, weight: cubic },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Eight bits of a level and two for overshoot leave so many of 32 for the fraction of a weight. */
const PILLOW_BITS = 22;
/** torch's weights have 16 bits, of which the largest of an axis takes as many as it can. */
const TORCH_WEIGHTS = 2 ** 15;
/** Positions of an axis that are looked at for its largest weight. */
const MOST_LOOKED_AT = 2 ** 16;

/** Pixels that each new one is made of, along one side. */
interface Taps {
  /** The first of them. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [new pixels, stride], in units of 2^−bits. */
  readonly weights: Int32Array;
  readonly stride: number;
  readonly bits: number;
}

/** Weights that sum to 1 of the pixels that make a new one: those that there are, written into `found`. */
function weightsAt(
  { support, weight }: Filter,
  { oldSize, size }: Axis,
  position: number,
  found: Float64Array,
): { readonly first: number; readonly count: number } {
  const scale = oldSize / size;
  const spread = Math.max(scale, 1);
  const closeness = 1 / spread;
  const reach = support * spread;
  const centre = (position + 0.5) * scale;
  const first = Math.max(0, Math.trunc(centre - reach + 0.5));
  const count = Math.min(oldSize, Math.trunc(centre + reach + 0.5)) - first;
  let sum = 0;
  for (let tap = 0; tap < count; tap++) {
    const value = weight((tap + first - centre + 0.5) * closeness);
    found[tap] = value;
    sum += value;
  }
  if (sum !== 0) for (let tap = 0; tap < count; tap++) found[tap] = (found[tap] ?? 0) / sum;
  return { first, count };
}

/** A side of a picture: its length before and after, and the new pixels that are wanted. */
interface Axis {
  readonly oldSize: number;
  readonly size: number;
  readonly start: number;
  readonly length: number;
}

const strideOf = ({ support }: Filter, { oldSize, size }: Axis): number =>
  Math.ceil(support * Math.max(oldSize / size, 1)) * 2 + 1;

/** torch's precision of an axis: the finest whose largest weight is below {@link TORCH_WEIGHTS}. */
function torchBits(filter: Filter, axis: Axis): number {
  const found = new Float64Array(strideOf(filter, axis));
  let largest = 0;
  for (let position = 0; position < Math.min(axis.size, MOST_LOOKED_AT); position++) {
    const { count } = weightsAt(filter, axis, position, found);
    for (let tap = 0; tap < count; tap++) largest = Math.max(largest, found[tap] ?? 0);
  }
  let bits = 0;
  while (bits < PILLOW_BITS && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < TORCH_WEIGHTS) bits++;
  return bits;
}

function tapsOf(filter: Filter, axis: Axis, arithmetic: PictureGeometry['arithmetic']): Taps {
  const { start, length } = axis;
  const stride = strideOf(filter, axis);
  const bits = arithmetic === 'torch' ? torchBits(filter, axis) : PILLOW_BITS;
  const [first, count] = [new Int32Array(length), new Int32Array(length)];
  const weights = new Int32Array(length * stride);
  const found = new Float64Array(stride);
  for (let place = 0; place < length; place++) {
    const at = weightsAt(filter, axis, start + place, found);
    first[place] = at.first;
    count[place] = at.count;
    for (let tap = 0; tap < at.count; tap++) {
      const exact = (found[tap] ?? 0) * 2 ** bits;
      weights[place * stride + tap] = Math.trunc(exact < 0 ? exact - 0.5 : exact + 0.5);
    }
  }
  return { first, count, weights, stride, bits };
}

/** The first source pixel that some taps need, and how many there are up to the last. */
function reachOf({ first, count }: Taps): { readonly start: number; readonly length: number } {
  const start = first[0] ?? 0;
  const last = first.length - 1;
  return { start, length: (first[last] ?? 0) + (count[last] ?? 0) - start };
}

const level = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** All rows with new columns, [H, columns, 3]. @param left The column of the picture that `pixels` begin with. */
function acrossRows({ width, height, pixels }: Picture, taps: Taps, left: number): Picture {
  const { first, count, weights, stride, bits } = taps;
  const columns = first.length;
  const out = new Uint8Array(height * columns * CHANNELS);
  const half = 2 ** (bits - 1);
  let o = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < columns; column++) {
      let p = (row * width + (first[column] ?? 0) - left) * CHANNELS;
      let red = half;
      let green = half;
      let blue = half;
      const start = column * stride;
      const end = start + (count[column] ?? 0);
      for (let tap = start; tap < end; tap++) {
        const weight = weights[tap] ?? 0;
        red = (red + weight * (pixels[p] ?? 0)) | 0;
        green = (green + weight * (pixels[p + 1] ?? 0)) | 0;
        blue = (blue + weight * (pixels[p + 2] ?? 0)) | 0;
        p += CHANNELS;
      }
      out[o++] = level(red >> bits);
      out[o++] = level(green >> bits);
      out[o++] = level(blue >> bits);
    }
  }
  return { width: columns, height, pixels: out };
}

/** New rows of all columns, [rows, W, 3]. @param top The row of the picture that `pixels` begin with. */
function downColumns({ width, pixels }: Picture, taps: Taps, top: number): Picture {
  const { first, count, weights, stride, bits } = taps;
  const length = width * CHANNELS;
  const out = new Uint8Array(first.length * length);
  const sums = new Int32Array(length);
  for (let row = 0; row < first.length; row++) {
    sums.fill(2 ** (bits - 1));
    for (let tap = 0; tap < (count[row] ?? 0); tap++) {
      const weight = weights[row * stride + tap] ?? 0;
      const source = ((first[row] ?? 0) - top + tap) * length;
      for (let i = 0; i < length; i++) sums[i] = ((sums[i] ?? 0) + weight * (pixels[source + i] ?? 0)) | 0;
    }
    for (let i = 0; i < length; i++) out[row * length + i] = level((sums[i] ?? 0) >> bits);
  }
  return { width, height: first.length, pixels: out };
}

/** The old pixels in which the centres of new ones lie. Pillow adds up the distances; torch counts in single precision. */
function nearestOf(
  { oldSize, size, start, length }: Axis,
  arithmetic: PictureGeometry['arithmetic'],
): Int32Array {
  const found = new Int32Array(length);
  if (arithmetic === 'torch') {
    const scale = Math.fround(oldSize / size);
    for (let place = 0; place < length; place++) {
      const centre = Math.fround((start + place + 0.5) * scale);
      found[place] = Math.min(oldSize - 1, Math.floor(centre));
    }
    return found;
  }
  const scale = oldSize / size;
  let centre = scale * 0.5;
  for (let position = 0; position < start + length; position++) {
    if (position >= start) found[position - start] = Math.min(oldSize - 1, Math.trunc(centre));
    centre += scale;
  }
  return found;
}

function nearest({ width, pixels }: Picture, rows: Int32Array, columns: Int32Array): Picture {
  const out = new Uint8Array(rows.length * columns.length * CHANNELS);
  let o = 0;
  for (const row of rows) {
    for (const column of columns) {
      const p = (row * width + column) * CHANNELS;
      out[o++] = pixels[p] ?? 0;
      out[o++] = pixels[p + 1] ?? 0;
      out[o++] = pixels[p + 2] ?? 0;
    }
  }
  return { width: columns.length, height: rows.length, pixels: out };
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Whether the rows are made before the columns. Pillow 13 does so where that is less work; all others never. */
const beginsWithRows = (from: Size, to: Size, arithmetic: PictureGeometry['arithmetic']): boolean =>
  arithmetic === 'pillow' && from.height > to.height && from.height - to.height > 2 * (from.width - to.width);

/**
 * A window of the picture at another size, level for level as Pillow 13 (`Image.resize`, Resample.c) or torchvision on bytes
 * (`upsample_*2d_aa` of torch on a CPU) make it: one side first, then the other, with whole levels in between; a side that keeps
 * its length is left alone. Only what the window shows is computed.
 * @param window Inside `size`.
 */
export function resample(
  picture: Picture,
  size: Size,
  { interpolation, arithmetic }: Pick<PictureGeometry, 'interpolation' | 'arithmetic'>,
  window: Window,
): Picture {
  const across = {
    oldSize: picture.width,
    size: size.width,
    start: window.left,
    length: window.width,
  };
  const down = { oldSize: picture.height, size: size.height, start: window.top, length: window.height };
  if (interpolation === 'nearest')
    return nearest(picture, nearestOf(down, arithmetic), nearestOf(across, arithmetic));
  const filter = filters[interpolation];
  const changes = ({ oldSize, size: newSize }: Axis) => oldSize !== newSize;
  const columns = changes(across) ? tapsOf(filter, across, arithmetic) : undefined;
  const rows = changes(down) ? tapsOf(filter, down, arithmetic) : undefined;
  const [x, y] = [columns ? reachOf(columns) : across, rows ? reachOf(rows) : down];
  const part = cut(picture, { left: x.start, width: x.length, top: y.start, height: y.length });
  const passes = [
    (done: Picture) => (columns === undefined ? done : acrossRows(done, columns, x.start)),
    (done: Picture) => (rows === undefined ? done : downColumns(done, rows, y.start)),
  ];
  if (beginsWithRows(picture, size, arithmetic)) passes.reverse();
  return passes.reduce((done, pass) => pass(done), part);
}

/** A part of a picture with its own pixels. */
function cut(picture: Picture, { left, top, width, height }: Window): Picture {
  if (width === picture.width) {
    const row = width * CHANNELS;
    return { width, height, pixels: picture.pixels.subarray(top * row, (top + height) * row) };
  }
  const length = width * CHANNELS;
  const pixels = new Uint8Array(height * length);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * picture.width + left) * CHANNELS;
    pixels.set(picture.pixels.subarray(start, start + length), row * length);
  }
  return { width, height, pixels };
}
