import fc from 'fast-check';
import {
  UserError,
  keptUnits,
  macsThatFit,
  macsWithin,
  predictedMs,
  visionTransformer,
  visionTransformerConfig,
} from '../../src/index';
import type { Decision, LatencyTable } from '../../src/index';

const model = visionTransformer(visionTransformerConfig('nano', { imageSize: 16, patchSize: 8, classes: 3 }));

/** A table in which a site saves its share of `cuttable` of the whole, along a line that is bent at the half. */
function table(cuttable: number, bend: number): LatencyTable {
  const each = (100 * cuttable) / model.sites.length;
  return {
    denseMs: 100,
    kinds: model.sites.map(({ id, structure, units }) => ({
      structure,
      sites: [id],
      rows: [
        { units: 1, savedMs: each },
        { units: Math.max(2, Math.floor(units / 2)), savedMs: each * bend },
        { units, savedMs: 0 },
      ],
    })),
  };
}

const latencyAt = (of: LatencyTable, share: number): number =>
  predictedMs(
    of,
    Object.fromEntries(model.sites.map(({ id, units }) => [id, Math.max(1, Math.floor(share * units))])),
  ) / of.denseMs;

describe('a share of a latency, as a share of the multiply–accumulates', () => {
  test('fits, and no even widths with a unit more anywhere would', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 0.9, noNaN: true }),
        fc.double({ min: 0.2, max: 0.8, noNaN: true }),
        fc.double({ min: 0.71, max: 1, noNaN: true }),
        (cuttable, bend, keep) => {
          const of = table(cuttable, bend);
          const least = latencyAt(of, 0);
          fc.pre(keep > least);
          const { macs, latency } = macsWithin(model, of, keep);
          expect(latency).toBeLessThanOrEqual(keep);
          expect(macs).toBeGreaterThan(0);
          expect(macs).toBeLessThanOrEqual(1);
          // The shares at which some layer gains a unit, in their order: the next one is too slow.
          const steps = [
            ...new Set(
              model.sites.flatMap(({ units }) =>
                Array.from({ length: units }, (_, unit) => (unit + 1) / units),
              ),
            ),
          ].sort((a, b) => a - b);
          const next = steps.find((share) => latencyAt(of, share) > latency + 1e-12);
          if (next !== undefined) expect(latencyAt(of, next)).toBeGreaterThan(keep - 1e-6);
        },
      ),
    );
  });

  const unitsKept = (decision: Decision) =>
    Object.fromEntries(model.sites.map((site) => [site.id, keptUnits(decision, site).length]));

  test('is tried out until a model that is timed fits and uses most of it, whatever the table is wrong by', async () => {
    const wrong = fc.double({ min: 0.8, max: 1.3, noNaN: true });
    const budgets = fc.double({ min: 0.5, max: 0.95, noNaN: true });
    await fc.assert(
      fc.asyncProperty(wrong, budgets, async (factor, keep) => {
        const of = table(0.8, 0.4);
        const timed = (decision: Decision) =>
          Promise.resolve((factor * predictedMs(of, unitsKept(decision))) / of.denseMs);
        const { macs, latency } = await macsThatFit(model, of, keep, timed);
        expect(latency).toBeLessThanOrEqual(keep);
        if (macs < 1) expect(latency).toBeGreaterThan(0.9 * keep);
        else expect(latency).toBeCloseTo(factor, 6);
      }),
    );
  });

  test('is not lost to one measurement that something disturbed', async () => {
    const of = table(0.8, 0.4);
    const share = (decision: Decision) => predictedMs(of, unitsKept(decision)) / of.denseMs;
    const quiet = await macsThatFit(model, of, 0.5, (decision) => Promise.resolve(share(decision)));
    let tries = 0;
    const disturbed = await macsThatFit(model, of, 0.5, (decision) =>
      Promise.resolve((++tries === 1 ? 2 : 1) * share(decision)),
    );
    expect(disturbed.latency).toBeLessThanOrEqual(0.5);
    expect(disturbed.macs).toBeGreaterThan(0.75 * quiet.macs);
  });

  test('that no model keeps to ends with the last that was tried', async () => {
    let tries = 0;
    const found = await macsThatFit(model, table(0.5, 0.5), 0.6, () => Promise.resolve(++tries && 0.7));
    expect(found.latency).toBe(0.7);
    expect(tries).toBeLessThanOrEqual(6);
  });

  test('of a larger budget is no smaller', () => {
    const of = table(0.8, 0.3);
    const shares = [0.3, 0.5, 0.7, 0.9, 1].map((keep) => macsWithin(model, of, keep).macs);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  test('that cannot be reached, or is none, is the user’s mistake', () => {
    expect(() => macsWithin(model, table(0.5, 0.5), 0.4)).toThrow(UserError);
    expect(() => macsWithin(model, table(0.5, 0.5), 0.4)).toThrow(
      /40.0 % of the latency cannot be reached.*leaves 50.0 %/,
    );
    for (const keep of [0, -1, 1.5, Number.NaN])
      expect(() => macsWithin(model, table(0.5, 0.5), keep)).toThrow(UserError);
  });
});
