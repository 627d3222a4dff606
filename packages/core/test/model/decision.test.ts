import fc from 'fast-check';
import {
  type Decision,
  type Keep,
  checkDecision,
  decisionFromMasks,
  identityDecision,
  keptUnits,
  maskOf,
  randomStream,
  visionTransformer,
} from '../../src/index';
import { randomMasks, seeds, smallConfigs } from './random-model';
import { removedCost } from './removed-cost';

const [config] = fc.sample(smallConfigs, { seed: 5, numRuns: 1 });
if (config === undefined) throw new Error('no configuration was drawn');
const { sites } = visionTransformer({
  ...config,
  tower: { ...config.tower, blocks: [{ headDim: 4, hiddenDim: 6 }] },
});
const decide = (id: string, part: Partial<Keep>): Decision => ({
  version: 1,
  sites: { [id]: { kind: 'keep', kept: [0, 1], units: 4, ...part } },
});
const attention = 'blocks.0.attention';

describe('checkDecision', () => {
  it('accepts what fits', () => {
    checkDecision(identityDecision, sites);
    checkDecision(decide(attention, {}), sites);
    expect(sites.map(({ units }) => units)).toEqual([4, 6]);
  });

  it.each<[string, Decision, RegExp]>([
    ['an unknown site', decide('blocks.1.ffn', {}), /names blocks.1.ffn, which the model does not have/],
    ['a site of another size', decide(attention, { units: 5 }), /is for 5 units .* the model has 4/],
    ['an empty site', decide(attention, { kept: [] }), /keeps nothing at blocks.0.attention/],
    ['a unit out of range', decide(attention, { kept: [0, 4] }), /within 0…3, got 4 after 0/],
    ['a negative unit', decide(attention, { kept: [-1] }), /got -1/],
    ['units out of order', decide(attention, { kept: [2, 1] }), /got 1 after 2/],
    ['a unit twice', decide(attention, { kept: [1, 1] }), /got 1 after 1/],
    ['half a unit', decide(attention, { kept: [0.5] }), /got 0.5/],
  ])('refuses %s', (_what, decision, message) => {
    expect(() => checkDecision(decision, sites)).toThrow(RangeError);
    expect(() => checkDecision(decision, sites)).toThrow(message);
  });
});

describe('decisions and masks', () => {
  it('are two forms of the same, and cost what the smaller model lacks', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, (drawn, seed) => {
        const model = visionTransformer(drawn);
        const masks = randomMasks(model.sites, randomStream(seed, 'masks'));
        const decision = decisionFromMasks(model.sites, masks);
        checkDecision(decision, model.sites);
        for (const site of model.sites) expect([...maskOf(decision, site)]).toEqual(masks[site.id]);
        const small = model.shrink(decision).account;
        const removed = removedCost(decision, model.sites);
        expect(model.account.parameters - small.parameters).toBe(removed.parameters);
        expect(model.account.macs - small.macs).toBe(removed.macs);
      }),
    );
  });

  it('keep everything at sites that are not named', () => {
    for (const site of sites) {
      expect(keptUnits(identityDecision, site)).toHaveLength(site.units);
      expect([...maskOf(identityDecision, site)]).toEqual(new Array(site.units).fill(1));
    }
  });

  it('refuse masks of the wrong length', () => {
    expect(() => decisionFromMasks(sites, { [attention]: [1, 0] })).toThrow(
      /expected a mask of 4 entries .* got 2/,
    );
    expect(() => decisionFromMasks(sites, {})).toThrow(/got none/);
  });
});
