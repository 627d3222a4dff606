import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Decision } from '../decision/decision';
import { modelPlace, placed, together } from '../layers/layer';
import { projection } from '../layers/linear';
import type { ParameterSpec } from '../layers/parameter';
import { linear } from '../operations/linear';
import { defineFamily } from './family';
import type { Hooks } from './hooks';
import { type DenseConfig, type Model, described, shrunkConfig } from './model';
import type { Logits } from './prediction';
import { count, tiesShape } from './schemas';
import { textsText, towerText } from './summary';
import { type TextTowerParams, textTower } from './text-tower';
import { type TextTowerConfig, hasEndToken, knownEndToken, textTowerShape } from './text-tower-config';
import { tied } from './ties';

export interface ClipTextConfig extends TextTowerConfig, DenseConfig {
  readonly kind: 'clip-text';
  /** P: width of the embeddings. */
  readonly projectionDim: number;
}

export type ClipTextParams<Matrix = Tensor2D, Vector = Tensor1D> = TextTowerParams<Matrix, Vector> & {
  projection: Matrix; // [D, P]
};

/** Token sequences [B, T], int32. */
export interface TextInputs extends Hooks {
  readonly tokens: Tensor2D;
}

export interface ClipText extends Model<ClipTextParams, TextInputs, Logits> {
  readonly config: ClipTextConfig;
  readonly specs: ClipTextParams<ParameterSpec, ParameterSpec>;
  shrink(decision: Decision): ClipText;
}

/** CLIP's text encoder by itself: its logits are the projected embeddings [B, P], not normalised. */
export function clipText({ ties, ...config }: ClipTextConfig): ClipText {
  const whole = untied(config);
  return ties === undefined ? whole : { ...tied(whole, ties), config: { ...config, ties } };
}

function untied(config: ClipTextConfig): ClipText {
  const D = config.tower.embedDim;
  const backbone = textTower(config);
  const projected = projection(D, config.projectionDim, D ** -0.5);
  const layer = together({ ...backbone.parts, projection: placed({ uses: [{ tokens: 1 }] }, projected) });
  const model = described(config, layer, modelPlace('text'));
  return {
    ...model,
    readout: { projections: [{ parameter: 'projection', tower: 'text' }], heads: [] },
    forward: (params, { tokens, ...hooks }) => {
      const states = backbone.states(params, tokens, hooks);
      hooks.observe?.('projection', states);
      return { logits: linear(states, params.projection), states };
    },
    shrink: (decision) => clipText(shrunkConfig(config, model.sites, decision)),
  };
}

export const clipTextFamily = defineFamily<ClipTextConfig, ClipText>({
  kind: 'clip-text',
  schema: z
    .strictObject({ kind: z.literal('clip-text'), ...textTowerShape, projectionDim: count, ...tiesShape })
    .refine(hasEndToken, knownEndToken),
  build: clipText,
  towers: (config) => ({ text: config }),
  summary: (config) =>
    `CLIP text transformer of ${towerText(config.tower)}; ${textsText(config)}; embeddings of ${config.projectionDim}`,
});
