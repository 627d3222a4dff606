import { disposeTree, keptUnits, selectUnits } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type TinyModel, tinyModel } from '@winnow/testkit';
import { maskPriorities } from '../src/trained-masks';

let sites: TinyModel['model']['sites'] = [];
beforeAll(async () => {
  await startEngine('wasm');
  const { model, params } = tinyModel();
  disposeTree(params);
  ({ sites } = model);
});

const scoresBy = (score: (layer: number, unit: number) => number) =>
  Object.fromEntries(
    sites.map(({ id, units, layer }) => [
      id,
      Float32Array.from({ length: units }, (_, unit) => score(layer, unit)),
    ]),
  );

it('mask-based selection takes the same share of every site, whatever the scale of its masks', () => {
  const masks = scoresBy((layer, unit) => (layer + 1) * 100 + unit);
  const priorities = maskPriorities(sites, masks, 'within-sites');
  const total = sites.reduce((sum, site) => sum + site.units * site.unitCost.parameters, 0);
  const decision = selectUnits(sites, priorities, {
    amount: 0.5 * total,
    total,
    costOf: (site) => site.unitCost.parameters,
  });
  for (const site of sites) {
    const kept = keptUnits(decision, site);
    expect(Math.abs(kept.length - site.units / 2)).toBeLessThanOrEqual(1);
    expect(kept.at(-1)).toBe(site.units - 1); // the largest mask stays
    expect(kept).not.toContain(0); // the smallest goes
  }
});

it('unified selection moves units between layers', () => {
  const masks = scoresBy((layer, unit) => (layer === 0 ? 1 : 0.1) + unit * 1e-3);
  const priorities = maskPriorities(sites, masks, 'unified');
  const total = sites.reduce((sum, site) => sum + site.units * site.unitCost.parameters, 0);
  const decision = selectUnits(sites, priorities, {
    amount: 0.4 * total,
    total,
    costOf: (site) => site.unitCost.parameters,
  });
  const [first, second] = sites
    .filter(({ structure }) => structure === 'ffn')
    .map((site) => keptUnits(decision, site).length / site.units);
  expect(first).toBe(1);
  expect(second).toBeLessThan(0.5);
});
