/** A decoded picture: 8-bit RGB, row-major, [height, width, 3]. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export const CHANNELS = 3;

/**
 * The square of side `side` in the middle, with its own pixels.
 * @throws {RangeError} when the picture is smaller than the square.
 */
export function centreSquare(picture: Picture, side: number): Picture {
  const { width, height, pixels } = picture;
  if (width < side || height < side) {
    throw new RangeError(`expected a picture of at least ${side}×${side}, got ${width}×${height}`);
  }
  if (width === side && height === side) return picture;
  const left = (width - side) >> 1;
  const top = (height - side) >> 1;
  const square = new Uint8Array(side * side * CHANNELS);
  for (let row = 0; row < side; row++) {
    const start = ((top + row) * width + left) * CHANNELS;
    square.set(pixels.subarray(start, start + side * CHANNELS), row * side * CHANNELS);
  }
  return { width: side, height: side, pixels: square };
}
