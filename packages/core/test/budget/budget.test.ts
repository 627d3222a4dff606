import fc from 'fast-check';
import {
  UserError,
  budgetUnits,
  checkDecision,
  keptUnits,
  randomStream,
  removalTarget,
  selectUnits,
  smallestKeep,
  visionTransformer,
} from '../../src/index';
import { seeds, smallConfigs } from '../model/random-model';
import { twoLayers } from '../model/two-layers';
import { removedCost } from '../model/removed-cost';

const units = fc.constantFrom(...budgetUnits);
const shares = fc.double({ min: 0, max: 1, noNaN: true });

/** Priorities with many ties, so that their order matters. */
function randomPriorities({ sites }: ReturnType<typeof visionTransformer>, seed: number) {
  const random = randomStream(seed, 'priorities');
  return Object.fromEntries(
    sites.map(({ id, units: count }) => [id, Array.from({ length: count }, () => random.integer(5))]),
  );
}

describe('selecting units to a budget', () => {
  it('removes what is asked or up to one unit more, and leaves every site a unit', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, units, shares, shares, (config, seed, unit, at, share) => {
        const model = visionTransformer(config);
        const least = smallestKeep(model, { unit });
        const target = removalTarget(model, { unit, keep: Math.min(1, least + (1 - least) * at) });
        const decision = selectUnits(model.sites, randomPriorities(model, seed), target, share);
        checkDecision(decision, model.sites);
        const cost = removedCost(decision, model.sites);
        const removed = unit === 'macs' ? cost.macs : cost.parameters;
        const largest = Math.max(
          ...model.sites.map(({ unitCost }) => (unit === 'macs' ? unitCost.macs : unitCost.parameters)),
        );
        const asked = share * target.amount;
        expect(removed).toBeGreaterThanOrEqual(asked * (1 - 1e-6));
        expect(removed).toBeLessThanOrEqual(asked + largest);
      }),
      { numRuns: 300 },
    );
  });

  it('removes a unit only when every removable unit of greater priority is gone', () => {
    fc.assert(
      fc.property(
        smallConfigs,
        seeds,
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        (config, seed, share) => {
          const model = visionTransformer(config);
          const priorities = randomPriorities(model, seed);
          const unit = 'parameters';
          const target = removalTarget(model, { unit, keep: smallestKeep(model, { unit }) });
          const decision = selectUnits(model.sites, priorities, target, share);
          const removed = model.sites.flatMap((site) => {
            const kept = new Set(keptUnits(decision, site));
            return (priorities[site.id] ?? []).filter((_, index) => !kept.has(index));
          });
          const removable = model.sites.flatMap((site) => {
            const kept = keptUnits(decision, site);
            return kept.length === 1 ? [] : kept.map((index) => priorities[site.id]?.[index] ?? Number.NaN);
          });
          if (removed.length > 0 && removable.length > 0) {
            expect(Math.min(...removed)).toBeGreaterThanOrEqual(Math.max(...removable));
          }
        },
      ),
    );
  });

  it('breaks ties by site and unit', () => {
    const model = twoLayers();
    const flat = Object.fromEntries(model.sites.map(({ id, units: count }) => [id, new Float32Array(count)]));
    const [first] = model.sites;
    if (first === undefined) throw new Error('the model has no site');
    const twoUnits = { amount: 2, total: 10, costOf: () => 1 };
    const decision = selectUnits(model.sites, flat, twoUnits);
    expect(keptUnits(decision, first)).toEqual([2, 3]);
    for (const site of model.sites.slice(1)) expect(keptUnits(decision, site)).toHaveLength(site.units);
  });

  it('keeps the unit of least priority when a site is emptied', () => {
    const model = twoLayers();
    const priorities = Object.fromEntries(
      model.sites.map(({ id, units: count }) => [id, new Float32Array(count)]),
    );
    priorities['blocks.0.attention'] = Float32Array.of(9, 7, 8, 9);
    const decision = selectUnits(model.sites, priorities, { amount: 4, total: 10, costOf: () => 1 });
    expect(decision.sites['blocks.0.attention']).toMatchObject({ kept: [1] });
    // The fourth comes from the next site: the last unit of a site does not count.
    expect(decision.sites['blocks.0.ffn']).toMatchObject({ kept: [1, 2, 3, 4, 5] });
  });

  it('refuses priorities that are missing or not numbers', () => {
    const model = twoLayers();
    const target = { amount: 1, total: 10, costOf: () => 1 };
    expect(() => selectUnits(model.sites, {}, target)).toThrow(
      /expected 4 priorities for blocks.0.attention, got none/,
    );
    const flat = Object.fromEntries(model.sites.map(({ id, units: count }) => [id, new Float32Array(count)]));
    flat['blocks.1.ffn'] = Float32Array.of(0, 0, Number.NaN, 0, 0, 0);
    expect(() => selectUnits(model.sites, flat, target)).toThrow(/priority of blocks.1.ffn unit 2 is NaN/);
  });
});

describe('removalTarget', () => {
  it('is exact at the smallest share, and refuses less', () => {
    fc.assert(
      fc.property(smallConfigs, units, (config, unit) => {
        const model = visionTransformer(config);
        const least = smallestKeep(model, { unit });
        const oneEach = model.sites.map(({ id, units: count }) => [
          id,
          { kind: 'keep' as const, kept: [0], units: count },
        ]);
        const smallest = model.shrink({ version: 1, sites: Object.fromEntries(oneEach) });
        const measure = unit === 'macs' ? 'macs' : 'parameters';
        const compressible = model.sites.reduce((sum, site) => sum + site.units * site.unitCost[measure], 0);
        const total = unit === 'compressible-parameters' ? compressible : model.account[measure];
        expect(least * total).toBeCloseTo(total - (model.account[measure] - smallest.account[measure]), 6);
        expect(() => removalTarget(model, { unit, keep: least * 0.999 })).toThrow(UserError);
        expect(removalTarget(model, { unit, keep: least }).amount).toBeCloseTo((1 - least) * total, 6);
      }),
    );
  });

  it.each([0, -1, 1.01, Number.NaN])('refuses to keep %p', (keep) => {
    expect(() => removalTarget(twoLayers(), { unit: 'macs', keep })).toThrow(UserError);
  });

  it('says what can be reached', () => {
    const refused = () => removalTarget(twoLayers(), { unit: 'macs', keep: 0.01 });
    expect(refused).toThrow(/1\.00 % of the macs cannot be reached: .* leaves \d+\.\d\d %/);
  });
});
