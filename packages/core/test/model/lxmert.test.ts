import {
  type Tensor,
  type Tensor2D,
  concat,
  fill,
  memory,
  randomNormal,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { Rank } from '@tensorflow/tfjs-core';
import {
  type LxmertConfig,
  type LxmertParams,
  compact,
  configSchema,
  decisionFromMasks,
  effective,
  initialize,
  lxmert,
  lxmertConfig,
  maskOf,
  prunableMatrices,
  weightCount,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const END = 2;

describe('the account of the published LXMERT', () => {
  const model = lxmert(
    lxmertConfig('published', {
      vocabulary: 30_522,
      context: 20,
      positions: 512,
      endToken: 102,
      answers: 3129,
    }),
  );

  test('its layers have 181,665,792 weights: 14 of BERT, and 5 in which one cross-attention serves both streams', () => {
    const matrices = prunableMatrices(model);
    expect(weightCount(matrices.filter(({ part }) => part !== 'projection'))).toBe(181_665_792);
    expect(14 * 7_077_888 + 5 * 16_515_072).toBe(181_665_792);
    expect(weightCount(matrices)).toBe(181_665_792 + 768 ** 2); // a ticket's scope has the pooler, too
  });

  test('a column of a cross-attention costs what both directions do', () => {
    const cross = model.sites.find(({ id }) => id === 'cross.blocks.0.cross');
    const [T, R] = [20, 36];
    expect(cross?.unitCost.parameters).toBe(12 * (4 * 768 + 3));
    expect(cross?.unitCost.macs).toBe(12 * (4 * (T + R) * 768 + 4 * T * R));
    expect(new Set(model.sites.map(({ tower }) => tower))).toEqual(new Set(['text', 'vision', 'cross']));
  });
});

const tiny = (): LxmertConfig => {
  const config = lxmertConfig('mini', {
    vocabulary: 9,
    context: 4,
    positions: 10,
    endToken: END,
    features: 5,
    regions: 3,
    answers: 4,
  });
  const block = { headDim: 4, hiddenDim: 6 };
  return {
    ...config,
    ...{ embedDim: 8, heads: 2, denseHeadDim: 4 },
    text: { ...config.text, blocks: [block] },
    vision: { ...config.vision, blocks: [block] },
    cross: { blocks: [1, 2].map(() => ({ cross: { headDim: 4 }, text: block, vision: block })) },
  };
};

test('its configuration is read again', () => {
  expect(configSchema().parse(JSON.parse(JSON.stringify(tiny())))).toEqual(tiny());
});

describeOnEveryEngine('an LXMERT', () => {
  const valuesOf = (tensor: Tensor | undefined) => [...(tensor?.dataSync() ?? [])];
  const inputs = () => ({
    tokens: tensor2d([1, 3, 4, END, 1, 5, END, END], [2, 4], 'int32'),
    features: randomNormal<Rank.R3>([2, 3, 5], 0, 1, 'float32', 5),
    places: randomNormal<Rank.R3>([2, 3, 4], 0, 1, 'float32', 6),
  });

  it('looks at no padding, of texts or of regions', () => {
    const before = memory().numTensors;
    tidy(() => {
      const model = lxmert(tiny());
      const params = initialize<LxmertParams>(model.specs, 3);
      const plain = inputs();
      const expected = valuesOf(model.forward(params, plain).logits);
      const padded = {
        tokens: concat<Tensor2D>([plain.tokens, fill([2, 3], END, 'int32')], 1),
        features: concat([plain.features, fill<Rank.R3>([2, 2, 5], 7)], 1),
        places: concat([plain.places, fill<Rank.R3>([2, 2, 4], 7)], 1),
        counts: tensor2d([1, 1, 1, 0, 0, 1, 1, 1, 0, 0], [2, 5]),
      };
      const found = valuesOf(model.forward(params, padded).logits);
      expect(found).toHaveLength(8);
      found.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4));
    });
    expect(memory().numTensors).toBe(before);
  });

  it('is the cut model where masks are zero: a column of a cross-attention is gone both ways', () => {
    tidy(() => {
      const model = lxmert(tiny());
      const params = initialize<LxmertParams>(model.specs, 3);
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
      const found = valuesOf(small.model.forward(small.params, given).logits);
      found.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4));
      expect(small.model.account.parameters).toBeLessThan(model.account.parameters);
    });
  });
});
