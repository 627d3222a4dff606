import { type Tensor1D, type Tensor2D, type Tensor3D, add, relu, reshape } from '@tensorflow/tfjs-core';
import { attention } from '../operations/attention';
import { type AttentionParams, attentionLayer } from './attention';
import type { FfnParams } from './feed-forward';
import { type Layer, placed, together, uncut } from './layer';
import { linearLayer, project } from './linear';
import { type LayerNormParams, normLayer, normalize } from './norm';
import { type Observe, observeUnder } from './observe';
import type { ParameterSpec } from './parameter';

/** Sizes of the layers that read pictures and texts together. */
export interface FusionShape {
  /** d: width of all tokens. */
  readonly width: number;
  readonly heads: number;
  readonly hiddenDim: number;
}

export type EncoderLayerParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  attention: AttentionParams<Matrix, Vector>;
  attentionNorm: LayerNormParams<Vector>;
  ffn: FfnParams<Matrix, Vector>;
  ffnNorm: LayerNormParams<Vector>;
};

export type DecoderLayerParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  self: AttentionParams<Matrix, Vector>;
  selfNorm: LayerNormParams<Vector>;
  cross: AttentionParams<Matrix, Vector>;
  crossNorm: LayerNormParams<Vector>;
  ffn: FfnParams<Matrix, Vector>;
  ffnNorm: LayerNormParams<Vector>;
};

/** Tokens with the places that their queries and keys, but not their values, are told. */
export interface PlacedTokens {
  /** [B·T, d] */
  readonly states: Tensor2D;
  /** [T, d], the same in every sequence. */
  readonly positions: Tensor2D;
  /** T */
  readonly tokens: number;
  /** [B, T], 1 where a token may be looked at and 0 where it may not; without it all may. */
  readonly counts?: Tensor2D;
}

/** The epsilon of PyTorch's layer norm. */
export const FUSION_EPSILON = 1e-5;

const attentionOf = ({ width, heads }: FusionShape) =>
  uncut(attentionLayer({ embedDim: width, heads, headDim: width / heads, scale: scaleOf({ width, heads }) }));
const ffnOf = ({ width, hiddenDim }: FusionShape) =>
  together({ expand: linearLayer(width, hiddenDim), contract: linearLayer(hiddenDim, width) });
const scaleOf = ({ width, heads }: Pick<FusionShape, 'width' | 'heads'>): number =>
  1 / Math.sqrt(width / heads);

function look(
  params: AttentionParams,
  asking: PlacedTokens,
  seen: PlacedTokens,
  { width, heads }: FusionShape,
  observe: Observe | undefined,
): Tensor2D {
  const { tokens } = asking;
  const batch = asking.states.shape[0] / tokens;
  const { counts } = seen;
  const heard = attention(
    project(atPlaces(asking), params.query, 'query', observe),
    project(atPlaces(seen), params.key, 'key', observe),
    project(seen.states, params.value, 'value', observe),
    {
      batch,
      tokens,
      heads,
      scale: scaleOf({ width, heads }),
      causal: false,
      ...(seen === asking ? {} : { context: seen.tokens }),
      ...(counts === undefined ? {} : { counts }),
    },
  );
  return project(heard, params.output, 'output', observe);
}

/** [B·T, d] with the position of each token added. */
function atPlaces({ states, positions, tokens }: PlacedTokens): Tensor2D {
  const [rows, width] = states.shape;
  const sequences: Tensor3D = reshape(states, [rows / tokens, tokens, width]);
  return reshape(add(sequences, positions), [rows, width]);
}

const think = (params: FfnParams, x: Tensor2D, observe: Observe | undefined): Tensor2D =>
  project(relu(project(x, params.expand, 'expand', observe)), params.contract, 'contract', observe);

const after = (x: Tensor2D, y: Tensor2D, norm: LayerNormParams): Tensor2D =>
  normalize(add(x, y), norm, FUSION_EPSILON);

/** A layer in which all tokens look at each other: x [B·T, d] → [B·T, d]. */
export interface FusionEncoderLayer extends Layer<EncoderLayerParams<ParameterSpec, ParameterSpec>> {
  run(params: EncoderLayerParams, tokens: PlacedTokens, observe?: Observe): Tensor2D;
}

/**
 * An encoder layer of DETR (Carion et al., 2020, Appendix A.3): norms after the residuals, positions added to queries and keys, ReLU.
 * No dropout. Nothing of it is cut.
 */
export function fusionEncoderLayer(shape: FusionShape): FusionEncoderLayer {
  const norm = normLayer(shape.width, FUSION_EPSILON);
  return {
    ...together({ attention: attentionOf(shape), attentionNorm: norm, ffn: ffnOf(shape), ffnNorm: norm }),
    run: (params, tokens, observe) => {
      const heard = look(params.attention, tokens, tokens, shape, observeUnder(observe, 'attention'));
      const x = after(tokens.states, heard, params.attentionNorm);
      return after(x, think(params.ffn, x, observeUnder(observe, 'ffn')), params.ffnNorm);
    },
  };
}

/** A layer in which queries look at each other, and at a memory: [B·Q, d] → [B·Q, d]. */
export interface FusionDecoderLayer extends Layer<DecoderLayerParams<ParameterSpec, ParameterSpec>> {
  run(params: DecoderLayerParams, queries: PlacedTokens, memory: PlacedTokens, observe?: Observe): Tensor2D;
}

/**
 * A decoder layer of DETR, as `fusionEncoderLayer`.
 * @param queries Q. @param memory Tokens of the memory.
 */
export function fusionDecoderLayer(shape: FusionShape, queries: number, memory: number): FusionDecoderLayer {
  const norm = normLayer(shape.width, FUSION_EPSILON);
  return {
    ...together({
      self: attentionOf(shape),
      selfNorm: norm,
      cross: placed({ uses: [{ tokens: queries, context: memory }] }, attentionOf(shape)),
      crossNorm: norm,
      ffn: ffnOf(shape),
      ffnNorm: norm,
    }),
    run: (params, queries, memory, observe) => {
      const own = look(params.self, queries, queries, shape, observeUnder(observe, 'self'));
      const x = after(queries.states, own, params.selfNorm);
      const asking = { ...queries, states: x };
      const y = after(
        x,
        look(params.cross, asking, memory, shape, observeUnder(observe, 'cross')),
        params.crossNorm,
      );
      return after(y, think(params.ffn, y, observeUnder(observe, 'ffn')), params.ffnNorm);
    },
  };
}
