import { jobOf } from '@winnow/comparison';
import type { ComparisonGround } from '../src/comparison/catalogue';
import { planWith } from '../src/comparison/open-comparison';

const config = {
  name: 'tiny',
  workloads: [
    {
      name: 'pictures',
      shared: { data: 'pics', batchSize: 4 },
      dense: { imageSize: 16, patchSize: 8, duration: '4it', evaluateEvery: '0it' },
    },
  ],
  methods: [{ method: 'magnitude', options: { search: '0it' } }],
  without: ['trained-on', 'random', 'magnitude', 'from-scratch'],
  budgets: ['2x'],
  seeds: [1],
  tracks: { 'equal-compute': { compute: '4it' } },
  run: { engine: 'wasm' },
};

describe('the jobs of a comparison', () => {
  const code = {
    winnow: '1',
    libvips: '1',
    '@winnow/core': '1',
    '@winnow/data': '1',
    '@winnow/engine': '1',
    '@winnow/upop': '1',
    '@winnow/lottery-ticket': '1',
  };
  const ground: ComparisonGround = {
    identity: { workloads: { pictures: { data: { data: { train: 'a' } }, files: {} } }, code },
    paths: { pictures: { data: '/here' } },
  };
  const given = { ...config, methods: ['magnitude', 'one-shot-magnitude'] };
  const jobsOn = (on: ComparisonGround) => {
    const { dense, points } = planWith({ given, run: { engine: 'wasm' } }, on);
    const ofPoints = points.map((point) => ({ ...jobOf(point, 'weights'), method: point.contender.method }));
    return [...dense.map(({ job }) => ({ ...job, method: 'dense' })), ...ofPoints];
  };
  const changedBy = (other: ComparisonGround) => {
    const before = new Set(jobsOn(ground).map(({ id }) => id));
    return jobsOn(other).flatMap(({ id, method }) => (before.has(id) ? [] : [method]));
  };
  const withCode = (name: keyof typeof code) => ({
    ...ground,
    identity: { ...ground.identity, code: { ...code, [name]: '2' } },
  });

  test('are others when the data are, all of them, and the same when these only lie elsewhere', () => {
    expect(changedBy({ ...ground, paths: { pictures: { data: '/there' } } })).toEqual([]);
    const workloads = { pictures: { data: { data: { train: 'b' } }, files: {} } };
    const other = { ...ground, identity: { workloads, code } };
    expect(changedBy(other)).toEqual(['dense', 'magnitude', 'one-shot-magnitude']);
  });
  test('are others when their own code is, and no other', () => {
    expect(changedBy(withCode('@winnow/upop'))).toEqual(['magnitude']);
    expect(changedBy(withCode('@winnow/lottery-ticket'))).toEqual(['one-shot-magnitude']);
    expect(changedBy(withCode('@winnow/core'))).toEqual(['dense', 'magnitude', 'one-shot-magnitude']);
  });
  test('are started with paths that lead there from anywhere, and refuse other data and code', () => {
    for (const { options } of jobsOn(ground)) expect(options).toMatchObject({ data: '/here' });
    const expected = (on: ComparisonGround) => jobsOn(on).map(({ options }) => options['expect']);
    expect(new Set(expected(ground)).size).toBe(3);
    expect(expected(withCode('@winnow/core'))).not.toEqual(expected(ground));
  });
});
