import {
  type Decision,
  type DenseConfig,
  type Hooks,
  type Model,
  type ParameterSpec,
  attentionLayer,
  bare,
  defineFamily,
  described,
  feedForwardLayer,
  gatherRows,
  linearLayer,
  modelPlace,
  normLayer,
  normalSpec,
  observeCounting,
  observeUnder,
  placed,
  project,
  residual,
  shrunkConfig,
  together,
} from '@winnow/core';
import {
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  add,
  cast,
  equal,
  range,
  reshape,
  sub,
  transpose,
} from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { toyShape } from '../data/toy-data';
import { toyTextShape } from '../data/toy-pairs';

const count = z.int().positive();
const schema = z.strictObject({
  kind: z.literal('cross-encoder'),
  /** D_v: width of the patches. */
  patchDim: count,
  patchSize: count,
  /** D: width of the words. */
  embedDim: count,
  heads: count,
  denseHeadDim: count,
  self: z.strictObject({ headDim: count }),
  cross: z.strictObject({ headDim: count }),
  ffn: z.strictObject({ hiddenDim: count }),
});
export type CrossEncoderConfig = z.output<typeof schema> & DenseConfig;

/** Pictures [B, S, S, C] and texts [B, T], int32; after its end token a text is padded. */
export interface CrossEncoderInputs extends Hooks {
  readonly images: Tensor4D;
  readonly tokens: Tensor2D;
}

const EPSILON = 1e-6;
const after = { norm: 'after', normEpsilon: EPSILON } as const;

/** Token index of padding: the one after the end token. */
export const padding = toyTextShape.endToken + 1;
const vocabulary = padding + 1;
const { context } = toyTextShape;

/**
 * A family that knows all that a vision transformer does not: words look at patches of another width, padding is hidden,
 * norms stand after their layers as in BERT, and one cross-attention is run twice with the same parameters. It exists to
 * prove that a family is one file.
 */
export function crossEncoder(config: CrossEncoderConfig) {
  const { patchDim, patchSize, embedDim: D, heads } = config;
  const { imageSize, channels, classes } = toyShape;
  const grid = imageSize / patchSize;
  const patches = grid * grid;
  const pixels = patchSize * patchSize * channels;
  const scale = config.denseHeadDim ** -0.5;
  const words = { uses: [{ tokens: context }] };
  const looking = { tokens: context, context: patches };

  const self = attentionLayer({ embedDim: D, heads, scale, ...config.self });
  const cross = attentionLayer({ embedDim: D, contextDim: patchDim, heads, scale, ...config.cross });
  const ffn = feedForwardLayer({ embedDim: D, activation: 'gelu', ...config.ffn });
  const norm = placed(words, normLayer(D, EPSILON));
  const layer = together({
    patchEmbedding: placed({ uses: [{ tokens: patches }] }, linearLayer(pixels, patchDim)),
    tokenEmbedding: bare(normalSpec([vocabulary, D], 0.2)),
    positions: bare(normalSpec([context, D], 0.2)),
    self: placed({ ...words, config: 'self' }, self),
    selfNorm: norm,
    cross: placed({ uses: [looking, looking], config: 'cross' }, cross),
    crossNorm: placed({ uses: [...words.uses, ...words.uses] }, normLayer(D, EPSILON)),
    ffn: placed({ ...words, config: 'ffn' }, ffn),
    ffnNorm: norm,
    head: placed({ uses: [{ tokens: 1 }] }, linearLayer(D, classes)),
  });
  const model = described(config, layer, modelPlace('text'));

  type Params = ParamsOf<typeof layer.specs>;
  const forward = (params: Params, { images, tokens, ...hooks }: CrossEncoderInputs) => {
    const [batch, length] = tokens.shape;
    const rows = reshape(images, [batch, grid, patchSize, grid, patchSize * channels]);
    const flat: Tensor2D = reshape(transpose(rows, [0, 1, 3, 2, 4]), [batch * patches, pixels]);
    const context = {
      states: project(flat, params.patchEmbedding, 'patchEmbedding', hooks.observe),
      tokens: patches,
    };
    const counts = sub<Tensor2D>(1, cast(equal(tokens, padding), 'float32')); // [B, T]
    const observing = observeCounting(hooks.observe, () => counts);
    const under = (key: string) => observeUnder(observing, key);

    const positions = gatherRows(params.positions, range(0, length, 1, 'int32'));
    const embedded = reshape(gatherRows(params.tokenEmbedding, reshape(tokens, [batch * length])), [
      batch,
      length,
      D,
    ]);
    const x: Tensor2D = reshape(add(embedded, positions), [batch * length, D]);
    const read = residual(
      x,
      params.selfNorm,
      self.body(params.self, { tokens: length, counts, observe: under('self') }),
      after,
    );
    const asking = { tokens: length, context };
    const look = (states: Tensor2D) =>
      residual(
        states,
        params.crossNorm,
        cross.body(params.cross, { ...asking, observe: under('cross') }),
        after,
      );
    const seen = look(look(read));
    const states = residual(seen, params.ffnNorm, ffn.body(params.ffn, under('ffn')), after);
    const firsts = gatherRows(states, range(0, batch * length, length, 'int32')); // [B, D]
    return { logits: project(firsts, params.head, 'head', hooks.observe), states: firsts };
  };

  const whole: Model<Params, CrossEncoderInputs> = {
    ...model,
    readout: { projections: [], heads: ['head'] },
    forward,
    shrink: (decision: Decision) => crossEncoder(shrunkConfig(config, model.sites, decision)),
  };
  return whole;
}

/** Tensors where specifications stand: a matrix, or a vector where a weight or a bias of a norm is meant. */
type ParamsOf<Specs> = Specs extends ParameterSpec
  ? Tensor2D
  : {
      [Key in keyof Specs]: Key extends 'bias' | `${string}Norm`
        ? VectorsOf<Specs[Key]>
        : ParamsOf<Specs[Key]>;
    };
type VectorsOf<Specs> = Specs extends ParameterSpec ? Tensor1D : { [Key in keyof Specs]: Tensor1D };

export const crossEncoderFamily = defineFamily<CrossEncoderConfig, Model>({
  kind: 'cross-encoder',
  schema,
  build: crossEncoder,
  towers: () => ({}),
  classes: () => toyShape.classes,
  summary: ({ embedDim, patchDim }) =>
    `Cross encoder of words of width ${embedDim} and patches of ${patchDim}`,
});
