import { type Site, keptUnits, modelPlace, selectUnits, standardize, tower, withinSites } from '@winnow/core';
import { maskPriorities } from '../src/trained-masks';

const { sites } = tower({
  embedDim: 8,
  heads: 2,
  denseHeadDim: 4,
  activation: 'gelu',
  causal: false,
  normEpsilon: 1e-6,
  blocks: [
    { headDim: 4, hiddenDim: 10 },
    { headDim: 4, hiddenDim: 10 },
  ],
}).describe({ ...modelPlace('vision'), path: 'blocks', uses: [{ tokens: 5 }] });
const scoresBy = (score: (site: Site, unit: number) => number) =>
  Object.fromEntries(
    sites.map((site) => [site.id, Float32Array.from({ length: site.units }, (_, u) => score(site, u))]),
  );

it('standardises each structure over all layers', () => {
  const scores = scoresBy((site, unit) => (site.structure === 'attention' ? 1000 + unit : unit * site.layer));
  const standardized = standardize(sites, scores);
  for (const structure of ['attention', 'ffn']) {
    const group = sites
      .filter((site) => site.structure === structure)
      .flatMap((site) => [...(standardized[site.id] ?? [])]);
    const mean = group.reduce((a, b) => a + b, 0) / group.length;
    const variance = group.reduce((a, b) => a + (b - mean) ** 2, 0) / group.length;
    expect(mean).toBeCloseTo(0, 10);
    expect(variance).toBeCloseTo(1, 10);
  }
  // attention: 1000 … 1003 twice has mean 1001.5 and deviation √1.25
  expect(standardized['blocks.0.attention']?.[3]).toBeCloseTo(1.5 / Math.sqrt(1.25), 6);
});

it('gives zeros to a group of equal scores', () => {
  expect([
    ...(standardize(
      sites,
      scoresBy(() => 3),
    )['blocks.1.ffn'] ?? []),
  ]).toEqual(Array(10).fill(0));
});

it('mask-based selection takes the same share of every site, whatever the scale of its masks', () => {
  const masks = scoresBy((site, unit) => (site.layer + 1) * 100 + unit);
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
  const masks = scoresBy((site, unit) => (site.layer === 0 ? 1 : 0.1) + unit * 1e-3);
  const priorities = maskPriorities(sites, masks, 'unified');
  const total = sites.reduce((sum, site) => sum + site.units * site.unitCost.parameters, 0);
  const decision = selectUnits(sites, priorities, {
    amount: 0.4 * total,
    total,
    costOf: (site) => site.unitCost.parameters,
  });
  const [first, second] = sites
    .filter(({ structure }) => structure === 'ffn')
    .map((site) => keptUnits(decision, site));
  expect(first).toHaveLength(10);
  expect(second?.length).toBeLessThan(5);
});

it('ranks within a site by score, ties by position', () => {
  const priorities = withinSites(sites.slice(0, 1), { 'blocks.0.attention': Float32Array.of(2, 5, 2, -1) });
  expect([...Array.from(priorities['blocks.0.attention'] ?? [])]).toEqual([-0.375, -0.125, -0.625, -0.875]);
});
