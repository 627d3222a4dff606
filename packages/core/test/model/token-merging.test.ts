import { type Tensor, grads, tensor4d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type Merge,
  type VisionTransformerConfig,
  entriesOf,
  familyOf,
  mapTree,
  mergePlan,
  pictureSizeOf,
  randomStream,
  tokensLeft,
  visionTransformer,
  visionTransformerConfig,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { perturbedParams, randomImages, seeds } from './random-model';
import { roundingBound } from './rounding';

const deit = (preset: 'tiny' | 'small', perBlock?: number): VisionTransformerConfig => ({
  ...visionTransformerConfig(preset, { imageSize: 224, patchSize: 16, classes: 1000 }),
  ...(perBlock === undefined ? {} : { merging: { perBlock } }),
});

describe('the account of a DeiT that merges tokens', () => {
  // Published counters charge no norms.
  it.each([
    ['small', undefined, 4_598_882_304],
    ['small', 8, 3_416_457_216],
    ['small', 13, 2_702_701_056],
    ['small', 16, 2_290_851_840],
    ['tiny', 8, 924_352_512],
    ['tiny', 12, 769_013_760],
    ['tiny', 16, 621_662_208],
  ] as const)('is that of its tokens: %s, %s in every block', (preset, perBlock, macs) => {
    const { account } = visionTransformer(deit(preset, perBlock));
    const norms = account.lines.filter(({ part }) => part.toLowerCase().endsWith('norm'));
    expect(account.macs - norms.reduce((sum, line) => sum + line.macs, 0)).toBe(macs);
    expect(account.parameters).toBe(22_050_664 - (preset === 'small' ? 0 : 16_333_248));
  });

  it('counts the units of its sites by the tokens that come to them', () => {
    const [dense, merging] = [visionTransformer(deit('small')), visionTransformer(deit('small', 16))];
    const cost = (model: typeof dense, id: string) =>
      model.sites.find((site) => site.id === id)?.unitCost.macs ?? Number.NaN;
    expect(cost(merging, 'blocks.0.attention')).toBe(cost(dense, 'blocks.0.attention'));
    expect(cost(merging, 'blocks.0.ffn')).toBe((cost(dense, 'blocks.0.ffn') * 181) / 197);
    expect(cost(merging, 'blocks.11.ffn')).toBe((cost(dense, 'blocks.11.ffn') * 11) / 197);
  });
});

describe('tokens that are left', () => {
  const deit12 = { blocks: 12, tokens: 197, leading: 1 };
  it.each([
    [8, 101],
    [13, 41],
    [16, 11],
  ])('are never fewer than half of those that may be merged: %s in every block', (perBlock, last) => {
    expect(tokensLeft({ perBlock }, deit12).at(-1)).toBe(last);
  });

  it('fall faster first with a decreasing schedule, as in the published code', () => {
    const left = tokensLeft({ perBlock: 8, schedule: 'decreasing' }, deit12);
    expect(left.map((each, block) => (left[block - 1] ?? 197) - each)).toEqual([
      16, 14, 13, 11, 10, 8, 7, 5, 4, 2, 1, 0,
    ]);
  });
});

/** Pictures whose patches stand in pairs of equal ones, seen by a model without positions: merging a pair loses nothing. */
const paired = fc
  .record({
    pairs: fc.integer({ min: 1, max: 4 }),
    readout: fc.constantFrom<Partial<VisionTransformerConfig>>(
      { distillation: 'none' },
      { distillation: 'none', registers: 2, headInput: 'class-and-mean' },
      { distillation: 'head', registers: 1 },
      { distillation: 'none', classToken: false, headInput: 'mean' },
      { distillation: 'none', attentionPool: { headDim: 3, hiddenDim: 5 } },
    ),
    seed: seeds,
  })
  .map(({ pairs, readout, seed }) => {
    const config: VisionTransformerConfig = {
      kind: 'vision-transformer',
      imageSize: pictureSizeOf({ height: 2, width: 4 * pairs }),
      ...{
        patchSize: 2,
        channels: 1,
        classes: 3,
        embeddingNorm: false,
        patchBias: true,
        distillation: 'none',
      },
      tower: {
        ...{ embedDim: 8, heads: 2, denseHeadDim: 4, activation: 'gelu', causal: false, normEpsilon: 1e-6 },
        blocks: [
          { headDim: 4, hiddenDim: 6 },
          { headDim: 3, hiddenDim: 5 },
        ],
      },
      ...readout,
    };
    // Two blocks with a falling number: all pairs in the first, none in the second.
    return {
      pairs,
      seed,
      config,
      merging: { ...config, merging: { perBlock: 8, schedule: 'decreasing' } } as const,
    };
  });

describeOnEveryEngine('a vision transformer that merges equal tokens', () => {
  it('computes what it computes without, with the same gradients', () => {
    fc.assert(
      fc.property(paired, ({ pairs, seed, config, merging }) => {
        tidy(() => {
          const [whole, merged] = [visionTransformer(config), visionTransformer(merging)];
          const params = mapTree(perturbedParams(whole, seed), (leaf, path) =>
            path === 'positions' ? leaf.mul<Tensor>(0) : leaf,
          );
          const random = randomStream(seed, 'pictures');
          const patches = Array.from({ length: 3 * pairs }, () => [random.normal(), random.normal()]);
          const images = tensor4d(
            // Both rows of a patch are alike, so that a picture is [2, 4 · pairs] of a, b, a, b of each pair.
            Array.from({ length: 3 }, (_, picture) => {
              const row = patches
                .slice(picture * pairs, (picture + 1) * pairs)
                .flatMap((each) => [...each, ...each]);
              return [...row, ...row];
            }).flat(),
            [3, 2, 4 * pairs, 1],
          );
          const expected = whole.forward(params, { images }).logits;
          const found = merged.forward(params, { images }).logits.dataSync();
          const bound = roundingBound(params, (rounded) => whole.forward(rounded, { images }).logits);
          expected.dataSync().forEach((value, i) => {
            expect(Math.abs(value - (found[i] ?? Number.NaN))).toBeLessThan(bound);
          });

          const names = entriesOf(params).map(([path]) => path);
          const gradients = (model: typeof whole) =>
            grads((...leaves: Tensor[]) => {
              const own = mapTree(params, (_, path) => leaves[names.indexOf(path)] ?? _);
              const { logits } = model.forward(own, { images });
              return logits.square<Tensor>().sum();
            })(entriesOf(params).map(([, leaf]) => leaf));
          const [ofWhole, ofMerged] = [gradients(whole), gradients(merged)];
          ofWhole.forEach((gradient, i) => {
            // Of positions each has its own; merged ones share theirs.
            const largest = Math.max(1, ...gradient.dataSync().map(Math.abs));
            const other = ofMerged[i]?.dataSync() ?? [];
            gradient.dataSync().forEach((value, at) => {
              expect(Math.abs(value - (other[at] ?? Number.NaN)) / largest).toBeLessThan(100 * bound);
            });
          });
        });
      }),
      { numRuns: 15 },
    );
  });

  it('gives each picture its logits, whatever else is in the batch', () => {
    fc.assert(
      fc.property(paired, ({ seed, merging }) => {
        tidy(() => {
          const model = visionTransformer(merging);
          const params = perturbedParams(model, seed);
          const images = randomImages(merging, randomStream(seed, 'pictures'));
          const together = model.forward(params, { images }).logits;
          const [, height, width, channels] = images.shape;
          const alone = model.forward(params, {
            images: images.slice([1, 0, 0, 0], [1, height, width, channels]),
          }).logits;
          const bound = roundingBound(params, (rounded) => model.forward(rounded, { images }).logits);
          const expected = together.slice([1, 0], [1, 3]).dataSync();
          alone.dataSync().forEach((value, i) => {
            expect(Math.abs(value - (expected[i] ?? Number.NaN))).toBeLessThan(bound);
          });
          expect(model.features(params, { images }).shape[1]).toBeLessThan(
            visionTransformer({ ...merging, merging: { perBlock: 1 } }).features(params, { images })
              .shape[1] + 1,
          );
        });
      }),
      { numRuns: 10 },
    );
  });
});

describeOnEveryEngine('tokens that merge', () => {
  it('go where a hook says, which is asked by the path of the merging', () => {
    fc.assert(
      fc.property(paired, ({ seed, merging }) => {
        tidy(() => {
          const model = visionTransformer(merging);
          const params = perturbedParams(model, seed);
          const images = randomImages(merging, randomStream(seed, 'pictures'));
          const asked: string[] = [];
          const logitsBy = (merge: Merge) =>
            Array.from(model.forward(params, { images, merge }).logits.dataSync());
          const told = logitsBy((path, keys, shape) => {
            asked.push(path);
            return Int32Array.from(mergePlan(keys, shape).dataSync());
          });
          expect(told).toEqual(logitsBy(() => undefined));
          expect(asked).toEqual(['blocks.0.merge']);
        });
      }),
      { numRuns: 5 },
    );
  });
});

it('does not merge tokens that may look back only', () => {
  const config = deit('tiny', 8);
  const causal = { ...config, tower: { ...config.tower, causal: true } };
  expect(() => visionTransformer(causal)).toThrow(RangeError);
  expect(familyOf(config).schema.safeParse(config).success).toBe(true);
  expect(familyOf(config).schema.safeParse(causal).success).toBe(false);
});
