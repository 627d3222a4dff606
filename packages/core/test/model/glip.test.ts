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
  type DetectionHeadConfig,
  type GlipConfig,
  type GlipParams,
  type ParameterSpec,
  configSchema,
  detectionHeadPresets,
  entriesOf,
  glip,
  initialize,
  levelsOf,
  regionAnchors,
  sizeOf,
  textTowerConfig,
  visionTowerConfig,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const sized = (size: 'small' | 'base', head: Partial<DetectionHeadConfig> = {}): GlipConfig => ({
  kind: 'glip',
  vision: visionTowerConfig(size, { imageSize: 224, patchSize: 16 }),
  text: textTowerConfig(size === 'small' ? 'small' : 'clip-large', { vocabulary: 49_408, context: 77 }),
  head: { ...detectionHeadPresets.published, levels: 'pyramid', deepFusion: true, ...head },
});

const parametersOf = ({ lines }: Account, part: RegExp): number =>
  lines.filter((line) => part.test(line.part)).reduce((sum, { parameters }) => sum + parameters, 0);

describe('the account of published sizes', () => {
  const large = glip(sized('base'));

  test('deep fusion of GLIP: 256 channels, tokens of 768, heads of 2,048 together', () => {
    // Norms, four maps of each side's width to the heads', two back, and both scales.
    const maps = 2 * (256 * 2048 + 2048) + 2 * (768 * 2048 + 2048);
    const back = 2048 * 256 + 256 + 2048 * 768 + 768;
    const whole = 2 * (256 + 768) + maps + back + 256 + 768;
    expect(whole).toBe(6_303_744);
    expect(parametersOf(large.account, /^rounds\.2\.fusion\./)).toBe(whole);
    // A layer of the text, as in the tower, and a convolution of 3×3 with its norm.
    expect(parametersOf(large.account, /^rounds\.2\.text\./)).toBe(7_087_872);
    expect(parametersOf(large.account, /^rounds\.2\.(convolution|norm)$/)).toBe(9 * 256 * 256 + 3 * 256);
  });

  test('what share-and-prune shares and prunes: attention and feed-forward networks of both towers', () => {
    const sites = /^(vision|text)\.blocks\.\d+\.(attention|ffn)$/;
    const small = glip(sized('small'));
    expect(parametersOf(small.account, sites)).toBe(42_550_272);
    expect(small.sites).toHaveLength(2 * 12 * 2);
    for (const model of [small, large]) for (const { id } of model.sites) expect(id).toMatch(sites);
  });

  test('parameters of the account are those of the record', () => {
    for (const head of [{}, { levels: 'flat' }, { deepFusion: false }] as const) {
      const { account, specs } = glip(tiny(true, head));
      const { lines, parameters } = account;
      expect(parameters).toBe(lines.reduce((sum, line) => sum + line.parameters, 0));
      const stored = entriesOf<ParameterSpec>(specs).reduce((sum, [, spec]) => sum + sizeOf(spec), 0);
      expect(parameters).toBe(stored);
    }
  });
});

const small = { embedDim: 8, heads: 2, denseHeadDim: 4, blocks: [{ headDim: 4, hiddenDim: 10 }] };

function tiny(causal: boolean, head: Partial<DetectionHeadConfig> = {}): GlipConfig {
  const text = textTowerConfig('nano', { vocabulary: 9, context: 12 });
  const vision = visionTowerConfig('nano', { imageSize: { height: 8, width: 16 }, patchSize: 4 });
  return {
    kind: 'glip',
    vision: { ...vision, tower: { ...vision.tower, ...small } },
    text: { ...text, tower: { ...text.tower, ...small, causal } },
    head: {
      ...{ levels: 'pyramid', width: 6, groups: 2, rounds: 2, deepFusion: true },
      ...{ heads: 2, fusionDim: 8, anchorScale: 3 },
      ...head,
    },
  };
}

describeOnEveryEngine('a GLIP', () => {
  const END = 8;
  const forward = (config: GlipConfig, tokens: Tensor2D) => {
    const model = glip(config);
    const params = initialize<GlipParams>(model.specs, 3);
    const images = randomNormal<Rank.R4>([2, 8, 16, 3], 0, 1, 'float32', 5);
    return model.forward(params, { images, tokens });
  };
  const texts = () => tensor2d([1, 2, 3, END, 4, 5, END, END], [2, 4], 'int32');
  const valuesOf = (tensor: Tensor) => [...tensor.dataSync()];
  const each = [
    ['deep fusion on a pyramid', tiny(true)],
    ['words that look both ways', tiny(false)],
    ['one grid', tiny(true, { levels: 'flat' })],
    ['no fusion', tiny(false, { deepFusion: false, levels: 'flat' })],
  ] as const;

  it.each(each)('padding changes nothing: %s', (_, config) => {
    tidy(() => {
      const plain = forward(config, texts());
      const padded = forward(config, concat([texts(), fill([2, 5], END, 'int32')], 1));
      for (const name of ['codes', 'centerness'] as const) {
        const expected = valuesOf(plain[name]);
        valuesOf(padded[name]).forEach((value, at) =>
          expect(value).toBeCloseTo(expected[at] ?? Number.NaN, 4),
        );
      }
      const [regions, length] = [plain.logits.shape[0], 4];
      const [before, after] = [valuesOf(plain.logits), valuesOf(padded.logits)];
      for (let region = 0; region < regions; region++) {
        for (let token = 0; token < (region < regions / 2 ? 4 : 3); token++) {
          const own = after[region * (length + 5) + token];
          expect(own).toBeCloseTo(before[region * length + token] ?? Number.NaN, 4);
        }
      }
    });
  });

  it('says of each region of each grid which words fit it', () => {
    tidy(() => {
      const found = forward(tiny(true), texts());
      const regions = 2 * (4 * 8 + 2 * 4 + 1 * 2);
      expect(found.logits.shape).toEqual([regions, 4]);
      expect([found.codes.shape, found.centerness.shape]).toEqual([
        [regions, 4],
        [regions, 1],
      ]);
      expect(valuesOf(found.read)).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
      expect(levelsOf(tiny(true)).map(({ rows, columns, stride }) => [rows, columns, stride])).toEqual([
        [4, 8, 2],
        [2, 4, 4],
        [1, 2, 8],
      ]);
    });
  });

  it('at first words are as likely of a region as the prior says, but for what regions say', () => {
    tidy(() => {
      const model = glip(tiny(true));
      const params = initialize<GlipParams>(model.specs, 3);
      const { weight } = params.head.words;
      const images = randomNormal<Rank.R4>([2, 8, 16, 3], 0, 1, 'float32', 5);
      const quiet = { ...params.head, words: { ...params.head.words, weight: fill(weight.shape, 0) } };
      const { logits } = model.forward({ ...params, head: quiet as never }, { images, tokens: texts() });
      for (const logit of valuesOf(logits)) expect(logit).toBeCloseTo(Math.log(0.01 / 0.99), 4);
    });
  });

  it('regions hear of the words by deep fusion alone', () => {
    tidy(() => {
      const other = () => tensor2d([7, 6, 3, END, 4, 5, END, END], [2, 4], 'int32');
      const differ = (config: GlipConfig): boolean => {
        const [one, two] = [forward(config, texts()).codes, forward(config, other()).codes].map(valuesOf);
        return one?.some((value, at) => Math.abs(value - (two?.[at] ?? 0)) > 1e-7) === true;
      };
      expect(differ(tiny(true))).toBe(true);
      expect(differ(tiny(true, { deepFusion: false }))).toBe(false);
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

test('squares stand around the middles of the regions, grid by grid', () => {
  const { boxes, levels } = regionAnchors(
    [
      { rows: 1, columns: 2, stride: 4 },
      { rows: 1, columns: 1, stride: 8 },
    ],
    2,
  );
  expect(levels).toEqual([2, 1]);
  expect([...boxes]).toEqual([-2, -2, 6, 6, 2, -2, 10, 6, -4, -4, 12, 12]);
});

test('its configuration is read, and refused where it cannot be', () => {
  const config = sized('small');
  expect(configSchema().parse(config)).toEqual(config);
  const refused = (head: Partial<DetectionHeadConfig>, imageSize = 224) =>
    configSchema().safeParse({
      ...config,
      vision: { ...config.vision, imageSize },
      head: { ...config.head, ...head },
    }).error?.message;
  expect(refused({ width: 250 })).toMatch('expected a multiple of the groups');
  expect(refused({ fusionDim: 250 })).toMatch('expected a multiple of the heads');
  expect(refused({}, 240)).toMatch('expected flat levels, or an even number of patches');
  expect(refused({ levels: 'flat' }, 240)).toBeUndefined();
});
