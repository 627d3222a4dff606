import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  maximum,
  reshape,
  slice,
  transpose,
} from '@tensorflow/tfjs-core';
import { convolutionLayer, convolve } from '../layers/convolution';
import { type Layer, placed, stack, together } from '../layers/layer';
import {
  type LinearParams,
  type ProjectionParams,
  linearLayer,
  optionalBias,
  project,
} from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { type Observe, observeUnder } from '../layers/observe';
import type { ParameterSpec } from '../layers/parameter';
import { type GlipConfig, levelsOf } from './glip-config';
import { patchGrid } from './vision-tower-config';

type LevelParams<Matrix, Vector> = {
  reduce: ProjectionParams<Matrix, Vector>; // [D or D/2, c]
  reduceNorm: LayerNormParams<Vector>;
  mix: ProjectionParams<Matrix, Vector>; // [9·c, c]
  mixNorm: LayerNormParams<Vector>;
};

export type GlipNeckParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  /** The four finer cells of each patch, [D, 4·D/2]; a pyramid has them. */
  finer?: LinearParams<Matrix, Vector>;
  levels: LevelParams<Matrix, Vector>[];
};

/** Makes regions of several grids from the patches of a tower. */
export interface GlipNeck extends Layer<GlipNeckParams<ParameterSpec, ParameterSpec>> {
  /** Patches [B·P, D] → regions of each grid, [B·N, c] each. */
  run(params: GlipNeckParams, patches: Tensor2D, observe?: Observe): Tensor2D[];
}

const EPSILON = 1e-6;

/**
 * A simple feature pyramid from the last map alone (Li et al., 2022, ViTDet, Section 3 and Appendix A.1): a transposed convolution of
 * 2×2, the map itself, and the greatest of each 2×2; then on each grid convolutions of 1×1 and 3×3 with layer norms, without biases.
 * `flat` has the middle one alone.
 */
export function glipNeck(config: GlipConfig): GlipNeck {
  const D = config.vision.tower.embedDim;
  const { width, levels: kind } = config.head;
  const grids = levelsOf(config);
  const [rows, columns] = patchGrid(config.vision);
  const isPyramid = kind === 'pyramid';
  const finerDim = Math.max(1, Math.floor(D / 2));
  const levelLayer = (inDim: number, tokens: number): Layer<LevelParams<ParameterSpec, ParameterSpec>> =>
    placed(
      { uses: [{ tokens }] },
      together({
        reduce: optionalBias(inDim, width, false),
        reduceNorm: normLayer(width, EPSILON),
        mix: convolutionLayer(width, width, false),
        mixNorm: normLayer(width, EPSILON),
      }),
    );
  const levels = stack(
    grids.map((grid, index) => levelLayer(isPyramid && index === 0 ? finerDim : D, grid.rows * grid.columns)),
    'levels',
  );
  const patchUses = { uses: [{ tokens: rows * columns }] };
  return {
    ...together({
      ...(isPyramid ? { finer: placed(patchUses, linearLayer(D, 4 * finerDim)) } : {}),
      levels,
    }),
    run: (params, patches, observe) => {
      const maps = isPyramid
        ? [
            spread(project(patches, ofPyramid(params), 'finer', observe), columns),
            patches,
            strongest(patches, columns),
          ]
        : [patches];
      return grids.map((grid, index) => {
        const [map, own] = [maps[index], params.levels[index]];
        if (map === undefined || own === undefined)
          throw new RangeError(`there are no parameters for level ${index}`);
        const seen = observeUnder(observe, `levels.${index}`);
        const reduced = normalize(project(map, own.reduce, 'reduce', seen), own.reduceNorm, EPSILON);
        const mixed = convolve(reduced, own.mix, [grid.rows, grid.columns], 'mix', seen);
        return normalize(mixed, own.mixNorm, EPSILON);
      });
    },
  };
}

function ofPyramid({ finer }: GlipNeckParams): LinearParams {
  if (finer === undefined) throw new RangeError('expected the parameters of a pyramid');
  return finer;
}

/** Four values for each cell, row by row, as a grid twice as fine: [B·H·W, 4·C] → [B·2H·2W, C]. */
function spread(x: Tensor2D, columns: number): Tensor2D {
  const [cells, all] = x.shape;
  const C = all / 4;
  const byCell = reshape(x, [cells / columns, columns, 2, 2 * C]); // [B·H, W, 2, 2·C]
  const byRow = transpose(byCell, [0, 2, 1, 3]); // [B·H, 2, W, 2·C]
  return reshape(byRow, [4 * cells, C]);
}

/** The greatest of each 2×2 cells of a grid, channel by channel: [B·H·W, C] → [B·H/2·W/2, C]. */
function strongest(x: Tensor2D, columns: number): Tensor2D {
  const [cells, C] = x.shape;
  const down = greater(reshape(x, [cells / columns / 2, 2, columns * C])); // [B·H/2, W·C]
  return greater(reshape(down, [cells / 4, 2, C]));
}

/** [N, 2, M] → [N, M]. */
function greater(pairs: Tensor3D): Tensor2D {
  const [count, , width] = pairs.shape;
  const at = (place: number): Tensor2D =>
    reshape(slice(pairs, [0, place, 0], [count, 1, width]), [count, width]);
  return maximum(at(0), at(1));
}
