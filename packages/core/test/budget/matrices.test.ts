import { dualEncoder, visionTransformer } from '../../src/index';
import { prunableMatrices, weightCount } from '../../src/budget/matrices';

const tower = {
  embedDim: 12,
  heads: 3,
  denseHeadDim: 4,
  activation: 'gelu',
  causal: false,
  normEpsilon: 1e-6,
  blocks: [{ headDim: 4, hiddenDim: 20 }],
} as const;
const vision = {
  imageSize: 8,
  patchSize: 4,
  channels: 3,
  distillation: 'none',
  embeddingNorm: false,
  patchBias: true,
  tower,
} as const;

const partsOf = (matrices: ReturnType<typeof prunableMatrices>) =>
  matrices.map(({ parameter, tower, layer, part, shape }) => [
    parameter,
    tower,
    layer,
    part,
    shape.join('×'),
  ]);

it('the matrices of every layer can be pruned, and nothing else of a classifier', () => {
  const model = visionTransformer({ kind: 'vision-transformer', ...vision, classes: 3 });
  const matrices = prunableMatrices(model);
  expect(partsOf(matrices)).toEqual([
    ['blocks.0.attention.query.weight', 'vision', 0, 'query', '12×12'],
    ['blocks.0.attention.key.weight', 'vision', 0, 'key', '12×12'],
    ['blocks.0.attention.value.weight', 'vision', 0, 'value', '12×12'],
    ['blocks.0.attention.output.weight', 'vision', 0, 'output', '12×12'],
    ['blocks.0.ffn.expand.weight', 'vision', 0, 'expand', '12×20'],
    ['blocks.0.ffn.contract.weight', 'vision', 0, 'contract', '20×12'],
  ]);
  expect(weightCount(matrices)).toBe(4 * 144 + 2 * 240);
});

it('those of both towers of a dual encoder, and their projections', () => {
  const model = dualEncoder({
    kind: 'dual-encoder',
    projectionDim: 5,
    vision,
    text: { vocabulary: 9, context: 6, endToken: 8, tower: { ...tower, causal: true } },
  });
  const matrices = prunableMatrices(model);
  expect(matrices).toHaveLength(14);
  expect(partsOf(matrices).slice(-2)).toEqual([
    ['visionProjection', 'vision', undefined, 'projection', '12×5'],
    ['textProjection', 'text', undefined, 'projection', '12×5'],
  ]);
  expect(new Set(matrices.map(({ parameter }) => parameter)).size).toBe(14);
});
