import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  concat,
  relu,
  reshape,
  slice,
} from '@tensorflow/tfjs-core';
import { convolutionLayer, convolve } from '../layers/convolution';
import {
  type DeepFusion,
  type DeepFusionParams,
  type RegionsAndTokens,
  deepFusion,
} from '../layers/deep-fusion';
import { groupNorm } from '../layers/group-norm';
import { type Layer, placed, stack, together, uncut } from '../layers/layer';
import type { ProjectionParams } from '../layers/linear';
import { type LayerNormParams, normLayer } from '../layers/norm';
import { type Observe, observeUnder } from '../layers/observe';
import type { ParameterSpec } from '../layers/parameter';
import { type BlockParams, tower } from '../layers/tower';
import { type DetectionLevel, type GlipConfig, levelsOf } from './glip-config';

type RoundParams<Matrix, Vector> = {
  fusion?: DeepFusionParams<Matrix, Vector>;
  text?: BlockParams<Matrix, Vector>[]; // one
  convolution: ProjectionParams<Matrix, Vector>; // [9·c, c], of all levels
  norm: LayerNormParams<Vector>; // [c]
};

export type GlipRoundsParams<Matrix = Tensor2D, Vector = Tensor1D> = RoundParams<Matrix, Vector>[];

/** Rounds in which regions and words hear of each other, and then among themselves. */
export interface GlipRounds extends Layer<GlipRoundsParams<ParameterSpec, ParameterSpec>> {
  run(
    params: GlipRoundsParams,
    both: RegionsAndTokens,
    observe?: Observe,
  ): Pick<RegionsAndTokens, 'regions' | 'words'>;
}

/**
 * The head of GLIP (Li et al., 2022, Section 3.2) with plain convolutions in the place of dynamic ones: in each round deep fusion, a
 * layer of the text tower's kind that looks both ways, and a convolution of 3×3 with group norm and ReLU, which all levels share.
 */
export function glipRounds(config: GlipConfig): GlipRounds {
  const { width, rounds, groups, heads, fusionDim } = config.head;
  const { embedDim, denseHeadDim, heads: textHeads, activation, normEpsilon } = config.text.tower;
  const levels = levelsOf(config);
  const cellsOf = ({ rows, columns }: DetectionLevel): number => rows * columns;
  const regions = levels.reduce((sum, level) => sum + cellsOf(level), 0);
  const tokens = config.text.context;
  const fusion: DeepFusion | undefined = config.head.deepFusion
    ? deepFusion({
        ...{ imageDim: width, textDim: embedDim, innerDim: fusionDim, heads },
        ...{ regions, tokens, scale: 1 / rounds },
      })
    : undefined;
  const text = tower({
    ...{ embedDim, heads: textHeads, denseHeadDim, activation, normEpsilon, causal: false },
    blocks: [{ headDim: denseHeadDim, hiddenDim: 4 * embedDim }],
  });
  const ofLevels = { uses: levels.map((level) => ({ tokens: cellsOf(level) })) };
  const round = together({
    ...(fusion === undefined ? {} : { fusion, text: placed({ uses: [{ tokens }] }, uncut(text)) }),
    convolution: placed(ofLevels, convolutionLayer(width, width, true)),
    norm: placed(ofLevels, normLayer(width, normEpsilon)),
  });
  const all = Array.from({ length: rounds }, () => round);

  const convolved = (params: RoundParams<Tensor2D, Tensor1D>, x: Tensor2D, observe?: Observe): Tensor2D => {
    let first = 0;
    const own = levels.map((level) => {
      const cells = cellsOf(level);
      const map = tokensFrom(x, regions, first, cells);
      first += cells;
      const mixed = convolve(map, params.convolution, [level.rows, level.columns], 'convolution', observe);
      return relu(groupNorm(mixed, params.norm, { cells, groups }));
    });
    return joined(own, levels.map(cellsOf));
  };

  return {
    ...stack(all, 'rounds'),
    run: (params, both, observe) =>
      params.reduce<Pick<RegionsAndTokens, 'regions' | 'words'>>((before, own, index) => {
        const seen = observeUnder(observe, String(index));
        const { read } = both;
        if (fusion === undefined)
          return { regions: convolved(own, before.regions, seen), words: before.words };
        if (own.fusion === undefined || own.text === undefined)
          throw new RangeError(`there are no parameters for the fusion of round ${index}`);
        const fused = fusion.run(own.fusion, { ...before, read }, observeUnder(seen, 'fusion'));
        const { states } = text.run(own.text, fused.words, {
          tokens: read.shape[1],
          counts: read,
          observe: observeUnder(seen, 'text'),
        });
        return { regions: convolved(own, fused.regions, seen), words: states };
      }, both),
  };
}

/** So many tokens of each sequence from one on: [B·T, D] → [B·R, D]. */
function tokensFrom(x: Tensor2D, tokens: number, first: number, count: number): Tensor2D {
  if (count === tokens) return x;
  const [rows, D] = x.shape;
  const batch = rows / tokens;
  const perSequence: Tensor3D = reshape(x, [batch, tokens, D]);
  return reshape(slice(perSequence, [0, first, 0], [batch, count, D]), [batch * count, D]);
}

/** Sequences one behind the other, example by example: [B·Nᵢ, D] each → [B·N, D]. */
export function joined(parts: readonly Tensor2D[], counts: readonly number[]): Tensor2D {
  const [first] = parts;
  if (first === undefined) throw new RangeError('expected sequences');
  if (parts.length === 1) return first;
  const D = first.shape[1];
  const batch = first.shape[0] / (counts[0] ?? 1);
  const perSequence = parts.map((part): Tensor3D => reshape(part, [batch, part.shape[0] / batch, D]));
  const whole = concat(perSequence, 1);
  return reshape(whole, [whole.shape[0] * whole.shape[1], D]);
}
