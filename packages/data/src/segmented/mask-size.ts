import type { Sides } from '@winnow/core';
import type { Mask } from './index-png';

/** A mask at another size: each pixel is the nearest one, and none is between two. */
export function resizedMask({ width, height, labels }: Mask, to: Sides): Mask {
  if (to.width === width && to.height === height) return { width, height, labels };
  const result = new Uint8Array(to.width * to.height);
  for (let y = 0; y < to.height; y++) {
    const from = Math.min(height - 1, Math.floor(((y + 0.5) * height) / to.height)) * width;
    for (let x = 0; x < to.width; x++) {
      const column = Math.min(width - 1, Math.floor(((x + 0.5) * width) / to.width));
      result[y * to.width + x] = labels[from + column] ?? 0;
    }
  }
  return { ...to, labels: result };
}

/** The rectangle in the middle of a mask, which is at least as large. */
export function middleOfMask({ width, height, labels }: Mask, to: Sides): Mask {
  if (to.width === width && to.height === height) return { width, height, labels };
  const [left, top] = [(width - to.width) >> 1, (height - to.height) >> 1];
  const result = new Uint8Array(to.width * to.height);
  for (let y = 0; y < to.height; y++) {
    const from = (top + y) * width + left;
    result.set(labels.subarray(from, from + to.width), y * to.width);
  }
  return { ...to, labels: result };
}
