import { tensor1d, tidy } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import {
  type Decision,
  type RandomStream,
  type Site,
  UserError,
  type VisionTransformerConfig,
  checkDecision,
  compact,
  cutTree,
  decidedSites,
  decisionFromMasks,
  decisionSchema,
  disposeTree,
  dualEncoder,
  effective,
  entriesOf,
  headsKind,
  maskOf,
  randomStream,
  removalTarget,
  selectUnits,
  sitesOf,
  smallestKeep,
  visionTransformer,
} from '../../src/index';
import {
  logitDifference,
  perturbedParams,
  randomImages,
  randomMasks,
  seeds,
  smallConfigs,
} from './random-model';
import { smallDualEncoders } from './random-towers';
import { removedCost } from './removed-cost';
import { roundingBound } from './rounding';

beforeAll(() => startEngine('wasm'));

/** Whole units, as a model has them: a decision about some of its heads, or of its blocks, at random. */
const grains = fc.constantFrom('heads', 'blocks');

/** One block stays of each list. */
function randomBlocks(sites: readonly Site[], random: RandomStream): Record<string, number[]> {
  const stays = new Map(sites.map(({ stack, id }) => [stack, id]));
  return Object.fromEntries(
    sites.map(({ stack, id }) => [id, [stays.get(stack) === id || random.uniform() < 0.5 ? 1 : 0]]),
  );
}

const randomDecision = (sites: readonly Site[], random: RandomStream): Decision =>
  decisionFromMasks(
    sites,
    sites.some(({ whole }) => whole?.kind === 'block')
      ? randomBlocks(sites, random)
      : randomMasks(sites, random),
  );

it('cut and masked models say the same without whole heads or whole blocks', () => {
  fc.assert(
    fc.property(smallConfigs, seeds, grains, (config, seed, grain) => {
      tidy(() => {
        const model = visionTransformer(config);
        const params = perturbedParams(model, seed);
        const random = randomStream(seed, 'masks');
        const decision = randomDecision(sitesOf(model, grain), random);
        const sites = decidedSites(model, decision);
        const masks = Object.fromEntries(sites.map((site) => [site.id, tensor1d(maskOf(decision, site))]));
        const masked = effective(params, sites, masks);
        const cut = compact(model, params, decision);
        const images = randomImages(config, random);
        const difference = logitDifference({ model, params: masked }, cut, { images });
        expect(difference).toBeLessThan(
          roundingBound(masked, (rounded) => model.forward(rounded, { images }).logits),
        );
      });
    }),
    { numRuns: 30 },
  );
});

it('a model without a block is the one whose pass leaves the block out', () => {
  fc.assert(
    fc.property(smallConfigs, seeds, (config, seed) => {
      tidy(() => {
        const model = visionTransformer(config);
        const params = perturbedParams(model, seed);
        const random = randomStream(seed, 'masks');
        const decision = randomDecision(sitesOf(model, 'blocks'), random);
        const kept = decision.blocks?.['blocks']?.kept ?? [];
        const cut = compact(model, params, decision);
        const images = randomImages(config, random);
        const without = model.forward(params, {
          images,
          enter: (block, states) => (kept.includes(Number(block.split('.')[1])) ? states : undefined),
        });
        expect(cut.model.config).toHaveProperty('tower.blocks.length', kept.length);
        expect([...cut.model.forward(cut.params, { images }).logits.dataSync()]).toEqual([
          ...without.logits.dataSync(),
        ]);
      });
    }),
    { numRuns: 40 },
  );
});

it('the account of the smaller model is that of the dense one without what its units cost; shapes and data follow', () => {
  fc.assert(
    fc.property(smallDualEncoders, seeds, grains, (config, seed, grain) => {
      const model = dualEncoder(config);
      const sites = sitesOf(model, grain);
      const decision = randomDecision(sites, randomStream(seed, 'masks'));
      const small = model.shrink(decision);
      const removed = removedCost(decision, sites);
      expect(model.account.parameters - small.account.parameters).toBeCloseTo(removed.parameters, 6);
      expect(model.account.macs - small.account.macs).toBeCloseTo(removed.macs, 6);
      const params = perturbedParams(model, seed);
      const cut = cutTree(params, model.sites, decision);
      const shapes = (tree: Parameters<typeof entriesOf>[0]) =>
        entriesOf(tree).map(([path, { shape }]) => [path, [...shape]]);
      expect(shapes(cut)).toEqual(shapes(small.specs));
      expect(decisionSchema.parse(JSON.parse(JSON.stringify(decision)))).toEqual(decision);
      disposeTree(params);
      disposeTree(cut);
    }),
    { numRuns: 40 },
  );
});

it('a walk down the ranking of whole units keeps a head of each attention, a block of each tower, and meets the budget', () => {
  fc.assert(
    fc.property(
      smallDualEncoders,
      seeds,
      grains,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (config, seed, grain, share) => {
        const model = dualEncoder(config);
        const sites = sitesOf(model, grain);
        const random = randomStream(seed, 'priorities');
        const priorities = Object.fromEntries(
          sites.map(({ id, units }) => [id, Array.from({ length: units }, () => random.uniform())]),
        );
        const least = smallestKeep(model, { unit: 'parameters' }, sites);
        const keep = least + share * (1 - least);
        const target = removalTarget(model, { unit: 'parameters', keep }, sites);
        const decision = selectUnits(sites, priorities, target);
        checkDecision(decision, model.sites);
        const removed = model.account.parameters - model.shrink(decision).account.parameters;
        expect(removed).toBeGreaterThanOrEqual(target.amount * (1 - 1e-6));
        expect(removed).toBeLessThanOrEqual(target.amount + Math.max(...sites.map(target.costOf)) + 1e-6);
      },
    ),
    { numRuns: 30 },
  );
});

const config: VisionTransformerConfig = {
  kind: 'vision-transformer',
  imageSize: 4,
  patchSize: 2,
  channels: 1,
  classes: 2,
  distillation: 'none',
  embeddingNorm: false,
  patchBias: true,
  tower: {
    ...{ embedDim: 4, heads: 2, denseHeadDim: 2, activation: 'gelu', causal: false, normEpsilon: 1e-6 },
    blocks: [
      { headDim: 2, hiddenDim: 3 },
      { headDim: 2, hiddenDim: 3 },
    ],
  },
};

it('decisions about whole units that do not fit are refused by name', () => {
  const { sites } = visionTransformer(config);
  const blocks =
    (own: Decision['blocks'], more: Partial<Decision> = {}) =>
    () => {
      checkDecision({ version: 1, sites: {}, ...more, ...(own === undefined ? {} : { blocks: own }) }, sites);
    };
  expect(blocks({ blocks: { kept: [1], units: 2 } })).not.toThrow();
  expect(blocks({ 'text.blocks': { kept: [0], units: 2 } })).toThrow(/whole blocks of text\.blocks/);
  expect(blocks({ blocks: { kept: [0], units: 3 } })).toThrow(/for 3 blocks at blocks, the model has 2/);
  expect(blocks({ blocks: { kept: [], units: 2 } })).toThrow(/at least one of the kept blocks/);
  expect(blocks({ blocks: { kept: [1, 0], units: 2 } })).toThrow(/ascend within 0…1, got 0 after 1/);
  const keep = { kind: 'keep', kept: [0], units: 3 } as const;
  expect(blocks({ blocks: { kept: [0], units: 2 } }, { sites: { 'blocks.0.ffn': keep } })).toThrow(
    /takes nothing else/,
  );
  const heads = { kind: 'heads', kept: [1], heads: 2, units: 2 } as const;
  expect(blocks(undefined, { sites: { 'blocks.0.attention': heads } })).not.toThrow();
  expect(blocks(undefined, { sites: { 'blocks.0.attention': { ...heads, heads: 3 } } })).toThrow(
    /for 3 heads at blocks\.0\.attention, the model has 2/,
  );
  expect(blocks(undefined, { sites: { 'blocks.0.attention': { ...heads, kept: [2] } } })).toThrow(
    /kept heads at blocks\.0\.attention must ascend/,
  );
  expect(blocks(undefined, { sites: { 'blocks.0.ffn': { ...heads, units: 3 } } })).toThrow(
    /whole heads cannot go at blocks\.0\.ffn/,
  );
  expect(headsKind.is(heads)).toBe(true);
});

it('whole blocks of a model that merges tokens are refused, and a budget below one block by name', () => {
  const merging = visionTransformer({ ...config, merging: { perBlock: 1 } });
  expect(() => sitesOf(merging, 'blocks')).toThrow(UserError);
  expect(() => sitesOf({ ...merging, sites: [] }, 'heads')).toThrow(/no attention of which whole heads/);
  const model = visionTransformer(config);
  expect(() => removalTarget(model, { unit: 'parameters', keep: 0.1 }, sitesOf(model, 'blocks'))).toThrow(
    /every tower keeps at least one block/,
  );
});
