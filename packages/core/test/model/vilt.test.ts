import {
  type Rank,
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
  type ViltConfig,
  type ViltHead,
  type ViltParams,
  configSchema,
  initialize,
  vilt,
  visionTowerConfig,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';

const END = 2;

test('the trunk of the published ViLT has 84,934,656 weights, and everything is in the account once', () => {
  const vision = visionTowerConfig('base', { imageSize: 384, patchSize: 32 });
  const text = { vocabulary: 30_522, context: 40, endToken: 102, types: 2, normEpsilon: 1e-12 };
  const model = vilt({ kind: 'vilt', vision, text, modalities: 2, head: { kind: 'answers', answers: 3129 } });
  const weights = model.sites.flatMap(({ couplings, units }) =>
    couplings
      .filter(({ parameter }) => parameter.endsWith('.weight'))
      .map(({ copies }) => units * copies * 768),
  );
  expect(weights.reduce((sum, own) => sum + own, 0)).toBe(84_934_656);
  const blocks = model.account.lines.filter(({ part }) =>
    /^vision\.blocks\.\d+\.(attention|ffn)$/.test(part),
  );
  expect(blocks.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(
    84_934_656 + 12 * (5 * 768 + 3072),
  );
  // Words and patches, 40 + 145 tokens, go through every block.
  expect(model.sites[0]?.unitCost.macs).toBe(12 * (4 * 185 * 768 + 2 * 185 ** 2));
});

const tiny = (head: ViltHead): ViltConfig => {
  const vision = visionTowerConfig('nano', { imageSize: { height: 8, width: 12 }, patchSize: 4 });
  const tower = { ...vision.tower, embedDim: 8, heads: 2, denseHeadDim: 4 };
  return {
    kind: 'vilt',
    vision: {
      ...vision,
      tower: {
        ...tower,
        blocks: [
          { headDim: 4, hiddenDim: 10 },
          { headDim: 3, hiddenDim: 9 },
        ],
      },
    },
    text: { vocabulary: 9, context: 12, endToken: END, normEpsilon: 1e-12 },
    modalities: head.kind === 'statements' ? 3 : 2,
    head,
  };
};

const heads: readonly ViltHead[] = [
  { kind: 'answers', answers: 5 },
  { kind: 'statements' },
  { kind: 'matching' },
];

test('its configuration is read again, and refused where something is missing', () => {
  for (const head of heads)
    expect(configSchema().parse(JSON.parse(JSON.stringify(tiny(head))))).toEqual(tiny(head));
  const refused = configSchema().safeParse({ ...tiny({ kind: 'statements' }), modalities: 2 });
  expect(refused.error?.message).toMatch(/a row of modalities for words and for each picture, got 2/);
});

describeOnEveryEngine('a ViLT', () => {
  const valuesOf = (tensor: Tensor | undefined) => [...(tensor?.dataSync() ?? [])];
  const answer = (head: ViltHead, padding: number) => {
    const model = vilt(tiny(head));
    const params = initialize<ViltParams>(model.specs, 3);
    const pictures = head.kind === 'statements' ? 4 : 2;
    const images = randomNormal<Rank.R4>([pictures, 8, 12, 3], 0, 1, 'float32', 5);
    const texts = tensor2d([1, 3, 4, END, 1, 5, END, END], [2, 4], 'int32');
    const tokens = padding === 0 ? texts : concat<Tensor2D>([texts, fill([2, padding], END, 'int32')], 1);
    return model.forward(params, { images, tokens });
  };

  it.each(heads)('answers for %j, and padding changes nothing', (head) => {
    const before = memory().numTensors;
    tidy(() => {
      const [plain, padded] = [answer(head, 0), answer(head, 5)];
      expect(plain['logits']?.shape).toEqual([2, head.kind === 'answers' ? 5 : 2]);
      const found = valuesOf(padded['logits']);
      valuesOf(plain['logits']).forEach((value, index) => expect(found[index]).toBeCloseTo(value, 4));
      expect(plain['words']?.shape).toEqual(head.kind === 'matching' ? [8, 9] : undefined);
    });
    expect(memory().numTensors).toBe(before);
  });

  it('tells the two pictures of a statement apart', () => {
    tidy(() => {
      const model = vilt(tiny({ kind: 'statements' }));
      const params = initialize<ViltParams>(model.specs, 3);
      const [one, other] = [5, 6].map((seed) => randomNormal<Rank.R4>([1, 8, 12, 3], 0, 1, 'float32', seed));
      if (one === undefined || other === undefined) throw new Error('expected pictures');
      const tokens = tensor2d([1, 3, END], [1, 3], 'int32');
      const said = model.forward(params, { images: concat([one, other], 0), tokens });
      const turned = model.forward(params, { images: concat([other, one], 0), tokens });
      expect(valuesOf(said['logits'])).not.toEqual(valuesOf(turned['logits']));
    });
  });
});
