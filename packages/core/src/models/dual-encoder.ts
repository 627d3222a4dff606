import {
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  add,
  exp,
  matMul,
  mul,
  rsqrt,
  square,
  sum,
} from '@tensorflow/tfjs-core';
import { accountOf } from '../account/account';
import { type Decision, sharesOf } from '../decision/decision';
import { UserError } from '../error/user-error';
import { linear } from '../operations/linear';
import { type Site, towerSites } from '../sites/site';
import { type ParameterSpec, constant, normal } from '../transformer/parameter';
import { type TextInputs, projectionLine } from './clip-text';
import type { Model } from './model';
import type { Perturb } from './perturbation';
import { shrunkTower } from './shrunk-tower';
import { type Ties, storedSpecs, tiedAccount, untie } from './ties';
import { type TextTowerParams, textStates, textTowerAccount, textTowerSpecs } from './text-tower';
import type { TextTowerConfig } from './text-tower-config';
import { type VisionTowerParams, visionStates, visionTowerAccount, visionTowerSpecs } from './vision-tower';
import { type VisionTowerConfig, tokenCount } from './vision-tower-config';
import type { ImageInputs } from './vision-transformer';

export interface DualEncoderConfig {
  readonly kind: 'dual-encoder';
  /** P: width of the embeddings that pictures and texts share. */
  readonly projectionDim: number;
  /** Without distillation tokens. */
  readonly vision: VisionTowerConfig;
  readonly text: TextTowerConfig;
  /** Columns that stand in several places and are stored once. */
  readonly ties?: Ties;
}

export type DualEncoderParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  vision: VisionTowerParams<Matrix, Vector>;
  text: TextTowerParams<Matrix, Vector>;
  visionProjection: Matrix; // [D, P]
  textProjection: Matrix; // [D, P]
  logitScale: Vector; // [1], the logarithm of 1/temperature
};

export type DualEncoderInputs = ImageInputs & TextInputs;

export interface DualEncoder extends Model<DualEncoderParams, DualEncoderInputs> {
  readonly config: DualEncoderConfig;
  readonly specs: DualEncoderParams<ParameterSpec, ParameterSpec>;
  /** Pictures [B, S, S, C] → embeddings of length 1, [B, P]. */
  embedImages(params: DualEncoderParams, images: Tensor4D, perturb?: Perturb): Tensor2D;
  /** Token sequences [B, T] → embeddings of length 1, [B, P]. */
  embedTexts(params: DualEncoderParams, tokens: Tensor2D, perturb?: Perturb): Tensor2D;
  shrink(decision: Decision): DualEncoder;
}

const START_TEMPERATURE = 0.07;

/**
 * A vision tower and a text tower into one space (CLIP: Radford et al., 2021, Figure 3): logits [N, M] are the scaled
 * cosines of N pictures and M texts; the prediction's `images` and `texts` are the embeddings. With ties its parameters
 * are what is stored: columns that others own are missing from its record.
 */
export function dualEncoder({ ties, ...config }: DualEncoderConfig): DualEncoder {
  const untied = untiedEncoder(config);
  return ties === undefined ? untied : tiedEncoder(untied, ties);
}

function tiedEncoder(untied: DualEncoder, ties: Ties): DualEncoder {
  const specs = storedSpecs(untied, ties);
  const whole = untie<DualEncoderParams>(untied, ties);
  return {
    config: { ...untied.config, ties },
    specs,
    sites: [],
    account: tiedAccount(untied.account, specs, ties),
    readout: { projections: [], heads: [] },
    embedImages: (params, images, perturb) => untied.embedImages(whole(params), images, perturb),
    embedTexts: (params, tokens, perturb) => untied.embedTexts(whole(params), tokens, perturb),
    forward: (params, inputs) => untied.forward(whole(params), inputs),
    executed: { model: untied, params: whole },
    shrink: () => {
      throw new UserError('a model whose columns are shared cannot be cut again: start from the dense one');
    },
  };
}

function untiedEncoder(config: DualEncoderConfig): DualEncoder {
  const { vision, text, projectionDim: P } = config;
  const sites = dualEncoderSites(config);
  const sitesOf = (tower: string) => sites.filter((site) => site.tower === tower);
  const embedImages = (params: DualEncoderParams, images: Tensor4D, perturb?: Perturb): Tensor2D =>
    unitLength(linear(visionStates(vision, params.vision, images, 1, perturb), params.visionProjection));
  const embedTexts = (params: DualEncoderParams, tokens: Tensor2D, perturb?: Perturb): Tensor2D =>
    unitLength(linear(textStates(text, params.text, tokens, perturb), params.textProjection));
  return {
    config,
    specs: {
      vision: visionTowerSpecs(vision),
      text: textTowerSpecs(text),
      visionProjection: normal([vision.tower.embedDim, P], vision.tower.embedDim ** -0.5),
      textProjection: normal([text.tower.embedDim, P], text.tower.embedDim ** -0.5),
      logitScale: constant([1], Math.log(1 / START_TEMPERATURE)),
    },
    sites,
    account: accountOf([
      ...visionTowerAccount(vision, 'vision.', 1),
      ...textTowerAccount(text, 'text.'),
      projectionLine('visionProjection', vision.tower.embedDim, P),
      projectionLine('textProjection', text.tower.embedDim, P),
      { part: 'logitScale', parameters: 1, macs: 0 },
    ]),
    readout: {
      projections: [
        { parameter: 'visionProjection', tower: 'vision' },
        { parameter: 'textProjection', tower: 'text' },
      ],
      heads: [],
    },
    embedImages,
    embedTexts,
    forward: (params, inputs) => {
      const images = embedImages(params, inputs.images, inputs.perturb);
      const texts = embedTexts(params, inputs.tokens, inputs.perturb);
      return { logits: similarity(images, texts, params.logitScale), images, texts };
    },
    shrink: (decision) => {
      const shares = sharesOf(decision);
      return dualEncoder({
        ...config,
        vision: { ...vision, tower: shrunkTower(vision.tower, sitesOf('vision'), decision) },
        text: { ...text, tower: shrunkTower(text.tower, sitesOf('text'), decision) },
        ...(shares.size === 0 ? {} : { ties: Object.fromEntries(shares) }),
      });
    },
  };
}

/** Embeddings of N pictures [N, P] and of M texts [M, P] → logits [N, M]. */
export function similarity(images: Tensor2D, texts: Tensor2D, logitScale: Tensor1D): Tensor2D {
  return mul(matMul(images, texts, false, true), exp(logitScale));
}

/** [N, P] → [N, P], rows of length 1. */
function unitLength(x: Tensor2D): Tensor2D {
  return mul(x, rsqrt(add(sum(square(x), 1, true), 1e-12)));
}

function dualEncoderSites({ vision, text }: DualEncoderConfig): Site[] {
  return [
    ...towerSites(vision.tower, { tower: 'vision', path: 'vision.blocks', tokens: tokenCount(vision) }),
    ...towerSites(text.tower, { tower: 'text', path: 'text.blocks', tokens: text.context }),
  ];
}
