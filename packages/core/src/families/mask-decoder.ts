import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  concat,
  matMul,
  reshape,
  zeros as zeroTensor,
} from '@tensorflow/tfjs-core';
import { type Layer, bare, placed, together } from '../layers/layer';
import { type LinearParams, linearLayer, project, projection } from '../layers/linear';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { enterUnder, observeUnder, resultOf } from '../layers/observe';
import { type ParameterSpec, normal, undecayed } from '../layers/parameter';
import { type BlockParams, type TowerConfig, firstTokens, lastTokens, tower } from '../layers/tower';
import { linear } from '../operations/linear';
import { unitLength } from '../operations/unit-length';
import { joinPath } from '../tree/path';
import type { Hooks } from './hooks';

export type MaskDecoderParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  input: LinearParams<Matrix, Vector>; // [D_v, D]
  tokens: Matrix; // [K, D]
  blocks: BlockParams<Matrix, Vector>[];
  norm: LayerNormParams<Vector>;
  patchProjection: Matrix; // [D, D]
  classProjection: Matrix; // [D, D]
  maskNorm: LayerNormParams<Vector>; // over classes, [K]
};

/** PyTorch's default, which Segmenter's code leaves for this norm. */
const MASK_EPSILON = 1e-5;

/** Says how well each patch fits each class. */
export interface MaskDecoder extends Layer<MaskDecoderParams<ParameterSpec, ParameterSpec>> {
  /** Patches [B·N, D_v] → [B·N, K]. */
  run(params: MaskDecoderParams, patches: Tensor2D, hooks?: Pick<Hooks, 'observe' | 'enter'>): Tensor2D;
}

/**
 * The mask transformer of Segmenter (Strudel et al., 2021, Section 3.2; rstrudel/segmenter, `MaskTransformer`): patches and class
 * tokens go through blocks together, and a mask is the product of both, each of length 1, normalised over the classes. No dropout.
 * @param inputDim D_v. @param patches N.
 */
export function maskDecoderLayer(
  config: TowerConfig,
  {
    inputDim,
    patches,
    classes,
  }: { readonly inputDim: number; readonly patches: number; readonly classes: number },
): MaskDecoder {
  const { embedDim: D, normEpsilon } = config;
  const blocks = tower(config);
  const tokens = patches + classes;
  const [all, ofPatches, ofClasses] = [tokens, patches, classes].map((count) => ({
    uses: [{ tokens: count }],
  }));
  if (all === undefined || ofPatches === undefined || ofClasses === undefined)
    throw new RangeError('expected three uses');
  const layer = together({
    input: placed(ofPatches, linearLayer(inputDim, D)),
    tokens: bare(undecayed(normal([classes, D], 0.02))),
    blocks: placed({ ...all, config: 'tower' }, blocks),
    norm: placed(all, normLayer(D, normEpsilon)),
    patchProjection: placed(ofPatches, projection(D, D, D ** -0.5)),
    classProjection: placed(ofClasses, projection(D, D, D ** -0.5)),
    maskNorm: placed(ofPatches, normLayer(classes, MASK_EPSILON)),
  });
  return {
    specs: layer.specs,
    describe: (place) => {
      const { sites, lines } = layer.describe(place);
      const macs = patches * classes * D;
      return { sites, lines: [...lines, { part: joinPath(place.path, 'masks'), parameters: 0, macs }] };
    },
    run: (params, shown, { observe, enter } = {}) => {
      const batch = shown.shape[0] / patches;
      const mapped: Tensor3D = reshape(project(shown, params.input, 'input', observe), [batch, patches, D]);
      const classTokens = add<Tensor3D>(zeroTensor([batch, classes, D]), params.tokens);
      const sequence: Tensor2D = reshape(concat([mapped, classTokens], 1), [batch * tokens, D]);
      const { states } = blocks.run(params.blocks, sequence, {
        tokens,
        observe: observeUnder(observe, 'blocks'),
        enter: enterUnder(enter, 'blocks'),
      });
      const normed = normalize(states, params.norm, normEpsilon);
      const seen = firstTokens(normed, tokens, patches);
      const named = lastTokens(normed, tokens, classes);
      observe?.('patchProjection', seen);
      const patchStates = unitLength(linear(seen, params.patchProjection)); // [B·N, D]
      observe?.('classProjection', named);
      const classStates = unitLength(linear(named, params.classProjection)); // [B·K, D]
      observe?.('masks', patchStates);
      const masks = matMul<Tensor3D>(
        reshape(patchStates, [batch, patches, D]),
        reshape(classStates, [batch, classes, D]),
        false,
        true,
      ); // [B, N, K]
      const fits: Tensor2D = reshape(masks, [batch * patches, classes]);
      observe?.(resultOf('masks'), fits);
      return normalize(fits, params.maskNorm, MASK_EPSILON);
    },
  };
}
