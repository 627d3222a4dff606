import { type Tensor1D, type Tensor2D, add, mul } from '@tensorflow/tfjs-core';
import { attention } from '../operations/attention';
import { joinPath } from '../tree/path';
import { type Layer, bare, placed, together } from './layer';
import { type LinearParams, linearLayer, project } from './linear';
import { type LayerNormParams, normLayer, normalize } from './norm';
import type { Observe } from './observe';
import { type ParameterSpec, constant } from './parameter';

export type DeepFusionParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  imageNorm: LayerNormParams<Vector>;
  textNorm: LayerNormParams<Vector>;
  imageQuery: LinearParams<Matrix, Vector>; // [c, E]
  textKey: LinearParams<Matrix, Vector>; // [D, E]
  imageValue: LinearParams<Matrix, Vector>; // [c, E]
  textValue: LinearParams<Matrix, Vector>; // [D, E]
  imageOutput: LinearParams<Matrix, Vector>; // [E, c]
  textOutput: LinearParams<Matrix, Vector>; // [E, D]
  imageScale: Vector; // [c]
  textScale: Vector; // [D]
};

export interface DeepFusionShape {
  /** c and D: widths of the regions and of the tokens. */
  readonly imageDim: number;
  readonly textDim: number;
  /** E: width of all heads together. */
  readonly innerDim: number;
  readonly heads: number;
  /** N and T of one example. */
  readonly regions: number;
  readonly tokens: number;
  /** The factor of the branches at first: 1 / rounds. */
  readonly scale: number;
}

/** Regions of pictures and tokens of texts, sequence by sequence. */
export interface RegionsAndTokens {
  readonly regions: Tensor2D; // [B·N, c]
  readonly words: Tensor2D; // [B·T, D]
  /** 1 where a token is read and 0 where it is padding, [B, T]. */
  readonly read: Tensor2D;
}

/** A layer in which regions and tokens look at each other at the same time. */
export interface DeepFusion extends Layer<DeepFusionParams<ParameterSpec, ParameterSpec>> {
  run(
    params: DeepFusionParams,
    both: RegionsAndTokens,
    observe?: Observe,
  ): Pick<RegionsAndTokens, 'regions' | 'words'>;
}

/** PyTorch's. */
const EPSILON = 1e-5;

/**
 * Deep fusion (Li et al., 2022, GLIP, Section 3.2; microsoft/GLIP, `BiAttentionBlock`): one table of scores says what regions hear from
 * tokens and what tokens hear from regions, and what a branch is added to is its normalised input. Each side computes the scores by
 * the engines' attention, and an observer is told by `attention` who asks; without dropout, and without the bounds of ±50,000, which float32 does not need. Nothing of it is cut.
 */
export function deepFusion(shape: DeepFusionShape): DeepFusion {
  const { imageDim, textDim, innerDim, heads, regions, tokens, scale } = shape;
  const [ofRegions, ofTokens] = [{ uses: [{ tokens: regions }] }, { uses: [{ tokens }] }];
  const layer = together({
    imageNorm: placed(ofRegions, normLayer(imageDim, EPSILON)),
    textNorm: placed(ofTokens, normLayer(textDim, EPSILON)),
    imageQuery: placed(ofRegions, linearLayer(imageDim, innerDim)),
    textKey: placed(ofTokens, linearLayer(textDim, innerDim)),
    imageValue: placed(ofRegions, linearLayer(imageDim, innerDim)),
    textValue: placed(ofTokens, linearLayer(textDim, innerDim)),
    imageOutput: placed(ofRegions, linearLayer(innerDim, imageDim)),
    textOutput: placed(ofTokens, linearLayer(innerDim, textDim)),
    imageScale: bare(constant([imageDim], scale)),
    textScale: bare(constant([textDim], scale)),
  });
  return {
    specs: layer.specs,
    describe: (place) => {
      const { sites, lines } = layer.describe(place);
      const macs = 4 * regions * tokens * innerDim; // scores and sums, from both sides
      return { sites, lines: [...lines, { part: joinPath(place.path, 'attention'), parameters: 0, macs }] };
    },
    run: (params, both, observe) => {
      const [batch, length] = both.read.shape;
      const count = both.regions.shape[0] / batch;
      const shown = normalize(both.regions, params.imageNorm, EPSILON);
      const told = normalize(both.words, params.textNorm, EPSILON);
      const query = project(shown, params.imageQuery, 'imageQuery', observe); // [B·N, E]
      const key = project(told, params.textKey, 'textKey', observe); // [B·T, E]
      const common = { batch, heads, scale: 1 / Math.sqrt(innerDim / heads), causal: false };
      const textValue = project(told, params.textValue, 'textValue', observe);
      const imageValue = project(shown, params.imageValue, 'imageValue', observe);
      const hearing = { ...common, tokens: count, context: length, counts: both.read };
      observe?.('attention', query);
      const heard = attention(query, key, textValue, hearing); // [B·N, E]
      observe?.('attention', key);
      const seen = attention(key, query, imageValue, { ...common, tokens: length, context: count }); // [B·T, E]
      const toRegions = project(heard, params.imageOutput, 'imageOutput', observe);
      const toWords = project(seen, params.textOutput, 'textOutput', observe);
      return {
        regions: add(shown, mul(toRegions, params.imageScale)),
        words: add(told, mul(toWords, params.textScale)),
      };
    },
  };
}
