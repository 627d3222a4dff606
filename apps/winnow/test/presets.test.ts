import { fileURLToPath } from 'node:url';
import { readConfigFile } from '../src/arguments/config-file';
import { toJson } from '@winnow/core';
import { type ComparedOn, comparingOn, methods, planWith } from '@winnow/lab';

const presetFile = (preset: string): string =>
  fileURLToPath(new URL(`../presets/compare-${preset}.yaml`, import.meta.url));
const planOf = async (preset: string, on: ComparedOn = {}) =>
  planWith(
    {
      given: toJson(comparingOn(await readConfigFile(presetFile(preset)), on)),
      run: { engine: 'wasm' },
    },
    undefined,
  );
// Ten rankers without a search would double the tables; who wants them names them.
const all = methods.flatMap(({ manifest }) => (manifest.family === 'one-shot' ? [] : [manifest.name]));

test.each([
  ['quick', 3, 3],
  ['full', 5, 5],
] as const)(
  '%s sets every method but the one-shot rankers, and every control, against each other, at %i budgets and %i seeds',
  async (preset, budgets, seeds) => {
    const { dense, points } = await planOf(preset);
    expect(new Set(points.map(({ contender }) => contender.method))).toEqual(new Set(all));
    for (const workload of ['categories', 'names']) {
      const own = points.filter(({ contender }) => contender.workload === workload);
      expect(new Set(own.map(({ contender }) => contender.budget)).size).toBe(budgets);
      expect(new Set(own.map(({ seed }) => seed)).size).toBe(seeds);
      expect(dense.filter((point) => point.workload === workload)).toHaveLength(seeds);
      for (const track of ['equal-compute', 'recommended']) {
        const controls = own.filter(({ contender }) => contender.track === track && contender.isControl);
        expect(new Set(controls.map(({ contender }) => contender.label)).size).toBe(4);
      }
    }
  },
);

test('in the track of equal compute everybody is given the same', async () => {
  const { config, points } = await planOf('quick');
  const given = points.flatMap(({ contender, options }) =>
    contender.track === 'equal-compute' && contender.label !== 'small, from scratch'
      ? [options['compute']]
      : [],
  );
  expect(new Set(given)).toEqual(new Set([config.tracks['equal-compute']?.compute]));
});

test('photos compares on the pictures and the model that are named, with everybody trained for as long', async () => {
  const { config, dense, points } = await planOf('photos', { data: 'my/photographs', from: 'my/model' });
  for (const { job } of dense)
    expect(job.options).toMatchObject({ data: 'my/photographs', from: 'my/model' });
  for (const { options } of points) expect(options).toMatchObject({ data: 'my/photographs' });
  const labels = (budget: string) =>
    new Set(points.flatMap(({ contender }) => (contender.budget === budget ? [contender.label] : [])));
  expect([...labels('2x')].filter((label) => !labels('4x').has(label))).toEqual(['unified', 'mask-based']);
  const searching = points.filter(({ options }) =>
    JSON.stringify(options['options']).includes('"search":"4ep"'),
  );
  expect(new Set(searching.map(({ contender }) => contender.label)).size).toBe(5);
  const scratch = points.find(({ contender }) => contender.method === 'from-scratch');
  // As long as fine-tuning, search and retraining together.
  expect(scratch?.options).toMatchObject({ compute: '13ep', retrainLearningRate: 5e-4 });
  expect(config.seeds).toHaveLength(3);
});
