import { type Tensor1D, type Tensor2D, add, zeros } from '@tensorflow/tfjs-core';
import { type AttentionParams, attentionLayer, blockWidths } from './attention';
import { type FfnParams, feedForwardLayer } from './feed-forward';
import { type Layer, bare, placed, together } from './layer';
import { type LayerNormParams, normLayer } from './norm';
import { type Observe, observeUnder } from './observe';
import { type ParameterSpec, normal, undecayed } from './parameter';
import { residual } from './residual';
import type { CountedStates } from './token-merging';
import type { BlockShape, TowerConfig } from './tower';

export type AttentionPoolParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  probe: Matrix; // [1, D]
  attention: AttentionParams<Matrix, Vector>;
  norm: LayerNormParams<Vector>;
  ffn: FfnParams<Matrix, Vector>;
};

/** One learned token, the probe, that looks at all tokens of a sequence and stands for it. */
export interface AttentionPool extends Layer<AttentionPoolParams<ParameterSpec, ParameterSpec>> {
  /** States [B·T, D] → [B, D]; what was merged is looked at as often as it counts. */
  run(params: AttentionPoolParams, counted: CountedStates, observe?: Observe): Tensor2D;
}

/**
 * Multi-head attention pooling (Lee et al., 2019, Set Transformer, Section 3.2; Zhai et al., 2022, Scaling Vision
 * Transformers, Section 2.3): a = attention(probe, states), then a + ffn(norm a). Heads, activation and epsilon are the
 * tower's. It differs from a block in that nothing is normalised before the attention, and the probe is not added to it.
 * @param shape Its widths, which a cut makes smaller.
 * @param tokens T: tokens per sequence.
 */
export function attentionPool(
  { embedDim: D, heads, denseHeadDim, activation, normEpsilon }: TowerConfig,
  { hiddenDim, ...attended }: BlockShape,
  tokens: number,
): AttentionPool {
  const once = { uses: [{ tokens: 1 }] };
  const scale = 1 / Math.sqrt(denseHeadDim);
  const attention = attentionLayer({ embedDim: D, heads, scale, ...attended, widths: blockWidths });
  const ffn = feedForwardLayer({ embedDim: D, hiddenDim, activation });
  return {
    ...together({
      probe: bare(undecayed(normal([1, D], 0.02))),
      attention: placed({ uses: [{ tokens: 1, context: tokens }] }, attention),
      norm: placed(once, normLayer(D, normEpsilon)),
      ffn: placed(once, ffn),
    }),
    run: (params, { states, counts }, observe) => {
      const batch = states.shape[0] / tokens;
      const probes: Tensor2D = add(zeros([batch, D]), params.probe);
      const asking = {
        ...{ tokens: 1, context: { states, tokens }, counts },
        observe: observeUnder(observe, 'attention'),
      };
      const seen = attention.body(params.attention, asking).compute(probes); // [B, D]
      const network = ffn.body(params.ffn, observeUnder(observe, 'ffn'));
      return residual(seen, params.norm, network, { norm: 'before', normEpsilon });
    },
  };
}
