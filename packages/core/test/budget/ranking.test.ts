import fc from 'fast-check';
import {
  type Site,
  modelPlace,
  standardize,
  standardizeSites,
  tower,
  withinSites,
  withinStructures,
} from '../../src/index';

const { sites } = tower({
  embedDim: 8,
  heads: 2,
  denseHeadDim: 4,
  activation: 'gelu',
  causal: false,
  normEpsilon: 1e-6,
  blocks: [
    { headDim: 4, hiddenDim: 10 },
    { headDim: 3, hiddenDim: 7 },
  ],
}).describe({ ...modelPlace('vision'), path: 'blocks', uses: [{ tokens: 5 }] });

const scored = fc
  .tuple(
    ...sites.map(({ units }) => fc.array(fc.double({ noNaN: true }), { minLength: units, maxLength: units })),
  )
  .map((scores) => Object.fromEntries(sites.map(({ id }, index) => [id, scores[index] ?? []])));

/** Orders of the scores' units in a group, the greatest first; ties by position. */
const orderOf = (group: readonly Site[], values: Readonly<Record<string, ArrayLike<number>>>) =>
  group
    .flatMap(({ id, units }, site) =>
      Array.from({ length: units }, (_, unit) => ({
        at: `${id} ${unit}`,
        site,
        unit,
        value: values[id]?.[unit] ?? NaN,
      })),
    )
    .sort((a, b) => b.value - a.value || a.site - b.site || a.unit - b.unit)
    .map(({ at }) => at);

it('keeps the order of scores, within every site or within every structure, and spreads ranks evenly below 0', () => {
  fc.assert(
    fc.property(scored, (scores) => {
      for (const { rank, groups } of [
        { rank: withinSites, groups: sites.map((site) => [site]) },
        {
          rank: withinStructures,
          groups: ['attention', 'ffn'].map((kind) => sites.filter((site) => site.structure === kind)),
        },
      ]) {
        const priorities = rank(sites, scores);
        for (const group of groups) {
          expect(orderOf(group, priorities)).toEqual(orderOf(group, scores));
          const all = group.flatMap(({ id }) => Array.from(priorities[id] ?? [])).sort((a, b) => b - a);
          all.forEach((priority, place) => {
            expect(priority).toBeCloseTo(-(place + 0.5) / all.length, 12);
          });
        }
      }
    }),
  );
});

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
  // attention: 1000 … 1003 and 1000 … 1002 have the mean 1000 + 9/7 and the deviation √52 / 7
  expect(standardized['blocks.0.attention']?.[3]).toBeCloseTo(12 / Math.sqrt(52), 6);
});

it('gives zeros to a group of equal scores', () => {
  expect([
    ...(standardize(
      sites,
      scoresBy(() => 3),
    )['blocks.1.ffn'] ?? []),
  ]).toEqual(Array(7).fill(0));
});

it('ranks within a site by score, ties by position', () => {
  const priorities = withinSites(sites.slice(0, 1), { 'blocks.0.attention': Float32Array.of(2, 5, 2, -1) });
  expect([...Array.from(priorities['blocks.0.attention'] ?? [])]).toEqual([-0.375, -0.125, -0.625, -0.875]);
});

it('standardises every site by itself', () => {
  const scores = Object.fromEntries(
    sites.map(({ id, units, layer }) => [
      id,
      Array.from({ length: units }, (_, unit) => layer + (1 + layer) * unit),
    ]),
  );
  for (const values of Object.values(standardizeSites(sites, scores))) {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean).toBeCloseTo(0, 10);
    expect(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length).toBeCloseTo(1, 10);
  }
});

it('names the site that lacks scores', () => {
  expect(() => withinSites(sites, {})).toThrow(/4 scores for blocks\.0\.attention, got none/);
  expect(() => withinStructures(sites, Object.fromEntries(sites.map(({ id }) => [id, [1]])))).toThrow(
    /got 1/,
  );
});
