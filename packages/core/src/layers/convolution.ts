import type { Tensor2D } from '@tensorflow/tfjs-core';
import { NEIGHBOURS, neighbourhoods } from '../operations/neighbourhoods';
import type { Layer } from './layer';
import { type ProjectionParams, optionalBias, project } from './linear';
import type { Observe } from './observe';
import type { ParameterSpec } from './parameter';

/** A convolution of 3×3 over grids with a border of zeros, [9·in, out]: its input are neighbourhoods, row by row. */
export const convolutionLayer = (
  inDim: number,
  outDim: number,
  hasBias: boolean,
): Layer<ProjectionParams<ParameterSpec, ParameterSpec>> => optionalBias(NEIGHBOURS * inDim, outDim, hasBias);

/** x [B·H·W, in] → [B·H·W, out]; an observer sees the neighbourhoods and the result, by the `name` of the map. */
export const convolve = (
  x: Tensor2D,
  params: ProjectionParams,
  grid: readonly [rows: number, columns: number],
  name: string,
  observe: Observe | undefined,
): Tensor2D => project(neighbourhoods(x, grid), params, name, observe);
