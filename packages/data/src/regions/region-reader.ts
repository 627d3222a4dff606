import type { RegionBox } from '@winnow/core';

/** Features of the regions of some pictures, one after another: [Σ regions, F]. */
export type ReadRegions = (
  /** Normalised pixels, [B, H, W, C] in row-major order. */
  images: Float32Array,
  boxes: readonly (readonly RegionBox[])[],
) => Promise<Float32Array>;

/** A frozen model that says what regions of pictures show. */
export interface RegionReader {
  /** F: numbers that describe a region. */
  readonly features: number;
  /** Identifies it, and whatever else decides its numbers: those that are kept are for it alone. */
  readonly digest: string;
  /** Lends the model, which is there meanwhile. */
  lend<Result>(use: (read: ReadRegions) => Promise<Result>): Promise<Result>;
}
