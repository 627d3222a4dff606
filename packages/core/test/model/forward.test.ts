import { type Tensor2D, add, mul, reshape, slice, tensor2d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type LinearParams,
  type VisionTowerParams,
  type VisionTransformerConfig,
  type VisionTransformerParams,
  familyOf,
  leadingTokens,
  linear,
  randomStream,
  visionTransformer,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { plainLayerNorm, plainLinear } from '../operations/plain';
import { plainPictureState, plainUnnormedStates, plainVisionStates, valuesOf } from './plain-towers';
import { logitDifference, perturbedParams, randomImages, seeds, smallConfigs } from './random-model';
import { roundingBound } from './rounding';

const readingTokens = smallConfigs.filter(
  ({ classToken, headInput, attentionPool }) =>
    classToken !== false && headInput === undefined && attentionPool === undefined,
);
const readingPool = smallConfigs.filter(({ attentionPool }) => attentionPool !== undefined);
const readingMean = smallConfigs.filter(({ headInput }) => headInput !== undefined);

const distilled: VisionTransformerConfig = {
  kind: 'vision-transformer',
  imageSize: 4,
  patchSize: 2,
  channels: 1,
  classes: 2,
  distillation: 'head',
  embeddingNorm: false,
  patchBias: true,
  tower: {
    embedDim: 8,
    heads: 2,
    denseHeadDim: 4,
    activation: 'gelu',
    causal: false,
    normEpsilon: 1e-6,
    blocks: [{ headDim: 4, hiddenDim: 6 }],
  },
};

describeOnEveryEngine('a vision transformer', () => {
  it('gives each picture its logits, whatever else is in the batch', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, (config, seed) => {
        tidy(() => {
          const model = visionTransformer(config);
          const params = perturbedParams(model, seed);
          const images = randomImages(config, randomStream(seed, 'pictures'));
          const together = model.forward(params, { images }).logits;
          expect(together.shape).toEqual([3, config.classes]);
          const [, height, width, channels] = images.shape;
          const second = slice(images, [1, 0, 0, 0], [1, height, width, channels]);
          const alone = model.forward(params, { images: second }).logits.dataSync();
          const expected = slice(together, [1, 0], [1, config.classes]).dataSync();
          const bound = roundingBound(params, (rounded) => model.forward(rounded, { images }).logits);
          alone.forEach((value, k) => {
            expect(Math.abs(value - (expected[k] ?? Number.NaN))).toBeLessThan(bound);
          });
        });
      }),
      { numRuns: 20 },
    );
  });

  it('classifies by the features of its leading tokens, though the last block leaves the others out', () => {
    fc.assert(
      fc.property(readingTokens, seeds, (config, seed) => {
        tidy(() => {
          const model = visionTransformer(config);
          const params = perturbedParams(model, seed);
          const images = randomImages(config, randomStream(seed, 'pictures'));
          const features = model.features(params, { images });
          const { embedDim: D } = config.tower;
          const logitsOf = (token: number, { weight, bias }: LinearParams) => {
            const state: Tensor2D = reshape(slice(features, [0, token, 0], [3, 1, D]), [3, D]);
            return linear(state, weight, bias);
          };
          const first = logitsOf(0, params.head);
          const { distillationHead } = params;
          const expected = distillationHead ? mul(add(first, logitsOf(1, distillationHead)), 0.5) : first;
          const logits = model.forward(params, { images }).logits.dataSync();
          const bound = roundingBound(params, (rounded) => model.forward(rounded, { images }).logits);
          expected.dataSync().forEach((value, k) => {
            expect(Math.abs(value - (logits[k] ?? Number.NaN))).toBeLessThan(bound);
          });
        });
      }),
      { numRuns: 20 },
    );
  });

  it('classifies by the mean of its patches, beside the class token or alone, normalised before or after', () => {
    fc.assert(
      fc.property(readingMean, seeds, (config, seed) => {
        tidy(() => {
          const model = visionTransformer(config);
          const params = perturbedParams(model, seed);
          const images = randomImages(config, randomStream(seed, 'pictures'), 1);
          const { embedDim: D, normEpsilon } = config.tower;
          const plain = valuesOf<VisionTransformerParams<number[], number[]>>(params);
          const pixels = [...images.dataSync()];
          const isLate = config.normAfterMean === true;
          const states = isLate
            ? plainUnnormedStates(config, plain, pixels)
            : plainVisionStates(config, plain, pixels);
          const patches = states.slice(leadingTokens(config) * D);
          const count = patches.length / D;
          const mean = Array.from({ length: D }, (_, d) =>
            patches.reduce((sum, value, i) => (i % D === d ? sum + value / count : sum), 0),
          );
          const pooled = isLate
            ? plainLayerNorm(1, D, normEpsilon)(mean, plain.norm.weight, plain.norm.bias)
            : mean;
          const read = config.headInput === 'mean' ? pooled : [...states.slice(0, D), ...pooled];
          const expected = plainLinear(1, read.length, config.classes)(
            read,
            plain.head.weight,
            plain.head.bias,
          );
          const logits = model.forward(params, { images }).logits.dataSync();
          const bound = roundingBound(params, (rounded) => model.forward(rounded, { images }).logits);
          expected.forEach((value, k) => {
            expect(Math.abs(value - (logits[k] ?? Number.NaN))).toBeLessThan(bound);
          });
        });
      }),
      { numRuns: 20 },
    );
  });

  it('classifies by what its attention pool makes of all tokens', () => {
    fc.assert(
      fc.property(readingPool, seeds, (config, seed) => {
        tidy(() => {
          const model = visionTransformer(config);
          const params = perturbedParams(model, seed);
          const images = randomImages(config, randomStream(seed, 'pictures'), 1);
          const plain = valuesOf<VisionTransformerParams<number[], number[]>>(params);
          const read = plainPictureState(config, plain, [...images.dataSync()]);
          const { weight, bias } = plain.head;
          const expected = plainLinear(1, read.length, config.classes)(read, weight, bias);
          const logits = model.forward(params, { images }).logits.dataSync();
          const bound = roundingBound(params, (rounded) => model.forward(rounded, { images }).logits);
          expected.forEach((value, k) => {
            expect(Math.abs(value - (logits[k] ?? Number.NaN))).toBeLessThan(bound);
          });
        });
      }),
      { numRuns: 20 },
    );
  });

  it.each<[string, Partial<VisionTransformerConfig>]>([
    ['no class token to read', { classToken: false }],
    [
      'a distillation token without a class token',
      { classToken: false, headInput: 'mean', distillation: 'token' },
    ],
    ['a pooled state and a mean', { attentionPool: { headDim: 4, hiddenDim: 6 }, headInput: 'mean' }],
    [
      'a pooled state and a distillation head',
      { attentionPool: { headDim: 4, hiddenDim: 6 }, distillation: 'head' },
    ],
    ['two heads and one mean', { distillation: 'head', headInput: 'mean' }],
    ['a norm after a mean that is not read', { normAfterMean: true }],
  ])('is refused with %s', (_, change) => {
    expect(() => visionTransformer({ ...distilled, distillation: 'none', ...change })).toThrow(RangeError);
    expect(
      familyOf({ kind: 'vision-transformer' }).schema.safeParse({
        ...distilled,
        distillation: 'none',
        ...change,
      }).success,
    ).toBe(false);
  });

  it('computes what its description says, with a norm before its blocks and without a bias of patches too', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, (config, seed) => {
        tidy(() => {
          const model = visionTransformer(config);
          const params = perturbedParams(model, seed);
          expect(params.embeddingNorm !== undefined).toBe(config.embeddingNorm);
          expect(params.patchEmbedding.bias !== undefined).toBe(config.patchBias);
          const images = randomImages(config, randomStream(seed, 'pictures'), 2);
          const plain = valuesOf<VisionTowerParams<number[], number[]>>(params);
          const pixels = [...images.dataSync()];
          const features = [...model.features(params, { images }).dataSync()];
          const expected = [0, 1].flatMap((picture) =>
            plainVisionStates(config, plain, pixels.slice((picture * pixels.length) / 2)),
          );
          expect(features).toHaveLength(expected.length);
          const bound = roundingBound(params, (rounded) => model.features(rounded, { images }));
          expected.forEach((value, i) => {
            expect(Math.abs(value - (features[i] ?? Number.NaN))).toBeLessThan(bound);
          });
        });
      }),
      { numRuns: 20 },
    );
  });

  it('normalises its features and keeps the attention scale after a cut', () => {
    const model = visionTransformer(distilled);
    const small = model.shrink({
      version: 1,
      sites: { 'blocks.0.attention': { kind: 'keep', kept: [1], units: 4 } },
    });
    expect(small.config.tower).toEqual({ ...distilled.tower, blocks: [{ headDim: 1, hiddenDim: 6 }] });
    tidy(() => {
      const params = perturbedParams(model, 3);
      const images = randomImages(distilled, randomStream(3, 'pictures'));
      const features = model.features(params, { images });
      expect(features.shape).toEqual([3, 6, 8]);
      const [weight, bias] = [params.norm.weight.dataSync(), params.norm.bias.dataSync()];
      const token = [...features.dataSync().slice(0, 8)];
      const normalized = token.map((value, i) => (value - (bias[i] ?? 0)) / (weight[i] ?? 0));
      expect(normalized.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 3);
      expect(normalized.reduce((sum, value) => sum + value * value, 0) / 8).toBeCloseTo(1, 3);
    });
  });

  it('reads patches in row, column, channel order', () => {
    tidy(() => {
      const model = visionTransformer({ ...distilled, distillation: 'none' });
      const params = perturbedParams(model, 1);
      // Only the pixel at row 1, column 0 of each patch is read: moving the others changes nothing.
      const size = 4 * model.config.tower.embedDim;
      const rows = Float32Array.from({ length: size }, (_, i) => (Math.floor(i / (size / 4)) === 2 ? 1 : 0));
      const weight = params.patchEmbedding.weight;
      const blind = {
        ...params,
        patchEmbedding: {
          ...params.patchEmbedding,
          weight: mul<Tensor2D>(weight, tensor2d(rows, weight.shape)),
        },
      };
      const pictures = (seen: number, unseen: number) =>
        tensor4d(
          Array.from({ length: 16 }, (_, i) =>
            Math.floor(i / 4) % 2 === 1 && i % 2 === 0 ? seen * (i + 1) : unseen * i,
          ),
          [1, 4, 4, 1],
        );
      const logits = (images: ReturnType<typeof pictures>) => [
        ...model.forward(blind, { images }).logits.dataSync(),
      ];
      expect(logits(pictures(1, 5))).toEqual(logits(pictures(1, -2)));
      expect(logits(pictures(2, 5))).not.toEqual(logits(pictures(1, 5)));
    });
  });

  it('averages the two heads of a distilled model', () => {
    fc.assert(
      fc.property(readingTokens, seeds, (drawn, seed) => {
        tidy(() => {
          const model = visionTransformer({ ...drawn, distillation: 'head' });
          const params = perturbedParams(model, seed);
          const images = randomImages(drawn, randomStream(seed, 'pictures'));
          const { head, distillationHead } = params;
          if (distillationHead === undefined) throw new Error('the model has no distillation head');
          const silent = {
            weight: mul(distillationHead.weight, 0),
            bias: mul(distillationHead.bias, 0),
          } as typeof head;
          const single = { ...params, distillationHead: silent };
          const doubled = { weight: mul(head.weight, 2), bias: mul(head.bias, 2) } as typeof head;
          // With one head silent and the other doubled, the mean is the first head alone: a model without the second.
          const token = visionTransformer({ ...drawn, distillation: 'token' });
          const tokenParams = { ...params };
          delete tokenParams.distillationHead;
          const difference = logitDifference(
            { model, params: { ...single, head: doubled } },
            { model: token, params: tokenParams },
            { images },
          );
          const bound = roundingBound(tokenParams, (rounded) => token.forward(rounded, { images }).logits);
          expect(difference).toBeLessThan(bound);
        });
      }),
      { numRuns: 15 },
    );
  });
});
