import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { Activation } from '../operations/activation';
import { type AttentionParams, attentionLayer, blockWidths } from './attention';
import { type FfnParams, feedForwardLayer } from './feed-forward';
import { type Layer, placed, together } from './layer';
import { type LayerNormParams, normLayer } from './norm';
import { type Observe, observeUnder } from './observe';
import type { ParameterSpec } from './parameter';
import { residual } from './residual';
import type { BlockShape } from './tower';

export type BertLayerParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  attention: AttentionParams<Matrix, Vector>;
  attentionNorm: LayerNormParams<Vector>;
  ffn: FfnParams<Matrix, Vector>;
  ffnNorm: LayerNormParams<Vector>;
};

/** Sizes that all layers of a stack have. */
export interface BertOptions {
  /** D */
  readonly embedDim: number;
  readonly heads: number;
  /** Head dimension of the dense model, of which the attention scale is made. */
  readonly denseHeadDim: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
}

/** Tokens of sequences that look at each other. */
export interface BertPassage {
  /** T: tokens per sequence. */
  readonly tokens: number;
  /** [B, T], 0 for padding. */
  readonly counts?: Tensor2D | undefined;
  readonly observe?: Observe | undefined;
}

/** A layer of BERT: x [B·T, D] → [B·T, D]. */
export interface BertLayer extends Layer<BertLayerParams<ParameterSpec, ParameterSpec>> {
  run(params: BertLayerParams, x: Tensor2D, passage: BertPassage): Tensor2D;
}

const after = 'after' as const;

/** A layer of BERT (Devlin et al., 2019): attention and a feed-forward network, each with a norm behind its residual. No dropout. */
export function bertLayer(options: BertOptions, { hiddenDim, ...widths }: BlockShape): BertLayer {
  const { embedDim, heads, denseHeadDim, activation, normEpsilon } = options;
  const attention = attentionLayer({
    embedDim,
    scale: 1 / Math.sqrt(denseHeadDim),
    ...widths,
    heads: widths.heads ?? heads,
    widths: blockWidths,
  });
  const ffn = feedForwardLayer({ embedDim, hiddenDim, activation });
  const norm = normLayer(embedDim, normEpsilon);
  const placing = { norm: after, normEpsilon };
  return {
    ...together({ attention, attentionNorm: norm, ffn, ffnNorm: norm }),
    run: (params, x, { tokens, counts, observe }) => {
      const looking = attention.body(params.attention, {
        tokens,
        counts,
        observe: observeUnder(observe, 'attention'),
      });
      const heard = residual(x, params.attentionNorm, looking, placing);
      return residual(heard, params.ffnNorm, ffn.body(params.ffn, observeUnder(observe, 'ffn')), placing);
    },
  };
}

/**
 * Layers one after another: x [B·T, D] → [B·T, D]; they are observed by their numbers.
 * @throws {RangeError} when there are no parameters for one.
 */
export function throughLayers(
  layers: readonly BertLayer[],
  params: readonly BertLayerParams[],
  x: Tensor2D,
  { observe, ...passage }: BertPassage,
): Tensor2D {
  return layers.reduce((below, each, index) => {
    const own = params[index];
    if (own === undefined) throw new RangeError(`there are no parameters for layer ${index}`);
    return each.run(own, below, { ...passage, observe: observeUnder(observe, String(index)) });
  }, x);
}

/** Sizes of a layer in which two streams look at each other; a cut makes them smaller. */
export interface CrossModalShape {
  readonly cross: Pick<BlockShape, 'headDim' | 'queryKeyDim'>;
  readonly text: BlockShape;
  readonly vision: BlockShape;
}

export type CrossModalParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  cross: AttentionParams<Matrix, Vector>;
  crossNorm: LayerNormParams<Vector>;
  text: BertLayerParams<Matrix, Vector>;
  vision: BertLayerParams<Matrix, Vector>;
};

/** The states of a stream, and how its tokens stand. */
export interface StreamStates extends Omit<BertPassage, 'observe'> {
  readonly states: Tensor2D; // [B·T, D]
}

/** A layer in which words and regions look at each other: both streams → both streams. */
export interface CrossModalLayer extends Layer<CrossModalParams<ParameterSpec, ParameterSpec>> {
  run(
    params: CrossModalParams,
    streams: { readonly text: StreamStates; readonly vision: StreamStates },
    observe?: Observe,
  ): {
    readonly text: Tensor2D;
    readonly vision: Tensor2D;
  };
}

/**
 * A cross-modal layer of LXMERT (Tan and Bansal, 2019, Section 2.2; airsplay/lxmert, `LXRTXLayer`): one cross-attention, used in both
 * directions on the same states, then a layer of BERT for each stream.
 * @param tokens T: words. @param regions R.
 */
export function crossModalLayer(
  options: BertOptions,
  shape: CrossModalShape,
  { tokens, regions }: { readonly tokens: number; readonly regions: number },
): CrossModalLayer {
  const { embedDim, heads, denseHeadDim, normEpsilon } = options;
  const cross = attentionLayer({
    ...{ embedDim, heads, scale: 1 / Math.sqrt(denseHeadDim), ...shape.cross },
    widths: { headDim: 'cross.headDim', queryKeyDim: 'cross.queryKeyDim' },
  });
  const [text, vision] = [bertLayer(options, shape.text), bertLayer(options, shape.vision)];
  const both = {
    uses: [
      { tokens, context: regions },
      { tokens: regions, context: tokens },
    ],
  };
  const placing = { norm: after, normEpsilon };
  return {
    ...together({
      cross: placed(both, cross),
      crossNorm: placed({ uses: [{ tokens }, { tokens: regions }] }, normLayer(embedDim, normEpsilon)),
      text: placed({ uses: [{ tokens }], config: 'text' }, text),
      vision: placed({ uses: [{ tokens: regions }], config: 'vision' }, vision),
    }),
    run: (params, streams, observe) => {
      const look = (asking: StreamStates, seen: StreamStates): Tensor2D => {
        const body = cross.body(params.cross, {
          tokens: asking.tokens,
          context: { states: seen.states, tokens: seen.tokens },
          counts: seen.counts,
          observe: observeUnder(observe, 'cross'),
        });
        return residual(asking.states, params.crossNorm, body, placing);
      };
      // Both look before either goes on.
      const [told, shown] = [look(streams.text, streams.vision), look(streams.vision, streams.text)];
      return {
        text: text.run(params.text, told, { ...streams.text, observe: observeUnder(observe, 'text') }),
        vision: vision.run(params.vision, shown, {
          ...streams.vision,
          observe: observeUnder(observe, 'vision'),
        }),
      };
    },
  };
}
