import { readFileSync } from 'node:fs';
import {
  type Rank,
  type Tensor,
  type Tensor2D,
  concat,
  fill,
  memory,
  randomNormal,
  reverse,
  tensor1d,
  tensor2d,
  tensor3d,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import { z } from 'zod';
import {
  type RegionBox,
  type TensorTree,
  type UniterConfig,
  type UniterParams,
  compact,
  configSchema,
  decisionFromMasks,
  disposeTree,
  effective,
  initialize,
  maskOf,
  patchShares,
  placesOf,
  prunableMatrices,
  regionTower,
  uniter,
  uniterConfig,
  uploadTree,
  visionTowerConfig,
  weightCount,
} from '../../src/index';

import { describeOnEveryEngine } from '../engine/every-engine';

const END = 2;

test('the trunk of the published UNITER has 84,934,656 weights, and everything is in the account once', () => {
  const model = uniter(
    uniterConfig('base', {
      vocabulary: 28_996,
      context: 20,
      positions: 512,
      endToken: 102,
      head: { kind: 'answers', answers: 3129 },
    }),
  );
  const matrices = prunableMatrices(model);
  expect(weightCount(matrices)).toBe(84_934_656 + 768 ** 2); // a ticket's scope has the pooler, too
  const D = 768;
  const bert = 108_310_272; // bert-base-cased with its pooler
  const regions = 2048 * D + D + 7 * D + D + 3 * 2 * D;
  const head = D * 2 * D + 2 * D + 4 * D + 2 * D * 3129 + 3129;
  expect(model.account.parameters).toBe(bert + regions + head);
  expect(new Set(model.sites.map(({ tower }) => tower))).toEqual(new Set(['trunk']));
});

const tiny = (): UniterConfig => ({
  ...uniterConfig('nano', {
    vocabulary: 9,
    context: 4,
    positions: 6,
    endToken: END,
    features: 5,
    regions: 3,
    head: { kind: 'answers', answers: 4 },
  }),
  ...{ embedDim: 8, heads: 2, denseHeadDim: 4 },
  trunk: { blocks: [1, 2].map(() => ({ headDim: 4, hiddenDim: 12 })) },
});

test('its configuration is read again; one type of tokens is too few', () => {
  expect(configSchema().parse(JSON.parse(JSON.stringify(tiny())))).toEqual(tiny());
  const { text, ...rest } = tiny();
  const read = configSchema().safeParse({ ...rest, text: { ...text, types: 1 } });
  expect(read.error?.issues[0]?.message).toBe('expected a type for words and one for regions');
});

const numbers = z.array(z.number());
const reference = z
  .object({
    parameters: z.record(z.string(), z.object({ shape: numbers, values: numbers })),
    ...{
      tokens: numbers,
      features: numbers,
      boxes: numbers,
      real: numbers,
      pooled: numbers,
      logits: numbers,
    },
  })
  .parse(JSON.parse(readFileSync(new URL('../reference/uniter.json', import.meta.url), 'utf8')));

const valuesOf = (tensor: Tensor | undefined) => [...(tensor?.dataSync() ?? [])];
const expectClose = (found: readonly number[], expected: readonly number[], digits = 4) => {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? Number.NaN, digits));
};

describeOnEveryEngine('a UNITER', () => {
  const inputs = () => ({
    tokens: tensor2d([1, 3, 4, END, 1, 5, END, END], [2, 4], 'int32'),
    features: randomNormal<Rank.R3>([2, 3, 5], 0, 1, 'float32', 5),
    places: randomNormal<Rank.R3>([2, 3, 7], 0, 1, 'float32', 6),
  });

  it('says what PyTorch says', () => {
    tidy(() => {
      const model = uniter(tiny());
      const fresh = initialize<UniterParams>(model.specs, 3);
      const values = new Map(
        Object.entries(reference.parameters).map(([path, { shape, values }]) => [
          path,
          { dtype: 'float32' as const, shape, values: Float32Array.from(values) },
        ]),
      );
      const params = uploadTree(fresh, values);
      const said = model.forward(params, {
        tokens: tensor2d(reference.tokens, [2, 4], 'int32'),
        features: tensor3d(reference.features, [2, 3, 5]),
        places: tensor3d(placesOf(Float32Array.from(reference.boxes), 7), [2, 3, 7]),
        counts: tensor2d(reference.real, [2, 3]),
      });
      expectClose(valuesOf(said['pooled']), reference.pooled, 5);
      expectClose(valuesOf(said.logits), reference.logits, 4);
    });
  });

  it('looks at no padding, of texts or of regions', () => {
    const before = memory().numTensors;
    tidy(() => {
      const model = uniter(tiny());
      const params = initialize<UniterParams>(model.specs, 3);
      const plain = inputs();
      const padded = {
        tokens: concat<Tensor2D>([plain.tokens, fill([2, 2], END, 'int32')], 1),
        features: concat([plain.features, fill<Rank.R3>([2, 2, 5], 7)], 1),
        places: concat([plain.places, fill<Rank.R3>([2, 2, 7], 7)], 1),
        counts: tensor2d([1, 1, 1, 0, 0, 1, 1, 1, 0, 0], [2, 5]),
      };
      const expected = valuesOf(model.forward(params, plain).logits);
      expectClose(valuesOf(model.forward(params, padded).logits), expected);
    });
    expect(memory().numTensors).toBe(before);
  });

  it('knows regions by what they show and where, not by their order', () => {
    tidy(() => {
      const model = uniter(tiny());
      const params = initialize<UniterParams>(model.specs, 3);
      const plain = inputs();
      const expected = valuesOf(model.forward(params, plain).logits);
      const turned = { ...plain, features: reverse(plain.features, 1), places: reverse(plain.places, 1) };
      expectClose(valuesOf(model.forward(params, turned).logits), expected);
      const mixed = { ...plain, features: reverse(plain.features, 1) };
      const found = valuesOf(model.forward(params, mixed).logits);
      expect(
        Math.max(...found.map((value, index) => Math.abs(value - (expected[index] ?? 0)))),
      ).toBeGreaterThan(1e-4);
    });
  });

  it('lets both words and regions be perturbed where they are embedded', () => {
    tidy(() => {
      const model = uniter(tiny());
      const params = initialize<UniterParams>(model.specs, 3);
      const given = inputs();
      const plain = valuesOf(model.forward(params, given).logits);
      const places: Record<string, readonly number[]> = {};
      const same = model.forward(params, {
        ...given,
        perturb: (place, embedding) => {
          places[place] = embedding.shape;
          return embedding;
        },
      });
      expect(places).toEqual({ words: [2, 4, 8], patches: [2, 3, 8] });
      expectClose(valuesOf(same.logits), plain);
      for (const moved of ['words', 'patches']) {
        const other = model.forward(params, {
          ...given,
          perturb: (place, embedding) => (place === moved ? reverse(embedding, 1) : embedding),
        });
        expect(valuesOf(other.logits)).not.toEqual(plain);
      }
    });
  });

  it('is the cut model where masks are zero', () => {
    tidy(() => {
      const model = uniter(tiny());
      const params = initialize<UniterParams>(model.specs, 3);
      const keep = Object.fromEntries(
        model.sites.map(({ id, units }) => [
          id,
          Array.from({ length: units }, (_, unit) => (unit % 2 === 0 ? 1 : 0)),
        ]),
      );
      const decision = decisionFromMasks(model.sites, keep);
      const masks = Object.fromEntries(
        model.sites.map((site) => [site.id, tensor1d(maskOf(decision, site))]),
      );
      const given = inputs();
      const expected = valuesOf(model.forward(effective(params, model.sites, masks), given).logits);
      const small = compact(model, params, decision);
      expectClose(valuesOf(small.model.forward(small.params, given).logits), expected);
      expect(small.model.account.parameters).toBeLessThan(model.account.parameters);
    });
  });

  it('sees of a region the mean of its patches, as much of each as lies in the box', () => {
    tidy(() => {
      const config = visionTowerConfig('nano', { imageSize: 8, patchSize: 4 });
      const tower = regionTower({
        ...config,
        tower: { ...config.tower, blocks: config.tower.blocks.slice(0, 1) },
      });
      const params = initialize<Parameters<typeof tower.states>[0] & TensorTree>(tower.specs, 1);
      const images = randomNormal<Rank.R4>([2, 8, 8, 3], 0, 1, 'float32', 4);
      const one = tower.states(params, images, [
        [
          [0, 0, 0.5, 0.5],
          [0.5, 0, 1, 0.5],
        ],
        [[0, 0, 1, 1]],
      ]);
      expect(one.shape).toEqual([2, 2, tower.features]);
      const both = tower.states(params, images, [[[0, 0, 1, 0.5]], [[0, 0, 1, 1]]]);
      const [first, second, , padding] = [0, 1, 2, 3].map((row) =>
        valuesOf(one).slice(row * tower.features, (row + 1) * tower.features),
      );
      const mean = first?.map((value, index) => (value + (second?.[index] ?? 0)) / 2) ?? [];
      expectClose(valuesOf(both).slice(0, tower.features), mean);
      expect(padding?.every((value) => value === 0)).toBe(true);
    });
  });
});

describeOnEveryEngine('a tower of regions', () => {
  it('gives in host memory the regions of all boxes, one after another', async () => {
    const before = memory().numTensors;
    const config = visionTowerConfig('nano', { imageSize: 8, patchSize: 4 });
    const tower = regionTower({
      ...config,
      tower: { ...config.tower, blocks: config.tower.blocks.slice(0, 1) },
    });
    const params = initialize<Parameters<typeof tower.states>[0] & TensorTree>(tower.specs, 1);
    const boxes: RegionBox[][] = [
      [[0, 0, 0.5, 0.5]],
      [
        [0, 0, 1, 1],
        [0.5, 0.25, 0.75, 1],
      ],
    ];
    const pixels = Float32Array.from({ length: 2 * 8 * 8 * 3 }, (_, index) => Math.sin(index));
    const found = await tower.read(params, pixels, boxes);
    const padded = tidy(() => valuesOf(tower.states(params, tensor4d(pixels, [2, 8, 8, 3]), boxes)));
    const F = tower.features;
    expectClose([...found], [...padded.slice(0, F), ...padded.slice(2 * F)]);
    disposeTree(params);
    expect(memory().numTensors).toBe(before);
  });
});

test('shares of patches in a box add up to one, and a box outside of the picture has none', () => {
  expect(patchShares([0, 0, 0.25, 1], [2, 2])).toEqual([0.5, 0, 0.5, 0]);
  expect(patchShares([0.25, 0, 0.75, 0.25], [2, 2])).toEqual([0.5, 0.5, 0, 0]);
  expect(() => patchShares([1, 0, 1.5, 1], [2, 2])).toThrow('expected a region with an area in the picture');
});

test('places are the sides, or with them width, height and area', () => {
  const boxes = Float32Array.of(0.25, 0, 0.75, 0.5);
  expect(placesOf(boxes, 4)).toEqual(boxes);
  expect(placesOf(boxes, 7)).toEqual(Float32Array.of(0.25, 0, 0.75, 0.5, 0.5, 0.5, 0.25));
  expect(() => placesOf(boxes, 5)).toThrow('expected 4 or 7 numbers');
});
