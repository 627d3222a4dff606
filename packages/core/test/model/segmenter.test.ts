import { type Rank, memory, randomNormal, tensor2d, tidy } from '@tensorflow/tfjs-core';
import {
  type SegmenterConfig,
  type SegmenterParams,
  compact,
  configSchema,
  decisionFromMasks,
  effective,
  initialize,
  maskDecoder,
  maskOf,
  randomStream,
  segmenter,
  segmenterEncoder,
  visionTowerConfig,
} from '../../src/index';
import { tensor1d } from '@tensorflow/tfjs-core';
import { resizeBilinear } from '../../src/operations/resize-bilinear';
import { describeOnEveryEngine } from '../engine/every-engine';

/** Seg-S-Mask/16 at 512 pixels and 150 classes (Strudel et al., 2021; UPop's Table 6). */
describe('the account of the published Segmenter', () => {
  const vision = visionTowerConfig('small', { imageSize: 512, patchSize: 16 });
  const model = segmenter({
    kind: 'segmenter',
    vision,
    classes: 150,
    decoder: maskDecoder({ tower: vision.tower }),
  });
  /** A head for 1,000 classes that the published encoder keeps and never uses. */
  const UNUSED_HEAD = 385_000;
  const of = (part: RegExp) =>
    model.account.lines
      .filter((line) => part.test(line.part))
      .reduce((sum, { parameters }) => sum + parameters, 0);

  test('parameters: 26.4 M with the head that nobody uses', () => {
    expect(model.account.parameters).toBe(26_033_964);
    expect(model.account.parameters + UNUSED_HEAD).toBe(26_418_964);
    expect(of(/^vision\./) + UNUSED_HEAD).toBe(22_368_616);
    expect(of(/^decoder\./)).toBe(4_050_348);
  });

  test('multiply–accumulates: 38.6 G, of which a part brings logits to the pixels', () => {
    expect(model.account.macs).toBe(38_622_423_168);
    expect(model.account.lines.find(({ part }) => part === 'pixels')?.macs).toBe(157_286_400);
  });

  test('prunable are encoder and decoder: 9,234 a unit of a head and 769 of a network', () => {
    expect(model.sites).toHaveLength(2 * (12 + 2));
    expect([...new Set(model.sites.map(({ unitCost }) => unitCost.parameters))]).toEqual([9234, 769]);
    const prunable = model.sites.reduce((sum, { units, unitCost }) => sum + units * unitCost.parameters, 0);
    expect(prunable).toBe(24_810_240);
    const left = [0.1, 0.15, 0.2, 0.3].map(
      (p) => (model.account.parameters + UNUSED_HEAD - p * prunable) / 1e6,
    );
    expect(left.map((million) => million.toFixed(3))).toEqual(['23.938', '22.697', '21.457', '18.976']);
  });
});

const tiny = (decoder: 'linear' | 'mask'): SegmenterConfig => {
  const vision = visionTowerConfig('nano', { imageSize: { height: 8, width: 12 }, patchSize: 4 });
  const tower = { ...vision.tower, embedDim: 8, heads: 2, denseHeadDim: 4 };
  const own = { ...vision, tower: { ...tower, blocks: [{ headDim: 4, hiddenDim: 10 }] } };
  return {
    kind: 'segmenter',
    vision: own,
    classes: 3,
    decoder: decoder === 'linear' ? { kind: 'linear' } : maskDecoder(own),
  };
};

test('its configuration is read again, and refused where it would pool or merge', () => {
  for (const kind of ['linear', 'mask'] as const) {
    const config = tiny(kind);
    expect(configSchema().parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
  }
  const { vision, ...rest } = tiny('mask');
  const refused = configSchema().safeParse({ ...rest, vision: { ...vision, merging: { perBlock: 1 } } });
  expect(refused.error?.message).toMatch(/each patch has its place/);
  const pooled = { ...vision, merging: { perBlock: 1 }, attentionPool: { headDim: 4, hiddenDim: 8 } };
  expect(segmenterEncoder(pooled)).toEqual(vision);
});

describeOnEveryEngine('a segmenter', () => {
  it.each(['linear', 'mask'] as const)('says of every pixel how well each class fits: %s', (kind) => {
    const before = memory().numTensors;
    tidy(() => {
      const model = segmenter(tiny(kind));
      const params = initialize<SegmenterParams>(model.specs, 3);
      const images = randomNormal<Rank.R4>([2, 8, 12, 3], 0, 1, 'float32', 5);
      const { logits } = model.forward(params, { images });
      expect(logits.shape).toEqual([2 * 8 * 12, 3]);
      expect(logits.dataSync().every(Number.isFinite)).toBe(true);
    });
    expect(memory().numTensors).toBe(before);
  });

  it('is the cut model where masks are zero, in encoder and decoder alike', () => {
    tidy(() => {
      const model = segmenter(tiny('mask'));
      const params = initialize<SegmenterParams>(model.specs, 3);
      const random = randomStream(1, 'masks');
      const drawn = model.sites.map(({ id, units }): [string, number[]] => [
        id,
        Array.from({ length: units }, (_, unit) => (unit === 0 || random.uniform() < 0.5 ? 1 : 0)),
      ]);
      const decision = decisionFromMasks(model.sites, Object.fromEntries(drawn));
      const masks = Object.fromEntries(
        model.sites.map((site) => [site.id, tensor1d(maskOf(decision, site))]),
      );
      const images = randomNormal<Rank.R4>([1, 8, 12, 3], 0, 1, 'float32', 5);
      const expected = model.forward(effective(params, model.sites, masks), { images }).logits.dataSync();
      const small = compact(model, params, decision);
      expect(small.model.account.parameters).toBeLessThan(model.account.parameters);
      const found = small.model.forward(small.params, { images }).logits.dataSync();
      found.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4));
    });
  });

  it('tells apart pixels as patches do, where patches are sure', () => {
    tidy(() => {
      const [rows, columns, side] = [2, 3, 4];
      const truth = [0, 1, 1, 0, 1, 1];
      const logits = tensor2d(
        truth.flatMap((label) => (label === 0 ? [1, 0] : [0, 1])),
        [6, 2],
      );
      const pixels = resizeBilinear(logits, [rows, columns], [rows * side, columns * side])
        .argMax(1)
        .dataSync();
      pixels.forEach((label, pixel) => {
        const x = Math.floor((pixel % (columns * side)) / side);
        expect(label).toBe(x === 0 ? 0 : 1);
      });
    });
  });
});
