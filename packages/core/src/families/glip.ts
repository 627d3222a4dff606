import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  div,
  exp,
  matMul,
  mul,
  reshape,
  tensor1d,
} from '@tensorflow/tfjs-core';
import { counted } from '../text/counted';
import type { Decision } from '../decision/decision';
import { bare, modelPlace, placed, together } from '../layers/layer';
import { type LinearParams, linearLayer, project, projection } from '../layers/linear';
import { type Observe, observeUnder, resultOf } from '../layers/observe';
import { type ParameterSpec, constant, ones, zeros } from '../layers/parameter';
import { lastTokens } from '../layers/tower';
import { gatherRows } from '../operations/gather-rows';
import { unitLength } from '../operations/unit-length';
import type { DualEncoderInputs } from './dual-encoder';
import { defineFamily } from './family';
import { type GlipConfig, glipSchema, levelsOf } from './glip-config';
import { type GlipNeckParams, glipNeck } from './glip-neck';
import { type GlipRoundsParams, glipRounds, joined } from './glip-rounds';
import { hooksUnder } from './hooks';
import { type Model, described, shrunkConfig } from './model';
import type { Prediction } from './prediction';
import { pictureText, textsText, towerText } from './summary';
import { type TextTowerParams, textTower } from './text-tower';
import { tied } from './ties';
import { type VisionTowerParams, visionTower } from './vision-tower';
import { patchCount, tokenCount } from './vision-tower-config';

export type GlipParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  vision: VisionTowerParams<Matrix, Vector>;
  text: TextTowerParams<Matrix, Vector>;
  neck: GlipNeckParams<Matrix, Vector>;
  rounds: GlipRoundsParams<Matrix, Vector>;
  head: {
    codes: LinearParams<Matrix, Vector>; // [c, 4]
    centerness: LinearParams<Matrix, Vector>; // [c, 1]
    scales: Vector; // [levels], of the codes
    words: LinearParams<Matrix, Vector>; // [D, c]
    prior: { weight: Matrix; bias: Vector }; // [D, 1]: how likely a word is of any region
    logScale: Vector; // [1]
  };
};

/** Regions of pictures, grid by grid and row by row: N of each picture. */
export interface Regions extends Prediction {
  /** Logits of each token for each region, [B·N, T]; those of padding mean nothing. */
  readonly logits: Tensor2D;
  /** Where its object is, as `boxCode` has it, [B·N, 4]. */
  readonly codes: Tensor2D;
  /** The logit of how near its centre is to that of its object, [B·N, 1]. */
  readonly centerness: Tensor2D;
  /** 1 where a token is read and 0 where it is padding, [B, T]. */
  readonly read: Tensor2D;
}

export interface Glip extends Model<GlipParams, DualEncoderInputs, Regions> {
  readonly config: GlipConfig;
  readonly specs: GlipParams<ParameterSpec, ParameterSpec>;
  shrink(decision: Decision): Glip;
}

/** The share of regions that a word fits at first, by which logits begin. */
const PRIOR = 0.01;
/** The standard deviation of fresh weights in the layers that say where objects are. */
const DEVIATION = 0.01;

/**
 * GLIP (Li et al., 2022; microsoft/GLIP) on two of our towers: regions of a picture are aligned with the words of a text that lists
 * classes. Only the towers can be cut. Without dropout, deformable convolutions and dynamic ReLU. With ties its parameters are those
 * that are stored.
 */
export function glip({ ties, ...config }: GlipConfig): Glip {
  const whole = untied(config);
  return ties === undefined ? whole : { ...tied(whole, ties), config: { ...config, ties } };
}

function untied(config: GlipConfig): Glip {
  const { width: c } = config.head;
  const D = config.text.tower.embedDim;
  const levels = levelsOf(config).map(({ rows, columns }) => rows * columns);
  const regions = levels.reduce((sum, cells) => sum + cells, 0);
  const vision = visionTower(config.vision, tokenCount(config.vision));
  const text = textTower(config.text);
  const neck = glipNeck(config);
  const rounds = glipRounds(config);
  const [ofRegions, ofTokens] = [regions, config.text.context].map((tokens) => ({ uses: [{ tokens }] }));
  if (ofRegions === undefined || ofTokens === undefined) throw new RangeError('expected two uses');
  const parts = together({
    vision: placed({ tower: 'vision', config: 'vision' }, vision.layer),
    text: placed({ tower: 'text', config: 'text' }, text.layer),
    neck,
    rounds,
    head: together({
      codes: placed(ofRegions, linearLayer(c, 4, DEVIATION)),
      centerness: placed(ofRegions, linearLayer(c, 1, DEVIATION)),
      scales: bare(ones([levels.length])),
      words: placed(ofTokens, linearLayer(D, c)),
      prior: placed(
        ofTokens,
        together({
          weight: projection(D, 1, 0),
          bias: bare(constant([1], -Math.log((1 - PRIOR) / PRIOR))),
        }),
      ),
      logScale: bare(zeros([1])),
    }),
  });
  const layer: typeof parts = {
    specs: parts.specs,
    describe: (place) => {
      const { sites, lines } = parts.describe(place);
      const macs = regions * config.text.context * c;
      return { sites, lines: [...lines, { part: 'head.alignment', parameters: 0, macs }] };
    },
  };
  const model = described(config, layer, modelPlace('vision'));
  const levelOf = Int32Array.from(levels.flatMap((cells, level) => Array<number>(cells).fill(level)));

  const readOut = (
    { head }: GlipParams,
    { regions: seen, words, read }: { regions: Tensor2D; words: Tensor2D; read: Tensor2D },
    observe: Observe | undefined,
  ): Regions => {
    const [batch, length] = read.shape;
    const directions = unitLength(words); // [B·T, D]
    const named = project(mul(directions, 0.5), head.words, 'words', observe); // [B·T, c]
    const prior = project(directions, head.prior, 'prior', observe); // [B·T, 1]
    observe?.('alignment', seen);
    const products = matMul<Tensor3D>(
      reshape(seen, [batch, regions, c]),
      reshape(named, [batch, length, c]),
      false,
      true,
    ); // [B, N, T]
    observe?.(resultOf('alignment'), reshape(products, [batch * regions, length]));
    const logits = add(div(products, exp(head.logScale)), reshape(prior, [batch, 1, length]));
    const scales = gatherRows(reshape(head.scales, [levels.length, 1]), tensor1d(levelOf, 'int32')); // [N, 1]
    const codes = reshape(project(seen, head.codes, 'codes', observe), [batch, regions, 4]);
    return {
      logits: reshape(logits, [batch * regions, length]),
      codes: reshape(mul(codes, scales), [batch * regions, 4]),
      centerness: project(seen, head.centerness, 'centerness', observe),
      read,
    };
  };

  return {
    ...model,
    readout: { projections: [], heads: ['neck', 'rounds', 'head'] },
    forward: (params, { images, tokens, ...hooks }) => {
      const { states } = vision.states(params.vision, images, hooksUnder(hooks, 'vision'));
      const patches = lastTokens(states, tokenCount(config.vision), patchCount(config.vision));
      const words = text.tokenStates(params.text, tokens, hooksUnder(hooks, 'text'));
      const read = text.readTokens(tokens);
      const maps = neck.run(params.neck, patches, observeUnder(hooks.observe, 'neck'));
      const both = { regions: joined(maps, levels), words, read };
      const fused = rounds.run(params.rounds, both, observeUnder(hooks.observe, 'rounds'));
      return readOut(params, { ...fused, read }, observeUnder(hooks.observe, 'head'));
    },
    shrink: (decision) => glip(shrunkConfig(config, model.sites, decision)),
  };
}

export const glipFamily = defineFamily<GlipConfig, Glip>({
  kind: 'glip',
  schema: glipSchema,
  build: glip,
  towers: ({ vision, text }) => ({ vision, text }),
  pictures: {
    positions: 'vision.positions',
    at: (config, imageSize) => ({ ...config, vision: { ...config.vision, imageSize } }),
  },
  summary: ({ vision, text, head }) =>
    [
      `GLIP of ${counted(head.rounds, 'round')} ${head.deepFusion ? 'with' : 'without'} deep fusion, width ${head.width}, ${head.levels === 'flat' ? 'one grid' : 'a pyramid of three grids'}`,
      `  vision: ${towerText(vision.tower)}; ${pictureText(vision)}`,
      `  text:   ${towerText(text.tower)}; ${textsText(text)}`,
    ].join('\n'),
});
