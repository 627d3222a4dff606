import { UserError } from '@winnow/core';
import fc from 'fast-check';
import { type Catalogue, type Control, type Options, jobOf, planComparison } from '../src/index';

const controls: readonly Control[] = [
  {
    name: 'trained-on',
    label: 'dense, trained on',
    method: 'random',
    options: {},
    budget: '1x',
    startsAnew: false,
  },
  { name: 'anew', label: 'from scratch', method: 'anew', options: {}, startsAnew: true },
];
const searches = ['learned', 'ranked'];
const catalogue: Catalogue = {
  controls,
  methods: [...searches, 'random', 'anew'],
  optionsOf: (method) => (searches.includes(method) ? ['search', 'rate'] : []),
  resolve: (command, given): Options =>
    command === 'train' ? { duration: '30ep', learningRate: 1e-3, ...given } : { batchSize: 64, ...given },
  runOf: (_workload, _command, options) => ({ content: { options }, options }),
};
const config = {
  name: 'small',
  workloads: [{ name: 'emoji', shared: { data: 'emoji-category' } }],
  methods: ['learned', { method: 'ranked', label: 'ranked, at once', options: { search: '0it' } }],
  budgets: ['2x', '4x'],
  seeds: [1, 2],
  tracks: {
    'equal-compute': { compute: '20ep', options: { search: '10ep' } },
    recommended: { retrain: '8ep' },
  },
};
const plan = (more: Readonly<Record<string, unknown>> = {}) =>
  planComparison({ ...config, ...more }, catalogue);
const optionsFor = (label: string, track: string) =>
  plan().points.find(({ contender }) => contender.label === label && contender.track === track)?.options;

const DIGEST = 'a'.repeat(64);
const ids = (given: ReturnType<typeof plan>, digest = DIGEST) =>
  given.points.map((point) => jobOf(point, digest).id);

it('is every contender at every budget, in every track, for every seed', () => {
  const { dense, points } = plan();
  expect(dense.map(({ seed }) => seed)).toEqual([1, 2]);
  expect(points).toHaveLength(4 * 2 * 2 * 2);
  const places = points.map(({ contender, seed }) => JSON.stringify([contender, seed]));
  expect(new Set(places).size).toBe(points.length);
});

it('gives everybody the same compute in one track, and the same retraining in the other', () => {
  expect(optionsFor('learned', 'equal-compute')).toMatchObject({
    compute: '20ep',
    options: { search: '10ep' },
  });
  expect(optionsFor('ranked, at once', 'equal-compute')).toMatchObject({
    compute: '20ep',
    options: { search: '0it' },
  });
  expect(optionsFor('learned', 'recommended')).toMatchObject({ retrain: '8ep', options: {} });
  expect(optionsFor('learned', 'recommended')).not.toHaveProperty('compute');
});

it('has a track only at the budgets that it names', () => {
  const { 'equal-compute': equal, recommended } = config.tracks;
  const { points } = plan({
    tracks: { 'equal-compute': equal, recommended: { ...recommended, budgets: ['4x'] } },
  });
  const budgets = (track: string) =>
    new Set(points.flatMap(({ contender }) => (contender.track === track ? [contender.budget] : [])));
  expect(budgets('equal-compute')).toEqual(new Set(['2x', '4x']));
  expect(budgets('recommended')).toEqual(new Set(['4x']));
});

it('gives who starts anew the compute of the dense training as well', () => {
  expect(optionsFor('from scratch', 'equal-compute')).toMatchObject({
    compute: '50ep',
    retrainLearningRate: 1e-3,
  });
  expect(optionsFor('from scratch', 'recommended')).toMatchObject({ compute: '38ep' });
  expect(() => plan({ tracks: { 'equal-compute': { compute: '100it' } } })).toThrow(
    /all in epochs or all in iterations/,
  );
});

it('gives one contender or control options and learning rates of its own, and nobody else', () => {
  const { points } = plan({
    workloads: [{ name: 'emoji', compress: { distill: 0.1, warmup: 0.2 } }],
    methods: [
      'learned',
      {
        method: 'learned',
        label: 'learned, distilled',
        run: { distill: 0.5 },
        retrainLearningRates: [1e-4, 2e-4],
      },
    ],
    controls: { anew: { run: { warmup: 0.4 }, retrainLearningRates: [3e-3] } },
  });
  const of = (name: string) => points.filter(({ contender: { label } }) => label === name);
  const rates = (name: string) => [...new Set(of(name).map(({ learningRate }) => learningRate))];
  expect(of('learned')[0]?.options).toMatchObject({ distill: 0.1, warmup: 0.2 });
  expect(of('learned, distilled')[0]?.options).toMatchObject({ distill: 0.5, warmup: 0.2 });
  expect(of('from scratch')[0]?.options).toMatchObject({ distill: 0.1, warmup: 0.4 });
  expect(of('dense, trained on')[0]?.options).toMatchObject({ distill: 0.1, warmup: 0.2 });
  expect(rates('learned')).toEqual([5e-4]);
  expect(rates('learned, distilled')).toEqual([1e-4, 2e-4]);
  expect(rates('from scratch')).toEqual([3e-3]);
  // One that merges tokens removes nothing, and stands beside those that remove half.
  const merging = { method: 'learned', label: 'merged', budget: '1x', run: { warmup: 0.3 } } as const;
  const merged = plan({ budgets: ['2x'], methods: ['learned', merging] }).points;
  expect(
    merged.flatMap(({ contender: { label, budget }, options }) =>
      label === 'merged' ? [[budget, options['budget'], options['warmup']]] : [],
    ),
  ).toContainEqual(['2x', '1x', 0.3]);
  // With the settings of everybody they are the same runs.
  const asEverybody = plan({ methods: [{ method: 'learned', label: 'again', run: {} }, 'learned'] }).points;
  const idsOf = (name: string) =>
    asEverybody.filter(({ contender }) => contender.label === name).map((point) => jobOf(point, DIGEST).id);
  expect(idsOf('again')).toEqual(idsOf('learned'));
});

it('gives the runs of a track options of their own, but not to who starts anew; they are other runs', () => {
  const { recommended } = config.tracks;
  const repaired = {
    methods: ['learned', { method: 'ranked', run: { retrainWarmup: 0.2 } }],
    workloads: [{ name: 'emoji', compress: { retrainLayerDecay: 1, retrainWarmup: 0 } }],
  };
  const plain = plan({ ...repaired, tracks: { recommended } });
  const given = plan({
    ...repaired,
    tracks: { recommended: { ...recommended, run: { retrainLayerDecay: 0.75, retrainWarmup: 0.1 } } },
  });
  const of = (name: string) => given.points.find(({ contender: { label } }) => label === name)?.options;
  expect(of('learned')).toMatchObject({ retrainLayerDecay: 0.75, retrainWarmup: 0.1 });
  expect(of('ranked')).toMatchObject({ retrainLayerDecay: 0.75, retrainWarmup: 0.2 });
  expect(of('dense, trained on')).toMatchObject({ retrainLayerDecay: 0.75, retrainWarmup: 0.1 });
  expect(of('from scratch')).toMatchObject({ retrainLayerDecay: 1, retrainWarmup: 0 });
  const anew = (found: typeof given) =>
    ids(found).filter((_, place) => found.points[place]?.contender.startsAnew === true);
  expect(anew(given)).toEqual(anew(plain));
  const others = ids(given).filter((id) => !anew(given).includes(id));
  expect(others.filter((id) => ids(plain).includes(id))).toEqual([]);
  const own = { recommended: { ...recommended, run: { retrain: '1ep' } } };
  expect(() => plan({ tracks: own })).toThrow(/run of recommended: retrain is the same for everybody/);
});

it('makes the same of a control that is the same at every budget: one job', () => {
  const { points } = plan();
  const jobs = points
    .filter(({ contender, seed }) => contender.label === 'dense, trained on' && seed === 1)
    .map((point) => `${point.contender.track} ${jobOf(point, DIGEST).id}`);
  expect(new Set(jobs).size).toBe(2);
});

describe('the id of a job', () => {
  const word = fc.string({ minLength: 1, maxLength: 6 });
  it('does not depend on the order of keys, and changes with every value and with the dense model', () => {
    fc.assert(
      fc.property(fc.dictionary(word, word, { minKeys: 1, maxKeys: 4 }), word, (compress, other) => {
        const of = (options: Readonly<Record<string, string>>) =>
          plan({ workloads: [{ name: 'emoji', compress: options }] });
        const turned = Object.fromEntries(Object.entries(compress).reverse());
        expect(ids(of(turned))).toEqual(ids(of(compress)));
        const [key = ''] = Object.keys(compress);
        fc.pre(
          compress[key] !== other &&
            !['method', 'budget', 'budgetUnit', 'compute', 'retrain', 'options'].includes(key),
        );
        fc.pre(!['seed', 'from', 'retrainLearningRate', '__proto__'].includes(key));
        const changed = ids(of({ ...compress, [key]: other }));
        const before = ids(of(compress));
        const elsewhere = ids(of(compress), 'b'.repeat(64));
        before.forEach((id, place) => {
          expect(changed[place]).not.toBe(id);
          expect(elsewhere[place]).not.toBe(id);
        });
      }),
      { numRuns: 20 },
    );
  });
  it('is of what a run is known by, and not of what it is started with', () => {
    const on = (content: string, path: string) =>
      planComparison(config, {
        ...catalogue,
        runOf: (workload, _command, { data: _data, ...options }) => ({
          content: { options, data: `${workload} ${content}` },
          options: { ...options, data: path },
        }),
      });
    const [here, moved, changed] = [on('one', '/here'), on('one', '/there'), on('two', '/here')];
    expect(ids(moved)).toEqual(ids(here));
    expect(moved.dense.map(({ job }) => job.id)).toEqual(here.dense.map(({ job }) => job.id));
    const jobs = moved.points.map((point) => jobOf(point, DIGEST));
    for (const { options } of [...moved.dense.map(({ job }) => job), ...jobs])
      expect(options['data']).toBe('/there');
    const known = new Set([...ids(here), ...here.dense.map(({ job }) => job.id)]);
    for (const id of [...ids(changed), ...changed.dense.map(({ job }) => job.id)])
      expect(known.has(id)).toBe(false);
  });
  it('is the same in a larger comparison: what is there already is not computed again', () => {
    const small = new Set(ids(plan()));
    const large = new Set(
      ids(plan({ budgets: ['2x', '4x', '8x'], seeds: [1, 2, 3], methods: [...config.methods, 'random'] })),
    );
    expect([...small].filter((id) => !large.has(id))).toEqual([]);
    expect(large.size).toBeGreaterThan(small.size);
  });
});

describe('a config that cannot be meant', () => {
  const cases: [string, Readonly<Record<string, unknown>>, RegExp][] = [
    ['another key', { budgetz: ['2x'] }, /unknown option budgetz; did you mean budgets\?/],
    ['another method', { methods: ['lerned'] }, /unknown method lerned; did you mean learned\?/],
    ['a control that is none', { without: ['anw'] }, /unknown control anw; did you mean anew\?/],
    [
      'the same label twice',
      { methods: ['learned', 'learned'] },
      /two contenders are called learned; give one of them a label/,
    ],
    ['the same seed twice', { seeds: [1, 1] }, /seed is given twice: 1/],
    ['no track', { tracks: {} }, /expected equal-compute, recommended or both/],
    [
      'a setting of a control that is none',
      { controls: { anw: {} } },
      /unknown control anw; did you mean anew\?/,
    ],
    [
      'an own budget',
      { methods: [{ method: 'learned', run: { budget: '8x' } }] },
      /run of learned: budget is the same for everybody; say it with budgets/,
    ],
    [
      'own threads',
      { run: { threads: 1 }, controls: { anew: { run: { threads: 2 } } } },
      /run of anew: threads is the same for everybody/,
    ],
    ['no methods', { methods: [] }, /methods/],
    [
      'a workload that is none',
      { methods: [{ method: 'learned', workloads: ['emojy'] }] },
      /unknown workload emojy; did you mean emoji\?/,
    ],
    [
      'a budget that is none',
      { methods: [{ method: 'learned', budgets: ['20x'] }] },
      /unknown budget 20x; did you mean 2x\?/,
    ],
    [
      'a length that is none',
      { tracks: { recommended: { retrain: 'long' } } },
      /expected a duration like 3ep/,
    ],
  ];
  it.each(cases)('%s is the user’s mistake', (_, change, message) => {
    expect(() => plan(change)).toThrow(UserError);
    expect(() => plan(change)).toThrow(message);
  });
});
