import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { linearCost } from '../account/account';
import { linear } from '../operations/linear';
import type { Layer } from './layer';
import { type Observe, type ObservedRows, resultOf } from './observe';
import { type ParameterSpec, normal, zeros } from './parameter';

/** Leaves are tensors in a model, specifications in its description. W in the X·W convention: [in, out]. */
export type LinearParams<Matrix = Tensor2D, Vector = Tensor1D> = { weight: Matrix; bias: Vector };

/** A linear map that may have no bias. */
export type ProjectionParams<Matrix = Tensor2D, Vector = Tensor1D> = { weight: Matrix; bias?: Vector };

/** Xavier: standard deviation √(2/(in + out)), zero bias. */
export function linearSpecs(
  inDim: number,
  outDim: number,
  deviation = Math.sqrt(2 / (inDim + outDim)),
): LinearParams<ParameterSpec, ParameterSpec> {
  return { weight: normal([inDim, outDim], deviation), bias: zeros([outDim]) };
}

/** x·W + b for every token. */
export function linearLayer(
  inDim: number,
  outDim: number,
  deviation?: number,
): Layer<LinearParams<ParameterSpec, ParameterSpec>> {
  return describedLinear(linearSpecs(inDim, outDim, deviation), inDim, outDim);
}

/** x·W + b, or x·W where the bias is left out. */
export function optionalBias(
  inDim: number,
  outDim: number,
  hasBias: boolean,
): Layer<ProjectionParams<ParameterSpec, ParameterSpec>> {
  return describedLinear(projectionSpecs(inDim, outDim, hasBias), inDim, outDim);
}

/** As `linearSpecs`, with or without the bias. */
export function projectionSpecs(
  inDim: number,
  outDim: number,
  hasBias: boolean,
): ProjectionParams<ParameterSpec, ParameterSpec> {
  const { weight, bias } = linearSpecs(inDim, outDim);
  return hasBias ? { weight, bias } : { weight };
}

function describedLinear<Specs extends ProjectionParams<ParameterSpec, ParameterSpec>>(
  specs: Specs,
  inDim: number,
  outDim: number,
): Layer<Specs> {
  return {
    specs,
    describe: ({ path, uses }) => {
      const tokens = uses.reduce((sum, use) => sum + use.tokens, 0);
      const { parameters, macs } = linearCost(inDim, outDim, tokens);
      const stored = specs.bias === undefined ? parameters - outDim : parameters;
      return { sites: [], lines: [{ part: path, parameters: stored, macs }] };
    },
  };
}

/** A matrix by itself that multiplies every token, x·W: a projection. */
export function projection(inDim: number, outDim: number, deviation: number): Layer<ParameterSpec> {
  return {
    specs: normal([inDim, outDim], deviation),
    describe: ({ path, uses }) => {
      const tokens = uses.reduce((sum, use) => sum + use.tokens, 0);
      const parameters = inDim * outDim;
      return { sites: [], lines: [{ part: path, parameters, macs: tokens * parameters }] };
    },
  };
}

/** x [N, in] → x·W + b [N, out] (x·W without a bias); an observer sees both, by the `name` of the map. */
export function project(
  x: Tensor2D,
  { weight, bias }: ProjectionParams,
  name: string,
  observe: Observe | undefined,
  rows?: ObservedRows,
): Tensor2D {
  observe?.(name, x, rows);
  const y = linear(x, weight, bias);
  observe?.(resultOf(name), y, rows);
  return y;
}
