import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { linearCost } from '../account/account';
import { type Activation, activate } from '../operations/activation';
import { type Coupling, type Site, sumCosts } from '../sites/site';
import { joinPath, lastKey } from '../tree/path';
import type { Layer, Place } from './layer';
import { type LinearParams, linearSpecs, project } from './linear';
import type { Observe } from './observe';
import type { ParameterSpec } from './parameter';
import type { Body } from './residual';

export type FfnParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  expand: LinearParams<Matrix, Vector>; // [D, hidden]
  contract: LinearParams<Matrix, Vector>; // [hidden, D]
};

export interface FeedForwardOptions {
  /** D: width of the tokens. */
  readonly embedDim: number;
  readonly hiddenDim: number;
  readonly activation: Activation;
  /** Key of the configuration at its place that states the hidden width. */
  readonly width?: string;
}

/** Two linear maps with a non-linearity between them, for every token by itself. */
export interface FeedForwardLayer extends Layer<FfnParams<ParameterSpec, ParameterSpec>> {
  /** The layer with its parameters: tokens [N, D] → [N, D]. */
  body(params: FfnParams, observe?: Observe): Body;
}

export function feedForwardLayer(options: FeedForwardOptions): FeedForwardLayer {
  const { embedDim: D, hiddenDim, activation } = options;
  return {
    specs: { expand: linearSpecs(D, hiddenDim), contract: linearSpecs(hiddenDim, D) },
    describe: (place) => {
      const tokens = place.uses.reduce((sum, use) => sum + use.tokens, 0);
      const cost = sumCosts([linearCost(D, hiddenDim, tokens), linearCost(hiddenDim, D, tokens)]);
      return { sites: [siteOf(options, place, tokens)], lines: [{ part: place.path, ...cost }] };
    },
    body: (params, observe) => ({
      compute: (x) => {
        const hidden = activate(project(x, params.expand, 'expand', observe), activation); // [N, hidden]
        return project(hidden, params.contract, 'contract', observe);
      },
      ...(observe === undefined
        ? {
            fused: {
              kernel: 'WinnowFfnSublayer',
              layers: params,
              attributes: { activation },
            },
          }
        : {}),
    }),
  };
}

/** One unit for each hidden dimension. */
function siteOf(
  { embedDim: D, hiddenDim, width = 'hiddenDim' }: FeedForwardOptions,
  { path, config, tower, towerPath, layer, block, stack }: Place,
  tokens: number,
): Site {
  const columns = 'hidden';
  const couplings: Coupling[] = [
    { parameter: `${path}.expand.weight`, part: 'expand', columns, axis: 1, copies: 1, role: 'producer' },
    { parameter: `${path}.expand.bias`, part: 'expand', columns, axis: 0, copies: 1, role: 'producer' },
    { parameter: `${path}.contract.weight`, part: 'contract', columns, axis: 0, copies: 1, role: 'consumer' },
  ];
  return {
    id: path,
    tower,
    towerPath,
    layer,
    block,
    name: lastKey(path),
    structure: 'ffn',
    units: hiddenDim,
    width: joinPath(config, width),
    ...(stack === undefined ? {} : { stack }),
    unitCost: { parameters: 2 * D + 1, macs: 2 * tokens * D },
    couplings,
    columns: [{ names: [columns], prunable: true, width: joinPath(config, width) }],
  };
}
