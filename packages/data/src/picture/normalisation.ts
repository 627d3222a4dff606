import { CHANNELS } from './picture';

/** Per channel (red, green, blue): normalised = (level · scale − mean) / std, for levels of 0 … 255. */
export interface Normalisation {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** Default 1/255: values in [0, 1]. */
  readonly scale?: number;
}

/** The normalisation that almost all published vision transformers were trained with. */
export const imageNetNormalisation: Normalisation = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Writes 8-bit RGB pixels as normalised numbers to `out`, from position `start` on. */
export type Normalise = (pixels: Uint8Array, out: Float32Array, start: number) => void;

/** @throws {RangeError} on a number that is not finite or a standard deviation that is not positive. */
export function normaliser({ mean, std, scale }: Normalisation): Normalise {
  if (![...mean, ...std, scale ?? 0].every(Number.isFinite) || std.some((deviation) => deviation <= 0)) {
    throw new RangeError(
      `expected finite means and scale and positive standard deviations, got mean ${mean.join(', ')}, std ${std.join(', ')} and scale ${scale ?? '1/255'}`,
    );
  }
  // Divided by 255, not multiplied: the last bit counts for whoever compares runs.
  const valueOf = (level: number): number => (scale === undefined ? level / 255 : level * scale);
  // 256 values per channel: a look-up instead of a division per pixel.
  const normalised = mean.map((average, channel) =>
    Float32Array.from({ length: 256 }, (_, level) => (valueOf(level) - average) / (std[channel] ?? 1)),
  );
  return (pixels, out, start) => {
    normalised.forEach((levels, channel) => {
      for (let i = channel; i < pixels.length; i += CHANNELS) out[start + i] = levels[pixels[i] ?? 0] ?? 0;
    });
  };
}
