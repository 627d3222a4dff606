import type { RandomStream, Sides } from '@winnow/core';
import { CHANNELS, type Picture } from '../picture/picture';

/** Where each output pixel comes from: x' = xx·x + xy·y + x0 and y' = yx·x + yy·y + y0. */
export interface Affine {
  readonly xx: number;
  readonly xy: number;
  readonly x0: number;
  readonly yx: number;
  readonly yy: number;
  readonly y0: number;
}

export const IDENTITY: Affine = { xx: 1, xy: 0, x0: 0, yx: 0, yy: 1, y0: 0 };

/** First `inner`, then `outer`. */
export function compose(outer: Affine, inner: Affine): Affine {
  return {
    xx: outer.xx * inner.xx + outer.xy * inner.yx,
    xy: outer.xx * inner.xy + outer.xy * inner.yy,
    x0: outer.xx * inner.x0 + outer.xy * inner.y0 + outer.x0,
    yx: outer.yx * inner.xx + outer.yy * inner.yx,
    yy: outer.yx * inner.xy + outer.yy * inner.yy,
    y0: outer.yx * inner.x0 + outer.yy * inner.y0 + outer.y0,
  };
}

export function rotation(degrees: number): Affine {
  const radians = (degrees * Math.PI) / 180;
  const cos = Math.cos(radians);
  const sin = Math.sin(radians);
  return { ...IDENTITY, xx: cos, xy: -sin, yx: sin, yy: cos };
}

/** A rectangle in pixels of the picture; its sides need not be whole numbers. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const CROP_ATTEMPTS = 10;

/**
 * Random resized crop: a rectangle with a share of the area drawn from `area` and a ratio of width to height drawn
 * (evenly in its logarithm) from `ratio`. Falls back to the largest centred rectangle of the nearest ratio.
 */
export function randomRegion(
  { width, height }: Sides,
  area: readonly [number, number],
  ratio: readonly [number, number],
  random: RandomStream,
): Region {
  const [logLow, logHigh] = [Math.log(ratio[0]), Math.log(ratio[1])];
  for (let attempt = 0; attempt < CROP_ATTEMPTS; attempt++) {
    const cropArea = width * height * (area[0] + (area[1] - area[0]) * random.uniform());
    const cropRatio = Math.exp(logLow + (logHigh - logLow) * random.uniform());
    const cropWidth = Math.sqrt(cropArea * cropRatio);
    const cropHeight = Math.sqrt(cropArea / cropRatio);
    if (cropWidth <= width && cropHeight <= height) {
      const left = (width - cropWidth) * random.uniform();
      const top = (height - cropHeight) * random.uniform();
      return { left, top, width: cropWidth, height: cropHeight };
    }
  }
  const nearest = Math.min(Math.max(width / height, ratio[0]), ratio[1]);
  const cropWidth = Math.min(width, height * nearest);
  const cropHeight = Math.min(height, width / nearest);
  return {
    left: (width - cropWidth) / 2,
    top: (height - cropHeight) / 2,
    width: cropWidth,
    height: cropHeight,
  };
}

/**
 * A distortion whose x and y are pixels of an H×W picture, in shares of its width and height: a turn stays a turn. Distances
 * that it moves the picture by are such shares already.
 */
export const onSides = (distortion: Affine, { height, width }: Sides): Affine => ({
  ...distortion,
  xy: distortion.xy * (height / width),
  yx: distortion.yx * (width / height),
});

/**
 * Maps the pixels of an H×W output onto a region of a picture; `distortion` acts in between, on the unit square
 * centred on the origin.
 */
export function placement(region: Region, distortion: Affine, { height, width }: Sides): Affine {
  const centred: Affine = { ...IDENTITY, xx: 1 / width, x0: -0.5, yy: 1 / height, y0: -0.5 };
  const onto: Affine = {
    ...IDENTITY,
    xx: region.width,
    x0: region.left + region.width / 2,
    yy: region.height,
    y0: region.top + region.height / 2,
  };
  return compose(onto, compose(distortion, centred));
}

/**
 * Fills `out` ([H, W, 3]) with the picture seen through `from`: crop, flip, rotation, shear, translation and resize in
 * one pass of bilinear sampling. Beyond its edges the picture continues with its edge pixels. Sampling does not
 * average, so a reduction by more than 2 skips pixels: pictures are brought near their final size when decoded.
 */
export function warp(picture: Picture, from: Affine, size: Sides, out: Uint8Array): void {
  const { width, height, pixels } = picture;
  const lastX = width - 1;
  const lastY = height - 1;
  const stride = width * CHANNELS;
  let o = 0;
  for (let y = 0; y < size.height; y++) {
    // Pixel centres lie at half-integers; `u`, `v` are indices, so that 0 is the centre of the first pixel.
    let u = from.xx * 0.5 + from.xy * (y + 0.5) + from.x0 - 0.5;
    let v = from.yx * 0.5 + from.yy * (y + 0.5) + from.y0 - 0.5;
    for (let x = 0; x < size.width; x++) {
      const inX = u < 0 ? 0 : u > lastX ? lastX : u;
      const inY = v < 0 ? 0 : v > lastY ? lastY : v;
      const column = inX | 0;
      const row = inY | 0;
      // Weights in 1/65536: blending in integers is fast and rounds alike everywhere.
      const right = ((inX - column) * 256) | 0;
      const down = ((inY - row) * 256) | 0;
      const weight11 = right * down;
      const weight10 = (down << 8) - weight11;
      const weight01 = (right << 8) - weight11;
      const weight00 = 65536 - weight11 - weight10 - weight01;
      const p00 = row * stride + column * CHANNELS;
      const p01 = column < lastX ? p00 + CHANNELS : p00;
      const below = row < lastY ? stride : 0;
      const p10 = p00 + below;
      const p11 = p01 + below;
      for (let channel = 0; channel < CHANNELS; channel++) {
        out[o++] =
          ((pixels[p00 + channel] ?? 0) * weight00 +
            (pixels[p01 + channel] ?? 0) * weight01 +
            (pixels[p10 + channel] ?? 0) * weight10 +
            (pixels[p11 + channel] ?? 0) * weight11 +
            32768) >>
          16;
      }
      u += from.xx;
      v += from.yx;
    }
  }
}
