import fc from 'fast-check';
import {
  type Site,
  modelPlace,
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
