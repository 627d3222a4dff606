import {
  type Tensor,
  type Tensor4D,
  abs,
  add,
  max,
  sub,
  tensor,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type Logits,
  type Model,
  type RandomStream,
  type Site,
  type TensorTree,
  type VisionTransformerConfig,
  initialize,
  mapTree,
  pictureSizeOf,
  randomStream,
  sidesOf,
  sizeOf,
  tidyTree,
} from '../../src/index';

/** Epsilons of norms in use: of CLIP, of timm, of ViTs of Hugging Face. `roundingBound` says what may come of them. */
export const normEpsilon = fc.constantFrom(1e-5, 1e-6, 1e-12);

/** The tokens that vision transformers have beside the patches, and those that their heads read. */
const visionKinds: (Pick<
  VisionTransformerConfig,
  'distillation' | 'classToken' | 'registers' | 'positioned' | 'headInput' | 'normAfterMean'
> & { readonly isPooled?: true })[] = [
  { distillation: 'none', classToken: false, isPooled: true },
  { distillation: 'none', registers: 1, isPooled: true },
  { distillation: 'none' },
  { distillation: 'token' },
  { distillation: 'head' },
  { distillation: 'none', registers: 2 },
  { distillation: 'head', registers: 1, positioned: 'without-registers' },
  { distillation: 'none', registers: 1, positioned: 'patches' },
  { distillation: 'none', headInput: 'class-and-mean' },
  { distillation: 'token', registers: 2, positioned: 'without-registers', headInput: 'class-and-mean' },
  { distillation: 'none', classToken: false, headInput: 'mean' },
  { distillation: 'none', classToken: false, registers: 1, positioned: 'patches', headInput: 'mean' },
  { distillation: 'none', headInput: 'mean', normAfterMean: true },
];

const widths = fc.record({
  headDim: fc.integer({ min: 1, max: 6 }),
  hiddenDim: fc.integer({ min: 1, max: 12 }),
});

/** Small vision transformers of every kind; their layers differ in size, as after a cut. */
export const smallConfigs: fc.Arbitrary<VisionTransformerConfig> = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    columns: fc.integer({ min: 1, max: 3 }),
    patchSize: fc.integer({ min: 1, max: 3 }),
    channels: fc.integer({ min: 1, max: 3 }),
    classes: fc.integer({ min: 1, max: 4 }),
    kind: fc.constantFrom(...visionKinds),
    embeddingNorm: fc.boolean(),
    patchBias: fc.boolean(),
    inputBias: fc.boolean(),
    layerScale: fc.constantFrom(undefined, 0.5),
    embedDim: fc.integer({ min: 2, max: 9 }),
    heads: fc.integer({ min: 1, max: 3 }),
    denseHeadDim: fc.integer({ min: 4, max: 6 }),
    activation: fc.constantFrom('gelu', 'gelu-tanh', 'quick-gelu'),
    causal: fc.boolean(),
    normEpsilon,
    blocks: fc.array(widths, { minLength: 1, maxLength: 3 }),
    attentionPool: widths,
  })
  .map(({ rows, columns, patchSize, channels, classes, kind, embeddingNorm, patchBias, ...drawn }) => {
    const { inputBias, layerScale, attentionPool, ...tower } = drawn;
    const { isPooled = false, ...tokens } = kind;
    return {
      kind: 'vision-transformer',
      imageSize: pictureSizeOf({ height: rows * patchSize, width: columns * patchSize }),
      patchSize,
      channels,
      classes,
      ...tokens,
      ...(isPooled ? { attentionPool } : {}),
      embeddingNorm,
      patchBias,
      tower: {
        ...tower,
        ...(inputBias ? {} : { inputBias: false as const }),
        ...(layerScale === undefined ? {} : { layerScale }),
      },
    };
  });

export const seeds = fc.integer({ min: 0, max: 1_000_000 });

/** Parameters of which none is zero or one: biases and norms must take part in what is tested. */
export function perturbedParams<Params extends TensorTree>(
  model: Pick<Model<Params, never>, 'specs' | 'forward'>,
  seed: number,
): Params {
  return tidyTree(() => {
    const params = initialize<Params>(model.specs, seed);
    const random = randomStream(seed, 'perturbation');
    return mapTree(params, (leaf) => {
      const noise = Float32Array.from({ length: sizeOf(leaf) }, () => 0.3 * random.normal());
      return add(leaf, tensor(noise, leaf.shape));
    });
  });
}

export function randomImages(
  { imageSize, channels }: Pick<VisionTransformerConfig, 'imageSize' | 'channels'>,
  random: RandomStream,
  count = 3,
): Tensor4D {
  const { height, width } = sidesOf(imageSize);
  const size = count * height * width * channels;
  return tensor4d(
    Float32Array.from({ length: size }, () => random.normal()),
    [count, height, width, channels],
  );
}

/** Units to keep at every site, at least one. */
export function randomMasks(sites: readonly Site[], random: RandomStream): Record<string, number[]> {
  return Object.fromEntries(
    sites.map(({ id, units }) => {
      const survivor = random.integer(units);
      return [
        id,
        Array.from({ length: units }, (_, unit) => (unit === survivor || random.uniform() < 0.5 ? 1 : 0)),
      ];
    }),
  );
}

/** Largest |Δlogit| between two models on the same inputs. */
export function logitDifference(
  a: { model: Model<TensorTree, unknown, Logits>; params: TensorTree },
  b: { model: Model<TensorTree, unknown, Logits>; params: TensorTree },
  inputs: unknown,
): number {
  return tidy(() =>
    largestDifference(a.model.forward(a.params, inputs).logits, b.model.forward(b.params, inputs).logits),
  );
}

export function largestDifference(a: Tensor, b: Tensor): number {
  return tidy(() => max(abs(sub(a, b))).dataSync<'float32'>()[0] ?? Number.NaN);
}
