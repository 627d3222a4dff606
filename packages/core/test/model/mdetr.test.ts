import type { Rank } from '@tensorflow/tfjs-core';
import {
  type Tensor,
  type Tensor2D,
  concat,
  fill,
  memory,
  randomNormal,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import {
  type Account,
  type MdetrConfig,
  type MdetrParams,
  configSchema,
  fusionPresets,
  initialize,
  mdetr,
  textTowerConfig,
  visionTowerConfig,
} from '../../src/index';
import { gridWaves } from '../../src/layers/position-waves';
import { describeOnEveryEngine } from '../engine/every-engine';

const published = (size: 'small' | 'base'): MdetrConfig => ({
  kind: 'mdetr',
  vision: visionTowerConfig(size, { imageSize: 224, patchSize: 16 }),
  text: textTowerConfig(size === 'small' ? 'small' : 'clip-large', { vocabulary: 49_408, context: 77 }),
  fusion: fusionPresets.published,
});

const parametersOf = ({ lines }: Account, part: RegExp): number =>
  lines.filter((line) => part.test(line.part)).reduce((sum, { parameters }) => sum + parameters, 0);

describe('the account of published sizes', () => {
  const small = mdetr(published('small'));

  test('a layer of the encoder and of the decoder', () => {
    expect(parametersOf(small.account, /^fusion\.encoder\.3\./)).toBe(1_315_072);
    expect(parametersOf(small.account, /^fusion\.decoder\.3\./)).toBe(1_578_752);
  });

  test('what share-and-prune shares and prunes: attention and feed-forward networks of both towers', () => {
    const sites = /^(vision|text)\.blocks\.\d+\.(attention|ffn)$/;
    expect(parametersOf(small.account, sites)).toBe(42_550_272);
    // 24 layers of 4·(768² + 768) and 2·768·3072 + 3072 + 768.
    expect(parametersOf(mdetr(published('base')).account, sites)).toBe(24 * (2_362_368 + 4_722_432));
  });

  test('sites are those of the towers, and of nothing else', () => {
    expect(small.sites).toHaveLength(2 * 12 * 2);
    for (const { id } of small.sites) expect(id).toMatch(/^(vision|text)\.blocks\.\d+\.(attention|ffn)$/);
  });
});

const tiny = (causal: boolean): MdetrConfig => {
  const text = textTowerConfig('nano', { vocabulary: 9, context: 12 });
  const small = { embedDim: 8, heads: 2, denseHeadDim: 4, blocks: [{ headDim: 4, hiddenDim: 10 }] };
  const vision = visionTowerConfig('nano', { imageSize: { height: 8, width: 12 }, patchSize: 4 });
  return {
    kind: 'mdetr',
    vision: { ...vision, tower: { ...vision.tower, ...small } },
    text: { ...text, tower: { ...text.tower, ...small, causal } },
    fusion: {
      width: 8,
      heads: 2,
      hiddenDim: 12,
      encoderLayers: 2,
      decoderLayers: 3,
      queries: 5,
      alignmentDim: 4,
    },
  };
};

describeOnEveryEngine('an MDETR', () => {
  const END = 8;
  const forward = (config: MdetrConfig, tokens: Tensor2D) => {
    const model = mdetr(config);
    const params = initialize<MdetrParams>(model.specs, 3);
    const images = randomNormal<Rank.R4>([2, 8, 12, 3], 0, 1, 'float32', 5);
    return model.forward(params, { images, tokens });
  };
  const texts = () => tensor2d([1, 2, 3, END, 4, 5, END, END], [2, 4], 'int32');
  const valuesOf = (tensor: Tensor) => [...tensor.dataSync()];

  it.each([true, false])('padding changes nothing (causal text: %s)', (causal) => {
    tidy(() => {
      const plain = forward(tiny(causal), texts());
      const padded = forward(tiny(causal), concat([texts(), fill([2, 5], END, 'int32')], 1));
      for (const name of ['logits', 'boxes', 'aligned', 'logits0', 'boxes1'] as const) {
        const [expected, found] = [plain[name], padded[name]].map((tensor) =>
          tensor === undefined ? [] : valuesOf(tensor),
        );
        expect(found).toHaveLength(expected?.length ?? -1);
        found?.forEach((value, index) => expect(value).toBeCloseTo(expected?.[index] ?? Number.NaN, 4));
      }
    });
  });

  it('says of each query which words it is of and where it is, layer by layer', () => {
    tidy(() => {
      const found = forward(tiny(true), texts());
      expect(found.logits.shape).toEqual([10, 13]);
      expect(found.boxes.shape).toEqual([10, 4]);
      expect(found.words.shape).toEqual([8, 4]);
      expect(valuesOf(found.read)).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
      expect(
        Object.keys(found)
          .filter((name) => name.startsWith('boxes'))
          .sort(),
      ).toEqual(['boxes', 'boxes0', 'boxes1']);
      for (const value of valuesOf(found.boxes)) expect(value > 0 && value < 1).toBe(true);
      const [first = 0, second = 0, third = 0, fourth = 0] = valuesOf(found.aligned);
      expect(first ** 2 + second ** 2 + third ** 2 + fourth ** 2).toBeCloseTo(1, 4);
    });
  });

  it('answers questions by queries of their own, which leave the objects their places', () => {
    tidy(() => {
      const config = { ...tiny(true), questions: { answers: [2, 3] } };
      const found = forward(config, texts());
      expect(found['type']?.shape).toEqual([2, 2]);
      expect([found['answer0']?.shape, found['answer1']?.shape]).toEqual([
        [2, 2],
        [2, 3],
      ]);
      expect(found.boxes.shape).toEqual([10, 4]);
      const padded = forward(config, concat([texts(), fill([2, 5], END, 'int32')], 1));
      valuesOf(padded['answer1'] ?? found.boxes).forEach((value, index) => {
        expect(value).toBeCloseTo(valuesOf(found['answer1'] ?? found.words)[index] ?? Number.NaN, 4);
      });
      const model = mdetr(config);
      expect(model.readout.heads).toEqual(['fusion', 'head', 'questions']);
      expect(model.sites.map(({ id }) => id)).toEqual(mdetr(tiny(true)).sites.map(({ id }) => id));
    });
  });

  it('leaves no tensors behind', () => {
    const before = memory().numTensors;
    tidy(() => {
      forward(tiny(true), texts());
    });
    expect(memory().numTensors).toBe(before);
  });
});

test('waves of a grid: the row in the first half of the width, the column in the second', () => {
  const waves = gridWaves(2, 3, 8);
  expect(waves).toHaveLength(2 * 3 * 8);
  const angle = (place: number, count: number) => (2 * Math.PI * place) / (count + 1e-6);
  const second = waves.subarray(4 * 8, 5 * 8); // row 2, column 2
  const expected = [angle(2, 2), angle(2, 3)].flatMap((own) => [
    Math.sin(own),
    Math.cos(own),
    Math.sin(own / 100),
    Math.cos(own / 100),
  ]);
  expected.forEach((value, index) => expect(second[index]).toBeCloseTo(value, 6));
});

test('its configuration is read, and refused where the fusion does not divide', () => {
  const config = published('small');
  expect(configSchema().parse(config)).toEqual(config);
  const other = { ...config, fusion: { ...config.fusion, width: 255 } };
  expect(() => configSchema().parse(other)).toThrow('expected a multiple of 4 and of the heads');
});
