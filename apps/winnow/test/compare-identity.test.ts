import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobOf } from '@winnow/comparison';
import { digestOfFile } from '@winnow/formats';
import { planWith, readComparisonRecord } from '@winnow/lab';
import { makePictures } from '@winnow/testkit';
import { finishedIn, latencyFile, runsIn, scoresIn } from './comparison';
import { winnow } from './terminal';

/** Processes, on a machine that may be busy. */
const SLOW_MS = 600_000;

const root = await mkdtemp(join(tmpdir(), 'winnow-compare-identity-'));
const at = (...path: string[]) => join(root, ...path);
const here = process.cwd();

afterEach(() => {
  process.chdir(here);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const config = (data: string) => ({
  name: 'tiny',
  workloads: [
    {
      name: 'pictures',
      shared: { data, batchSize: 4 },
      dense: { imageSize: 16, patchSize: 8, duration: '4it', evaluateEvery: '0it' },
      // Proofs have tests of their own.
      compress: { prove: 'none' },
    },
  ],
  methods: [{ method: 'magnitude', options: { search: '0it' } }],
  without: ['trained-on', 'random', 'magnitude', 'from-scratch'],
  budgets: ['2x'],
  seeds: [1],
  tracks: { 'equal-compute': { compute: '4it' } },
  latency: { rounds: 2, passes: 3 },
  run: { engine: 'wasm' },
});

describe('a comparison whose pictures change', () => {
  const compare = ['compare', '--config', at('tiny.json'), '--out', at('c'), '--jobs', '2'];
  const swap = async () => {
    const folder = (name: string) => at('pics', 'train', name);
    await rename(folder('red'), folder('aside'));
    await rename(folder('blue'), folder('red'));
    await rename(folder('aside'), folder('blue'));
  };
  const latencies = () =>
    runsIn(at('c')).map((id) => ({
      id,
      ...latencyFile.parse(JSON.parse(readFileSync(at('c', 'latencies', `${id}.json`), 'utf8'))),
    }));

  beforeAll(async () => {
    await makePictures(at('pics'));
    writeFileSync(at('tiny.json'), JSON.stringify(config('pics')));
    process.chdir(root);
    const { code, stderr } = await winnow(compare);
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/changed/)]);
  }, SLOW_MS);

  test(
    'goes on from another folder, and measures latencies again on another machine',
    async () => {
      const before = finishedIn(at('c'));
      expect(before).toHaveLength(2);
      for (const { id, rounds } of latencies())
        writeFileSync(
          at('c', 'latencies', `${id}.json`),
          JSON.stringify({ measuredOn: 'elsewhere', rounds }),
        );
      const elsewhere = await winnow(['report', at('c')]);
      expect(elsewhere.stdout).not.toMatch(/ms │/);
      process.chdir(tmpdir());
      const { code, stderr } = await winnow(compare);
      expect([code, stderr]).toEqual([0, expect.not.stringMatching(/anew|: done/)]);
      expect(finishedIn(at('c'))).toEqual(before);
      for (const { measuredOn, rounds } of latencies()) {
        expect(measuredOn).toMatch(/^wasm /);
        expect(rounds).toHaveLength(2);
      }
    },
    SLOW_MS,
  );

  test(
    'says so in its report, and makes its runs anew: no table has results of both',
    async () => {
      process.chdir(root);
      const before = new Set(finishedIn(at('c')));
      const old = scoresIn(at('c'));
      await swap();
      const changed =
        /Something has changed since these results were made: workload pictures, data: other training pictures\./;
      const report = await winnow(['report', at('c')]);
      expect([report.code, report.stdout]).toEqual([0, expect.stringMatching(changed)]);
      expect(readFileSync(at('c', 'report.html'), 'utf8')).toMatch(changed);
      expect(scoresIn(at('c'))).toEqual(old);

      const again = await winnow(compare);
      expect(again.code).toBe(0);
      expect(again.stderr).toMatch(
        /changed since .*anew:\n +workload pictures, data: other training pictures/,
      );
      expect(again.stdout).not.toMatch(/changed/);
      expect(finishedIn(at('c')).filter((id) => !before.has(id))).toHaveLength(2);
      expect(Object.keys(scoresIn(at('c')))).toEqual(Object.keys(old));
    },
    SLOW_MS,
  );

  test('of an earlier version still opens, and says that its data are not known', async () => {
    const { identity, paths, ...record } = await readComparisonRecord(at('c'));
    if (identity === undefined || paths === undefined)
      throw new Error('expected a comparison of this version');
    // Its jobs had other ids.
    const [now, then] = [planWith(record, { identity, paths }), planWith(record, undefined)];
    const move = (from: string, to: string) => {
      renameSync(at('c', 'runs', from), at('c', 'runs', to));
    };
    for (const [place, { job }] of now.dense.entries()) move(job.id, then.dense[place]?.job.id ?? '');
    const dense = at('c', 'runs', then.dense[0]?.job.id ?? '');
    const digest = await digestOfFile(join(dense, 'model', 'model.safetensors'));
    for (const [place, point] of now.points.entries()) {
      const [old] = then.points.slice(place);
      if (old !== undefined) move(jobOf(point, digest).id, jobOf(old, digest).id);
    }
    const before = scoresIn(at('c'));
    writeFileSync(at('c', 'comparison.json'), JSON.stringify(record));
    const { code, stdout } = await winnow(['report', at('c')]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/What data and code these results are of is not known/),
    ]);
    expect(scoresIn(at('c'))).toEqual(before);
    expect(readdirSync(at('c', 'failures'))).toEqual([]);
  });
});
