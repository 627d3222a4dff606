import {
  type Tensor3D,
  type Tensor4D,
  matMul,
  reshape,
  slice,
  tensor3d,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import { downloadTensor } from '../tree/host';
import type { Grid } from './bicubic';
import { sidesOf } from './picture-sides';
import { type VisionTowerParams, visionTower } from './vision-tower';
import { type VisionTowerConfig, leadingTokens, patchGrid } from './vision-tower-config';

/** Left, top, right and bottom in shares of a picture's sides. */
export type RegionBox = readonly [left: number, top: number, right: number, bottom: number];

/** The part of an interval that lies in another. */
const within = (from: number, to: number, start: number, end: number): number =>
  Math.max(0, Math.min(to, end) - Math.max(from, start));

/**
 * Shares of the patches of a grid in a box, row by row, [N]: each as much of the mean as of it lies in the box.
 * @throws {RangeError} when no part of the box lies in the picture.
 */
export function patchShares([left, top, right, bottom]: RegionBox, [rows, columns]: Grid): number[] {
  const areas = Array.from({ length: rows * columns }, (_, patch) => {
    const [row, column] = [Math.floor(patch / columns), patch % columns];
    const height = within(top, bottom, row / rows, (row + 1) / rows);
    return height * within(left, right, column / columns, (column + 1) / columns);
  });
  const whole = areas.reduce((sum, area) => sum + area, 0);
  if (!(whole > 0))
    throw new RangeError(
      `expected a region with an area in the picture, got ${[left, top, right, bottom].join(', ')}`,
    );
  return areas.map((area) => area / whole);
}

/**
 * A vision tower that says what regions of pictures show: of each the mean of its patches' last states, weighted by how much of a patch
 * lies in it, in place of the features of a detector. Tokens are not merged, as patches have to keep their places.
 */
export function regionTower({ merging: _, ...config }: VisionTowerConfig) {
  const backbone = visionTower(config);
  const grid = patchGrid(config);
  const patches = grid[0] * grid[1];
  const leading = leadingTokens(config);
  const { embedDim: D } = config.tower;
  const states = (
    params: VisionTowerParams,
    images: Tensor4D,
    boxes: readonly (readonly RegionBox[])[],
  ): Tensor3D => {
    const batch = images.shape[0];
    const most = boxes.reduce((count, own) => Math.max(count, own.length), 0);
    const shares = new Float32Array(batch * most * patches);
    boxes.forEach((own, picture) => {
      own.forEach((box, place) => {
        shares.set(patchShares(box, grid), (picture * most + place) * patches);
      });
    });
    const all: Tensor3D = reshape(backbone.states(params, images).states, [batch, leading + patches, D]);
    const ofPatches: Tensor3D = slice(all, [0, leading, 0], [batch, patches, D]);
    return matMul(tensor3d(shares, [batch, most, patches]), ofPatches);
  };
  return {
    /** F */
    features: D,
    specs: backbone.layer.specs,
    /**
     * Pictures [B, H, W, C] and the boxes of each → [B, R, F], R those of the picture that has most; rows without a box are 0. Call it
     * in a tidy.
     * @throws {RangeError} when no part of a box lies in its picture.
     */
    states,
    /**
     * The same in host memory: normalised pixels [B, H, W, C] in row-major order → the regions of all boxes, [Σ boxes, F].
     * @throws {RangeError} when no part of a box lies in its picture.
     */
    read: async (
      params: VisionTowerParams,
      pixels: Float32Array,
      boxes: readonly (readonly RegionBox[])[],
    ): Promise<Float32Array> => {
      const { height, width } = sidesOf(config.imageSize);
      const shape: [number, number, number, number] = [boxes.length, height, width, config.channels];
      const padded = tidy(() => states(params, tensor4d(pixels, shape), boxes));
      const { values } = await downloadTensor(padded, 'regions');
      const most = padded.shape[1];
      padded.dispose();
      const found = new Float32Array(boxes.reduce((sum, own) => sum + own.length, 0) * D);
      let from = 0;
      boxes.forEach((own, picture) => {
        found.set(values.subarray(picture * most * D, (picture * most + own.length) * D), from);
        from += own.length * D;
      });
      return found;
    },
  };
}
