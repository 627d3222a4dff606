import {
  type Scalar,
  type Tensor,
  memory,
  mul,
  scalar,
  sum,
  tensor,
  tidy,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type ImageInputs,
  type KeptEntries,
  type Logits,
  type Optimizer,
  type ParameterMasks,
  type TensorTree,
  type VisionTransformerConfig,
  type VisionTransformerParams,
  adamw,
  cloneTree,
  constant,
  disposeTree,
  entriesOf,
  entriesOfMask,
  leavesOf,
  mapTree,
  maskFrom,
  masked,
  maskedCount,
  prunableMatrices,
  randomStream,
  sgd,
  storedBytes,
  tidyTree,
  train,
  visionTransformer,
  withLeaves,
  zeroed,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { perturbedParams, randomImages, seeds, smallConfigs } from '../model/random-model';

/** Random masks for some of the matrices, at any sparsity; some of them whole or empty. */
function randomMasksOf(config: VisionTransformerConfig, seed: number): ParameterMasks {
  const random = randomStream(seed, 'weights');
  return Object.fromEntries(
    prunableMatrices(visionTransformer(config)).flatMap(({ parameter, shape: [rows, columns] }) => {
      const keep = 1.4 * random.uniform() - 0.2;
      if (random.integer(4) === 0) return [];
      const kept = Array.from({ length: rows * columns }, () => (random.uniform() < keep ? 1 : 0));
      return [[parameter, maskFrom(kept, [rows, columns])]];
    }),
  );
}

const bitsOf = (leaf: Tensor): Uint32Array =>
  new Uint32Array(Float32Array.from(leaf.dataSync<'float32'>()).buffer);

const keptOf = (masks: ParameterMasks): KeptEntries =>
  Object.fromEntries(Object.entries(masks).map(([path, mask]) => [path, entriesOfMask(mask)]));

describeOnEveryEngine('a model with masked weights', () => {
  it('says what the dense model says of masked weights, whatever stands where they are gone', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, (config, seed) => {
        tidy(() => {
          const inner = visionTransformer(config);
          const masks = randomMasksOf(config, seed);
          const kept = keptOf(masks);
          const params = perturbedParams(inner, seed);
          const inputs = { images: randomImages(config, randomStream(seed, 'images')) };
          const product = mapTree(params, (leaf, path) => {
            const entries = kept[path];
            return entries === undefined ? leaf : mul(leaf, tensor(Float32Array.from(entries), leaf.shape));
          });
          const expected = inner.forward(product, inputs).logits.dataSync();
          const model = masked(inner, masks);
          expect(model.forward(params, inputs).logits.dataSync()).toEqual(expected);
          const zeros = zeroed(params, masks);
          expect(model.forward(zeros, inputs).logits.dataSync()).toEqual(expected);
          expect(inner.forward(zeros, inputs).logits.dataSync()).toEqual(expected);
        });
      }),
      { numRuns: 25 },
    );
  });

  it('gets the gradient of the dense model, masked', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, (config, seed) => {
        tidy(() => {
          const inner = visionTransformer(config);
          const masks = randomMasksOf(config, seed);
          const kept = keptOf(masks);
          const params = zeroed(perturbedParams(inner, seed), masks);
          const inputs = { images: randomImages(config, randomStream(seed, 'images')) };
          const gradientsOf = (model: Pick<typeof inner, 'forward'>) =>
            withLeaves(
              params,
              valueAndGrads((...leaves: Tensor[]): Scalar =>
                sum(model.forward(withLeaves(params, leaves), inputs).logits),
              )(leavesOf(params)).grads,
            );
          const dense = new Map(entriesOf<Tensor>(gradientsOf(inner)));
          for (const [path, gradient] of entriesOf<Tensor>(gradientsOf(masked(inner, masks)))) {
            const expected = [...(dense.get(path)?.dataSync() ?? [])].map((value, i) =>
              kept[path]?.[i] === 0 ? 0 : value,
            );
            expect([...gradient.dataSync()].map((value) => value + 0)).toEqual(
              expected.map((value) => value + 0),
            );
          }
        });
      }),
      { numRuns: 25 },
    );
  });

  it('zeroes what is gone to +0 and leaves every other bit', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, (config, seed) => {
        tidy(() => {
          const masks = randomMasksOf(config, seed);
          const kept = keptOf(masks);
          const params = perturbedParams(visionTransformer(config), seed);
          const zeros = new Map(entriesOf<Tensor>(zeroed(params, masks)));
          for (const [path, leaf] of entriesOf<Tensor>(params)) {
            const before = bitsOf(leaf);
            const after = zeros.get(path);
            expect(after === undefined ? undefined : bitsOf(after)).toEqual(
              before.map((bits, i) => (kept[path]?.[i] === 0 ? 0 : bits)),
            );
          }
        });
      }),
      { numRuns: 25 },
    );
  });

  const schedule = constant(0.05);
  it.each<[string, Optimizer<VisionTransformerParams, TensorTree>]>([
    ['AdamW with weight decay', adamw<VisionTransformerParams>({ schedule, weightDecay: 0.1 })],
    [
      'momentum with weight decay',
      sgd<VisionTransformerParams>({ schedule, momentum: 0.9, weightDecay: 0.1 }),
    ],
    ['plain steps', sgd<VisionTransformerParams>({ schedule })],
  ])('keeps its zeros under %s, bit for bit, and moves the rest', async (_what, optimizer) => {
    const config: VisionTransformerConfig = {
      kind: 'vision-transformer',
      imageSize: 4,
      patchSize: 2,
      channels: 1,
      classes: 3,
      distillation: 'none',
      embeddingNorm: false,
      patchBias: true,
      tower: {
        embedDim: 6,
        heads: 2,
        denseHeadDim: 3,
        activation: 'gelu',
        causal: false,
        normEpsilon: 1e-6,
        blocks: [{ headDim: 3, hiddenDim: 8 }],
      },
    };
    const before = memory().numTensors;
    const inner = visionTransformer(config);
    const masks = Object.fromEntries(
      prunableMatrices(inner).map(({ parameter, shape: [rows, columns] }) => [
        parameter,
        maskFrom(
          Array.from({ length: rows * columns }, (_, i) => i % 3),
          [rows, columns],
        ),
      ]),
    );
    const model = masked(inner, masks);
    const params = tidyTree(() => zeroed(perturbedParams(inner, 1), masks));
    const start = cloneTree(params);
    const trained = await train<VisionTransformerParams, VisionTransformerParams, TensorTree, ImageInputs>({
      params,
      state: {},
      task: {
        name: 'none',
        metric: 'none',
        predict: (tree, inputs) => inner.forward(tree, inputs),
        loss: ({ logits }: Logits): Scalar => sum(mul(logits, logits)),
        divergence: () => scalar(0),
        distillation: () => scalar(0),
        scorer: () => ({ add: () => undefined, scores: () => ({}) }),
      },
      objective: (tree) => ({ params: tree }),
      reparametrisation: model.running.reparametrisation,
      optimizer,
      batches: {
        batchSize: 2,
        stepsPerEpoch: 6,
        at: () => Promise.resolve({ images: images }),
      },
      steps: 6,
    });
    const kept = keptOf(masks);
    const first = new Map(entriesOf<Tensor>(start));
    for (const [path, leaf] of entriesOf<Tensor>(trained.params)) {
      const entries = kept[path];
      const old = first.get(path);
      if (entries === undefined || old === undefined) continue;
      const [bits, oldBits] = [bitsOf(leaf), bitsOf(old)];
      entries.forEach((entry, i) => {
        if (entry === 0) expect(bits[i]).toBe(0);
      });
      expect(bits).not.toEqual(oldBits);
    }
    disposeTree([params, start, trained.params]);
    expect(memory().numTensors).toBe(before);
  });

  let images: ImageInputs['images'];
  beforeEach(() => {
    images = tensor(
      Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      [2, 4, 4, 1],
    );
  });
  afterEach(() => images.dispose());
});

describe('the account of masked weights', () => {
  it('counts what is left as parameters and the dense products as MACs, part by part', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, (config, seed) => {
        const inner = visionTransformer(config);
        const masks = randomMasksOf(config, seed);
        const { account } = masked(inner, masks);
        expect(account.parameters).toBe(inner.account.parameters - maskedCount(masks));
        expect(account.macs).toBe(inner.account.macs);
        account.lines.forEach((line, index) => {
          const own = Object.entries(masks).filter(([path]) => path.startsWith(`${line.part}.`));
          const dense = inner.account.lines[index];
          expect(line).toEqual({
            ...dense,
            parameters: (dense?.parameters ?? 0) - maskedCount(Object.fromEntries(own)),
          });
        });
      }),
    );
  });

  it('counts bytes as worked out by hand', () => {
    const specs = { a: { shape: [8, 8] }, b: { shape: [8, 8] }, c: { shape: [3] } };
    const one = maskFrom(
      Array.from({ length: 64 }, (_, i) => (i === 5 ? 1 : 0)),
      [8, 8],
    );
    const half = maskFrom(
      Array.from({ length: 64 }, (_, i) => i % 2),
      [8, 8],
    );
    // One index and one value; two words of bits and 32 values; three values.
    expect(
      storedBytes({
        config: { kind: 'masked', model: undefined as never, masks: { a: one, b: half } },
        specs: specs as never,
      }),
    ).toBe(4 * (1 + 1 + 2 + 32 + 3));
  });
});

describe('a model with masked weights', () => {
  const config = fc.sample(smallConfigs, { seed: 1, numRuns: 1 })[0];
  if (config === undefined) throw new Error('no model was drawn');
  const inner = visionTransformer(config);

  it('cannot be masked again, or cut', () => {
    const model = masked(inner, {});
    expect(() => masked(model, {})).toThrow(/without masks of its own/);
    expect(() => model.shrink({ version: 1, sites: {} })).toThrow(/start from the dense model/);
    expect(prunableMatrices(model)).toEqual([]);
  });

  it('refuses masks of what it does not have', () => {
    expect(() => masked(inner, { none: maskFrom([1], [1]) })).toThrow(/none, which the model does not have/);
  });
});
