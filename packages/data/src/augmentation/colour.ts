import type { Sides } from '@winnow/core';
import { CHANNELS } from '../picture/picture';

const LEVELS = 256;

/** A table of 256 entries; values are rounded and clamped to 0 … 255. */
function table(value: (level: number) => number): Uint8ClampedArray {
  const entries = new Uint8ClampedArray(LEVELS);
  for (let level = 0; level < LEVELS; level++) entries[level] = value(level);
  return entries;
}

/** Replaces every value by its entry in the table. */
function look(pixels: Uint8Array, entries: Uint8ClampedArray): void {
  for (let i = 0; i < pixels.length; i++) pixels[i] = entries[pixels[i] ?? 0] ?? 0;
}

/** ITU-R 601 luma of the pixel that starts at `at`, rounded down to an integer. */
function luma(pixels: Uint8Array, at: number): number {
  return ((pixels[at] ?? 0) * 77 + (pixels[at + 1] ?? 0) * 150 + (pixels[at + 2] ?? 0) * 29) >> 8;
}

/** `base` plus `difference` scaled by a factor in 1/256, rounded and clamped to 0 … 255. */
function blend(base: number, difference: number, factor256: number): number {
  const value = base + ((difference * factor256 + 128) >> 8);
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Scales all values. All functions here work in place on 8-bit RGB and leave the picture as it is at factor 1. */
export function brightness(pixels: Uint8Array, factor: number): void {
  look(
    pixels,
    table((level) => level * factor),
  );
}

/** Scales the distance of all values from the picture's mean luma. */
export function contrast(pixels: Uint8Array, factor: number): void {
  let sum = 0;
  for (let at = 0; at < pixels.length; at += CHANNELS) sum += luma(pixels, at);
  const mean = Math.round((sum * CHANNELS) / pixels.length);
  look(
    pixels,
    table((level) => mean + (level - mean) * factor),
  );
}

/** Scales the distance of each pixel from its own luma. */
export function saturation(pixels: Uint8Array, factor: number): void {
  const factor256 = Math.round(factor * 256);
  for (let at = 0; at < pixels.length; at += CHANNELS) {
    const grey = luma(pixels, at);
    pixels[at] = blend(grey, (pixels[at] ?? 0) - grey, factor256);
    pixels[at + 1] = blend(grey, (pixels[at + 1] ?? 0) - grey, factor256);
    pixels[at + 2] = blend(grey, (pixels[at + 2] ?? 0) - grey, factor256);
  }
}

/** Scales the distance from a smoothed copy (3×3, centre weight 5); the outermost pixels stay. */
export function sharpness(pixels: Uint8Array, { height, width }: Sides, factor: number): void {
  const factor256 = Math.round(factor * 256);
  const source = pixels.slice();
  const stride = width * CHANNELS;
  for (let row = 1; row < height - 1; row++) {
    for (let i = row * stride + CHANNELS; i < (row + 1) * stride - CHANNELS; i++) {
      const centre = source[i] ?? 0;
      let sum = 4 * centre;
      for (let line = i - stride; line <= i + stride; line += stride) {
        sum += (source[line - CHANNELS] ?? 0) + (source[line] ?? 0) + (source[line + CHANNELS] ?? 0);
      }
      const smooth = ((sum + 6) / 13) | 0;
      pixels[i] = blend(smooth, centre - smooth, factor256);
    }
  }
}

/** Keeps the `bits` highest bits of each value. */
export function posterize(pixels: Uint8Array, bits: number): void {
  const mask = 0xff & ~((1 << (8 - bits)) - 1);
  look(
    pixels,
    table((level) => level & mask),
  );
}

/** Inverts the values at or above `threshold`. */
export function solarize(pixels: Uint8Array, threshold: number): void {
  look(
    pixels,
    table((level) => (level < threshold ? level : 255 - level)),
  );
}

/** Replaces each channel's values by the table that `value` makes of the channel's histogram ([256]). */
function lookByHistogram(
  pixels: Uint8Array,
  value: (counts: Uint32Array) => (level: number) => number,
): void {
  for (let channel = 0; channel < CHANNELS; channel++) {
    const counts = new Uint32Array(LEVELS);
    for (let i = channel; i < pixels.length; i += CHANNELS) {
      const level = pixels[i] ?? 0;
      counts[level] = (counts[level] ?? 0) + 1;
    }
    const entries = table(value(counts));
    for (let i = channel; i < pixels.length; i += CHANNELS) pixels[i] = entries[pixels[i] ?? 0] ?? 0;
  }
}

/** Stretches each channel to the full range; a channel of one value stays. */
export function autocontrast(pixels: Uint8Array): void {
  lookByHistogram(pixels, (counts) => {
    const low = counts.findIndex((count) => count > 0);
    const high = counts.findLastIndex((count) => count > 0);
    return low === high ? (level) => level : (level) => ((level - low) * 255) / (high - low);
  });
}

/** Spreads each channel's values so that all levels are about equally frequent; a channel of one value stays. */
export function equalize(pixels: Uint8Array): void {
  lookByHistogram(pixels, (counts) => {
    const total = pixels.length / CHANNELS;
    const last = counts[counts.findLastIndex((count) => count > 0)] ?? 0;
    const step = Math.floor((total - last) / 255);
    if (step === 0) return (level) => level;
    let below = Math.floor(step / 2);
    const spread = Array.from(counts, (count) => {
      const level = Math.floor(below / step);
      below += count;
      return level;
    });
    return (level) => spread[level] ?? level;
  });
}
