import { add, ones, tidy, zerosLike } from '@tensorflow/tfjs-core';
import {
  type DualEncoderConfig,
  type Model,
  type Optimizer,
  type TensorTree,
  type VisionTransformerConfig,
  adamw,
  clipText,
  constant,
  decaysOf,
  dualEncoder,
  entriesOf,
  initialize,
  mapTree,
  masked,
  sgd,
  tidyTree,
  visionTransformer,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const tower = {
  embedDim: 4,
  heads: 2,
  denseHeadDim: 2,
  causal: false,
  normEpsilon: 1e-6,
  activation: 'gelu',
  blocks: [{ headDim: 2, hiddenDim: 3 }],
} as const;
const vision = { imageSize: 4, patchSize: 2, channels: 3, embeddingNorm: false, patchBias: true, tower };
const deit: VisionTransformerConfig = {
  kind: 'vision-transformer',
  ...vision,
  classes: 2,
  distillation: 'head',
};
const text = { vocabulary: 5, context: 3, endToken: 4, tower: { ...tower, causal: true } };
const clip: DualEncoderConfig = {
  kind: 'dual-encoder',
  projectionDim: 2,
  vision: { ...vision, distillation: 'none' },
  text,
};

/** Parameters of a model that one step with weight decay moves, when there is no gradient. */
function decayed({ specs }: Pick<Model, 'specs'>, optimizer: Optimizer<TensorTree>): string[] {
  return tidyTree(() => {
    const params = mapTree(initialize<TensorTree>(specs, 1), (leaf) => add(leaf, 1));
    const gradients = mapTree(params, (leaf) => zerosLike(leaf));
    const updated = optimizer.update({ params, gradients, state: optimizer.init(params), step: 0 });
    const before = new Map(entriesOf(params).map(([path, leaf]) => [path, [...leaf.dataSync()]]));
    return entriesOf(updated.params).flatMap(([path, leaf]) =>
      leaf.dataSync().every((value, i) => value === before.get(path)?.[i]) ? [] : [path],
    );
  });
}

const block = (path: string) =>
  [
    'attention.query',
    'attention.key',
    'attention.value',
    'attention.output',
    'ffn.expand',
    'ffn.contract',
  ].map((part) => `${path}blocks.0.${part}.weight`);

describeOnEveryEngine('weight decay of a published recipe', () => {
  const recipe = { schedule: constant(0.1), weightDecay: 0.5 };
  const optimizers = ({ specs }: Pick<Model, 'specs'>): Record<string, Optimizer<TensorTree>> => ({
    adamw: adamw<TensorTree>({ ...recipe, decays: decaysOf(specs) }),
    sgd: sgd<TensorTree>({ ...recipe, decays: decaysOf(specs) }),
  });

  it.each(['adamw', 'sgd'])('spares tokens and positions of a DeiT, as timm does (%s)', (name) => {
    const expected = ['patchEmbedding.weight', ...block(''), 'head.weight', 'distillationHead.weight'];
    for (const model of [visionTransformer(deit), masked(visionTransformer(deit), {})]) {
      const optimizer = optimizers(model)[name];
      if (optimizer === undefined) throw new RangeError(name);
      expect(decayed(model, optimizer)).toEqual(expected);
    }
  });

  it("spares the class token alone of CLIP's matrices, as open_clip does", () => {
    const model = dualEncoder(clip);
    const expected = [
      'vision.patchEmbedding.weight',
      'vision.positions',
      ...block('vision.'),
      'text.tokenEmbedding',
      'text.positions',
      ...block('text.'),
      'visionProjection',
      'textProjection',
    ];
    expect(decayed(model, adamw({ ...recipe, decays: decaysOf(model.specs) }))).toEqual(expected);
    const alone = clipText({ kind: 'clip-text', projectionDim: 2, ...text });
    expect(decayed(alone, adamw({ ...recipe, decays: decaysOf(alone.specs) }))).toEqual([
      'tokenEmbedding',
      'positions',
      ...block(''),
      'projection',
    ]);
  });

  it('finds the model under a prefix, and treats what stands beside it by its axes', () => {
    tidy(() => {
      const decays = decaysOf(visionTransformer(deit).specs, 'weights.');
      const [matrix, vector] = [ones([2, 2]), ones([2])];
      expect(decays(matrix, 'weights.positions')).toBe(false);
      expect(decays(matrix, 'weights.head.weight')).toBe(true);
      expect(decays(matrix, 'beside.positions')).toBe(true);
      expect(decays(vector, 'masks.blocks.0.ffn')).toBe(false);
    });
  });
});
