import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { accountOf } from '../account/account';
import type { Decision } from '../decision/decision';
import { linear } from '../operations/linear';
import { towerSites } from '../sites/site';
import { type ParameterSpec, normal } from '../transformer/parameter';
import type { Model } from './model';
import type { Perturb } from './perturbation';
import { shrunkTower } from './shrunk-tower';
import { type TextTowerParams, textStates, textTowerAccount, textTowerSpecs } from './text-tower';
import type { TextTowerConfig } from './text-tower-config';

export interface ClipTextConfig extends TextTowerConfig {
  readonly kind: 'clip-text';
  /** P: width of the embeddings. */
  readonly projectionDim: number;
}

export type ClipTextParams<Matrix = Tensor2D, Vector = Tensor1D> = TextTowerParams<Matrix, Vector> & {
  projection: Matrix; // [D, P]
};

/** Token sequences [B, T], int32. */
export interface TextInputs {
  readonly tokens: Tensor2D;
  readonly perturb?: Perturb;
}

export interface ClipText extends Model<ClipTextParams, TextInputs> {
  readonly config: ClipTextConfig;
  readonly specs: ClipTextParams<ParameterSpec, ParameterSpec>;
  shrink(decision: Decision): ClipText;
}

/** CLIP's text encoder by itself: its logits are the projected embeddings [B, P], not normalised. */
export function clipText(config: ClipTextConfig): ClipText {
  const { context, projectionDim, tower } = config;
  const sites = towerSites(tower, { tower: 'text', path: 'blocks', tokens: context });
  return {
    config,
    specs: {
      ...textTowerSpecs(config),
      projection: normal([tower.embedDim, projectionDim], tower.embedDim ** -0.5),
    },
    sites,
    account: accountOf([
      ...textTowerAccount(config),
      projectionLine('projection', tower.embedDim, projectionDim),
    ]),
    readout: { projections: [{ parameter: 'projection', tower: 'text' }], heads: [] },
    forward: (params, { tokens, perturb }) => {
      const states = textStates(config, params, tokens, perturb);
      return { logits: linear(states, params.projection), states };
    },
    shrink: (decision) => clipText({ ...config, tower: shrunkTower(tower, sites, decision) }),
  };
}

/** A projection without a bias, for one example. */
export const projectionLine = (part: string, inDim: number, outDim: number) => ({
  part,
  parameters: inDim * outDim,
  macs: inDim * outDim,
});
