import fc from 'fast-check';
import {
  type VisionTransformerPreset,
  clipText,
  compressibleCost,
  dualEncoder,
  leavesOf,
  randomStream,
  removalTarget,
  selectUnits,
  sizeOf,
  sumCosts,
  textTowerConfig,
  visionTransformer,
  visionTransformerConfig,
} from '../../src/index';
import { smallConfigs } from './random-model';
import { smallDualEncoders, smallTextConfigs } from './random-towers';

const imagenet = { imageSize: 224, patchSize: 16, classes: 1000 } as const;
const deit = (preset: VisionTransformerPreset) =>
  visionTransformer(visionTransformerConfig(preset, imagenet));

/** UPop's Table 1 in exact numbers: share removed, parameters and MACs when every site gives up the same share. */
const ratios = [
  { share: 0.1, millions: '19.924', giga: '4.154', published: { millions: '19.9', giga: 4.1 } },
  { share: 0.2, millions: '17.797', giga: '3.700', published: { millions: '17.8', giga: 3.7 } },
  { share: 0.3, millions: '15.671', giga: '3.246', published: { millions: '15.7', giga: 3.2 } },
  { share: 0.4, millions: '13.544', giga: '2.792', published: { millions: '13.5', giga: 2.8 } },
  { share: 0.5, millions: '11.418', giga: '2.338', published: { millions: '11.4', giga: 2.3 } },
];

describe('the account of DeiT-S at 224 px', () => {
  const model = deit('small');
  const { sites, account } = model;
  const compressible = compressibleCost(sites);

  it('is exact for the dense model and its units', () => {
    expect(account.parameters).toBe(22_050_664);
    expect(account.macs).toBe(4_608_338_304);
    expect(account.parameters - compressible.parameters).toBe(784_744);
    expect(account.macs - compressible.macs).toBe(67_642_752);
    const unitsOf = (structure: string) => sites.filter((site) => site.structure === structure);
    expect(new Set(unitsOf('attention').map(({ unitCost }) => unitCost.parameters))).toEqual(new Set([9234]));
    expect(new Set(unitsOf('ffn').map(({ unitCost }) => unitCost.parameters))).toEqual(new Set([769]));
    expect(unitsOf('attention').map(({ units }) => units)).toEqual(new Array(12).fill(64));
    expect(unitsOf('ffn').map(({ units }) => units)).toEqual(new Array(12).fill(1536));
  });

  const cutBy = (share: number, priority: (structure: string, place: number) => number) => {
    const priorities = Object.fromEntries(
      sites.map(({ id, structure, units }) => [
        id,
        Array.from({ length: units }, (_, unit) => priority(structure, unit / units)),
      ]),
    );
    const target = removalTarget(model, { unit: 'compressible-parameters', keep: 1 - share });
    return model.shrink(selectUnits(sites, priorities, target)).account;
  };

  it.each(ratios)('matches the table at p = $share', ({ share, millions, giga, published }) => {
    const cut = cutBy(share, (_, place) => -place);
    const exact = account.parameters - share * compressible.parameters;
    expect((exact / 1e6).toFixed(3)).toBe(millions);
    expect((cut.parameters / 1e6).toFixed(1)).toBe(published.millions);
    // Whole units go: up to one more than asked.
    expect(exact - cut.parameters).toBeGreaterThanOrEqual(0);
    expect(exact - cut.parameters).toBeLessThan(9234);
    const uniform = account.macs - share * compressible.macs;
    expect((uniform / 1e9).toFixed(3)).toBe(giga);
    // The paper cuts its second digit off at p = .1 and .3 and rounds at the others: within one of it.
    expect(Math.abs(uniform / 1e9 - published.giga)).toBeLessThan(0.1);
    expect(Math.abs(cut.macs / uniform - 1)).toBeLessThan(0.002);
  });

  it.each([
    { share: 0.1, least: 4.083, most: 4.19 },
    { share: 0.5, least: 2.165, most: 2.516 },
  ])('has the feasible range of MACs at p = $share', ({ share, least, most }) => {
    const attentionFirst = cutBy(share, (structure) => (structure === 'attention' ? 1 : 0));
    const ffnFirst = cutBy(share, (structure) => (structure === 'ffn' ? 1 : 0));
    const attentionUnit = Math.max(...sites.map(({ unitCost }) => unitCost.macs));
    expect(Math.abs(attentionFirst.macs - 1e9 * least)).toBeLessThan(attentionUnit + 5e5); // 5e5: the rounded digit
    expect(Math.abs(ffnFirst.macs - 1e9 * most)).toBeLessThan(attentionUnit + 5e5);
    const random = randomStream(1, 'between');
    const between = cutBy(share, () => random.uniform());
    expect(between.macs).toBeGreaterThan(attentionFirst.macs);
    expect(between.macs).toBeLessThan(ffnFirst.macs);
  });
});

describe('the account of CLIP ViT-L/14 at 336 px', () => {
  const shape = { embedDim: 1024, heads: 16, layers: 24, headDim: 64 };
  const text = textTowerConfig('clip-large', { vocabulary: 49_408, context: 77 });
  const { sites, account } = dualEncoder({
    kind: 'dual-encoder',
    projectionDim: 768,
    vision: {
      imageSize: 336,
      patchSize: 14,
      channels: 3,
      distillation: 'none',
      embeddingNorm: true,
      patchBias: false,
      tower: {
        embedDim: shape.embedDim,
        heads: shape.heads,
        denseHeadDim: shape.headDim,
        activation: 'quick-gelu',
        causal: false,
        normEpsilon: 1e-5,
        blocks: new Array(shape.layers).fill({ headDim: shape.headDim, hiddenDim: 4 * shape.embedDim }),
      },
    },
    text,
  });
  const encoder = clipText({ kind: 'clip-text', projectionDim: 768, ...text });

  it('is exact for both towers', () => {
    expect(account.parameters).toBe(427_944_192 + 1); // and the temperature
    expect(account.macs).toBe(197_761_891_072);
    expect(((account.macs - encoder.account.macs) / 1e9).toFixed(1)).toBe('191.1');
    expect((encoder.account.macs / 1e9).toFixed(2)).toBe('6.66');
  });

  it('is exact for the text tower by itself and its units', () => {
    const prunable = compressibleCost(encoder.sites);
    expect(prunable.parameters).toBe(84_999_168);
    expect(encoder.account.parameters - prunable.parameters).toBe(38_651_136);
    expect(encoder.sites).toHaveLength(2 * 12);
    for (const { structure, unitCost } of encoder.sites) {
      expect(unitCost).toEqual(
        structure === 'attention'
          ? { parameters: 36_900, macs: 2_980_824 }
          : { parameters: 1_537, macs: 118_272 },
      );
    }
  });

  it('has units of the text tower and of a vision tower of twice its depth', () => {
    const of = (tower: string) => sites.filter((site) => site.tower === tower);
    expect([of('vision').length, of('text').length, sites.length]).toEqual([48, 24, 72]);
    expect(of('text').map(({ unitCost }) => unitCost)).toEqual(encoder.sites.map(({ unitCost }) => unitCost));
    expect(of('vision')[0]?.unitCost.parameters).toBe(16 * (4 * 1024 + 3));
  });
});

describe('the account of any model', () => {
  it.each([
    ['tiny', '5.7', '1.3'],
    ['base', '86.6', '17.6'],
  ] as const)('gives DeiT-%s %s M and %s G', (preset, millions, giga) => {
    const { account } = deit(preset);
    expect((account.parameters / 1e6).toFixed(1)).toBe(millions);
    expect((account.macs / 1e9).toFixed(1)).toBe(giga);
  });

  it('counts every element of the specifications, part by part', () => {
    const models = fc.oneof(
      smallConfigs.map(visionTransformer),
      smallTextConfigs.map((config) => clipText({ kind: 'clip-text', projectionDim: 5, ...config })),
      smallDualEncoders.map(dualEncoder),
    );
    fc.assert(
      fc.property(models, ({ specs, account }) => {
        expect(account.parameters).toBe(leavesOf(specs).reduce((sum, spec) => sum + sizeOf(spec), 0));
        expect(sumCosts(account.lines)).toEqual({ parameters: account.parameters, macs: account.macs });
        expect(new Set(account.lines.map(({ part }) => part)).size).toBe(account.lines.length);
      }),
    );
  });

  it.each([
    ['a square', 4, 4],
    ['a rectangle', { height: 6, width: 4 }, 6],
  ])('counts the multiplications of a model small enough to count by hand, of %s', (_what, imageSize, N) => {
    const { account } = visionTransformer({
      kind: 'vision-transformer',
      imageSize,
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
        blocks: [{ headDim: 3, hiddenDim: 7 }],
      },
    });
    const T = N + 1;
    const patches = N * 4 * 6; // N patches of 4 pixels to width 6
    const projections = 4 * (T * 6 * 6); // q, k, v and output over T tokens
    const attended = 2 * 2 * (T * T * 3); // QKᵀ and attention·V, 2 heads of 3
    const ffn = 2 * (T * 6 * 7);
    const norms = 3 * (5 * T * 6);
    expect(account.macs).toBe(patches + projections + attended + ffn + norms + 6 * 3);
  });
});

describe('visionTransformerConfig', () => {
  it('refuses pictures that are not whole patches', () => {
    expect(() => visionTransformerConfig('nano', { imageSize: 30, patchSize: 16, classes: 2 })).toThrow(
      /multiple of the patch size, got 30 px and patches of 16 px/,
    );
  });
});
