import fc from 'fast-check';
import {
  type RemovalTarget,
  UserError,
  keptUnits,
  randomStream,
  removalTarget,
  requirement,
  selectUnits,
  sitesOf,
  smallestKeep,
  visionTransformer,
  widthsOf,
} from '../../src/index';
import { seeds, smallConfigs } from '../model/random-model';
import { removedCost } from '../model/removed-cost';
import { twoLayers } from '../model/two-layers';

const shares = fc.double({ min: 0, max: 1, noNaN: true });
const multiples = fc.integer({ min: 2, max: 5 });

const drawn = ({ sites }: ReturnType<typeof visionTransformer>, seed: number) => {
  const random = randomStream(seed, 'priorities');
  return Object.fromEntries(
    sites.map(({ id, units }) => [id, Array.from({ length: units }, () => random.uniform())]),
  );
};

describe('widths in multiples', () => {
  it('holds everywhere, meets the budget within one multiple, and drops those of a site that would go first', () => {
    fc.assert(
      fc.property(smallConfigs, seeds, multiples, shares, shares, (config, seed, multiple, at, share) => {
        const model = visionTransformer(config);
        fc.pre(model.sites.some(({ units }) => units >= multiple));
        const least = smallestKeep(model, { unit: 'macs', multiple });
        const budget = { unit: 'macs', keep: Math.min(1, least + (1 - least) * at), multiple } as const;
        const target = removalTarget(model, budget);
        const priorities = drawn(model, seed);
        const decision = selectUnits(model.sites, priorities, target, share);
        for (const site of model.sites) {
          const kept = keptUnits(decision, site);
          expect(widthsOf(site.units, multiple)).toContain(kept.length);
          const own = priorities[site.id] ?? [];
          const stays = Math.max(...kept.map((unit) => own[unit] ?? Number.NaN));
          const gone = own.filter((_, unit) => !kept.includes(unit));
          for (const priority of gone) expect(priority).toBeGreaterThanOrEqual(stays);
        }
        const removed = removedCost(decision, model.sites).macs;
        expect(removed).toBeGreaterThanOrEqual(share * target.amount * (1 - 1e-6));
        expect(removed).toBeLessThanOrEqual(share * target.amount + requirement(model, budget).step);
      }),
      { numRuns: 200 },
    );
  });

  it('takes bundles by the mean of their priorities', () => {
    const model = twoLayers();
    const priorities = Object.fromEntries(model.sites.map(({ id, units }) => [id, new Float32Array(units)]));
    // Alone the 9 would go first; with the unit that it has to take along it is 4.5, and two fives are more.
    priorities['blocks.0.ffn'] = Float32Array.of(0, 9, 0, 0, 0, 0);
    priorities['blocks.1.ffn'] = Float32Array.of(0, 5, 0, 0, 5, 0);
    const target: RemovalTarget = { amount: 2, total: 20, multiple: 2, costOf: () => 1 };
    const decision = selectUnits(model.sites, priorities, target);
    expect(decision.sites['blocks.1.ffn']).toMatchObject({ kept: [0, 2, 3, 5] });
    expect(decision.sites['blocks.0.ffn']).toMatchObject({ kept: [0, 1, 2, 3, 4, 5] });
  });

  it('is refused where it means nothing', () => {
    const model = twoLayers();
    const asked = { unit: 'parameters', keep: 0.9 } as const;
    expect(() => removalTarget(model, { ...asked, multiple: 7 })).toThrow(
      /no layer has 7 units, the widest has 6/,
    );
    expect(() => removalTarget(model, { ...asked, multiple: 2 }, sitesOf(model, 'blocks'))).toThrow(
      /no width is decided about/,
    );
    expect(() => requirement(model, { ...asked, multiple: 2 }, 'weights')).toThrow(/single weights/);
    for (const multiple of [0, -2, 1.5, Number.NaN])
      expect(() => removalTarget(model, { ...asked, multiple })).toThrow(UserError);
    const least = smallestKeep(model, { unit: 'parameters', multiple: 4 });
    expect(() => removalTarget(model, { unit: 'parameters', keep: least - 0.01, multiple: 4 })).toThrow(
      /every site keeps at least 4 units/,
    );
  });
});
