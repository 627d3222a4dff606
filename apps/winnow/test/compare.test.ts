import { readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { outcomesSchema } from '@winnow/comparison';
import { makePictures } from '@winnow/testkit';
import { finishedIn, latencyFile, runsIn, scoresIn, start, tinyComparison } from './comparison';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-compare-'));
const at = (...path: string[]) => join(root, ...path);
const compare = (out: string, ...more: string[]) => [
  ...['compare', '--config', at('tiny.json'), '--out', at(out), '--jobs', '2'],
  ...more,
];

/** The comparison that it has become by the time of the later tests: another method, and another seed. */
const grown = (out: string) => ['compare', '--config', at('grown.json'), '--out', at(out), '--jobs', '2'];

/** Dozens of processes, on a machine that may be busy. */
const SLOW_MS = 600_000;

let whole: Record<string, unknown>;
let firstOutput: string;
let firstErrors: string;

beforeAll(async () => {
  await makePictures(at('pictures'));
  writeFileSync(at('tiny.json'), JSON.stringify(tinyComparison(at('pictures'), { seeds: [1] })));
  const { code, stdout, stderr } = await winnow(compare('whole', '--tensorboard'));
  expect(code).toBe(0);
  firstOutput = stdout;
  firstErrors = stderr;
  whole = scoresIn(at('whole'));
}, SLOW_MS);
afterAll(() => rm(root, { recursive: true, force: true }));

describe('a comparison', () => {
  test('has every contender, and reports what failed without stopping for it', () => {
    expect(Object.keys(whole).sort()).toEqual([
      'dense 1',
      'full-sharing, 2x, equal-compute 1',
      'magnitude 2x 1',
      'random 2x 1',
      'small, from scratch 2x 1',
    ]);
    expect(whole['full-sharing, 2x, equal-compute 1']).toMatch(/tower/);
    expect(firstOutput).toMatch(/pictures, 2x, equal-compute/);
    expect(firstOutput).toMatch(/random \*/);
    expect(firstOutput).toMatch(/Failed \(1\):/);
    expect(firstErrors).toMatch(/1 of 5 runs failed: they are listed under "Failed"/);
  });

  test('gives everybody the compute that it says, counted by the runner', () => {
    const { dense, measurements } = outcomesSchema.parse(
      JSON.parse(readFileSync(at('whole', 'results.json'), 'utf8')),
    );
    const limit = dense[0]?.trainingMacs ?? 0;
    for (const { label, trainingMacs, macs, ledger, latencies, peakMemoryBytes } of measurements) {
      const own = label === 'small, from scratch' ? 2 * limit : limit;
      expect(trainingMacs).toBeLessThanOrEqual(own);
      expect(trainingMacs).toBeGreaterThan(own - 4 * 3 * macs);
      expect(ledger.map(({ phase }) => phase)).toEqual(['retrain']);
      expect(latencies.map(({ batchSize }) => batchSize)).toEqual([1, 32]);
      for (const { p50Ms, p95Ms } of latencies) expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
      expect(peakMemoryBytes).toBeGreaterThan(1e6);
    }
  });

  test('measures every model in rounds, and reports the one that was disturbed least', () => {
    const { dense, measurements } = outcomesSchema.parse(
      JSON.parse(readFileSync(at('whole', 'results.json'), 'utf8')),
    );
    for (const { job, latencies } of [...dense, ...measurements]) {
      const { rounds, measuredOn } = latencyFile.parse(
        JSON.parse(readFileSync(at('whole', 'latencies', `${job}.json`), 'utf8')),
      );
      expect(measuredOn).toMatch(/^wasm .*; \d+ × /);
      expect(rounds).toHaveLength(2);
      latencies.forEach((latency, which) => {
        expect(rounds.map((round) => round[which])).toContainEqual(latency);
        for (const round of rounds) expect(round[which]?.p50Ms).toBeGreaterThanOrEqual(latency.p50Ms);
      });
    }
  });

  test('can be asked questions in SQL, and is there as CSV', async () => {
    const instance = await DuckDBInstance.create(at('whole', 'results.duckdb'), { access_mode: 'READ_ONLY' });
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll(
      'SELECT label, count(*)::INTEGER AS runs FROM runs JOIN latencies USING (job) WHERE batch_size = 32 GROUP BY label ORDER BY label',
    );
    expect(reader.getRowObjectsJson()).toEqual([
      { label: 'magnitude', runs: 1 },
      { label: 'random', runs: 1 },
      { label: 'small, from scratch', runs: 1 },
    ]);
    connection.closeSync();
    instance.closeSync();
    const lines = readFileSync(at('whole', 'runs.csv'), 'utf8').trimEnd().split('\r\n');
    expect(lines).toHaveLength(1 + 3);
    expect(lines.filter((line) => line.includes('"small, from scratch"'))).toHaveLength(1);
  });

  test('leaves TensorBoard event files when it is asked to', () => {
    for (const run of ['dense/seed-1', 'equal-compute/2x/random/seed-1-0.0005']) {
      const folder = at('whole', 'tensorboard', 'pictures', run);
      const names = readdirSync(folder);
      expect(names).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d{10}\.winnow-report$/)]);
      expect(statSync(join(folder, names[0] ?? '')).size).toBeGreaterThan(100);
    }
  });

  test(
    'asked for again computes nothing and ends with the same',
    async () => {
      const times = () =>
        finishedIn(at('whole')).map((id) => statSync(at('whole', 'runs', id, 'summary.json')).mtimeMs);
      const before = times();
      const { code, stdout } = await winnow(compare('whole'));
      expect(code).toBe(0);
      expect(times()).toEqual(before);
      expect(scoresIn(at('whole'))).toEqual(whole);
      expect(stdout).toBe(firstOutput);
    },
    SLOW_MS,
  );

  test(
    'that has grown computes only what is missing',
    async () => {
      const before = new Set(finishedIn(at('whole')));
      const config = tinyComparison(at('pictures'), {
        seeds: [1, 2],
        methods: [{ method: 'magnitude', options: { search: '0it' } }, 'one-shot-magnitude'],
      });
      writeFileSync(at('grown.json'), JSON.stringify(config));
      const { code } = await winnow(grown('whole'));
      expect(code).toBe(0);
      const after = finishedIn(at('whole'));
      expect(after.filter((id) => !before.has(id))).toHaveLength(4 + 2);
      expect([...before].every((id) => after.includes(id))).toBe(true);
      expect(scoresIn(at('whole'))).toMatchObject({ 'magnitude 2x 1': whole['magnitude 2x 1'] });
    },
    SLOW_MS,
  );

  test('shows what was kept of every layer: units where they were cut, weights where they were masked', () => {
    const page = readFileSync(at('whole', 'report.html'), 'utf8');
    for (const component of ['vision ffn', 'vision attention', 'vision query', 'vision contract'])
      expect(page).toContain(component);
  });

  test(
    'killed by kill -9 goes on and ends with the same table; no run survives its comparison',
    async () => {
      const args = compare('killed');
      const child = start(args);
      while (finishedIn(at('killed')).length < 2) {
        if (child.exitCode !== null) throw new Error(`the comparison ended early, with ${child.exitCode}`);
        await delay(20);
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
      await delay(1500);
      const left = () => [runsIn(at('killed')), finishedIn(at('killed'))];
      const before = left();
      await delay(1500);
      expect(left()).toEqual(before);

      expect((await winnow(args)).code).toBe(0);
      expect(scoresIn(at('killed'))).toEqual(whole);
    },
    SLOW_MS,
  );

  test(
    'stopped by Ctrl-C says how to go on',
    async () => {
      const controller = new AbortController();
      const stopped = winnow(compare('stopped'), controller.signal);
      while (runsIn(at('stopped')).length === 0) await delay(20);
      controller.abort();
      const { code, stderr } = await stopped;
      expect(code).toBe(130);
      expect(stderr).toContain('stopped; everything so far is saved. Go on with: winnow compare --config ');
      expect(stderr).toContain(`--out ${at('stopped')} --jobs 2\n`);
    },
    SLOW_MS,
  );

  test(
    'in which every compression failed says so and ends with 2',
    async () => {
      const config = tinyComparison(at('pictures'), {
        methods: ['full-sharing'],
        without: ['trained-on', 'magnitude', 'random', 'from-scratch'],
        seeds: [1],
      });
      writeFileSync(at('hopeless.json'), JSON.stringify(config));
      // The dense model is there already.
      await cp(at('whole'), at('hopeless'), { recursive: true });
      const { code, stdout, stderr } = await winnow([
        ...['compare', '--config', at('hopeless.json'), '--out', at('hopeless'), '--jobs', '2'],
      ]);
      expect(stdout).toMatch(/Failed \(1\):[\s\S]*The page is/);
      expect(stderr).toMatch(
        /winnow: compare: there is nothing to compare: 1 of 2 runs failed, .*full-sharing, .*tower/,
      );
      expect(code).toBe(2);
    },
    SLOW_MS,
  );

  test(
    'names what cannot be read of one run, shows the others, and makes it again',
    async () => {
      const ids = finishedIn(at('whole'));
      const { dense, measurements } = outcomesSchema.parse(
        JSON.parse(readFileSync(at('whole', 'results.json'), 'utf8')),
      );
      const runOf = (label: string, seed: number) =>
        measurements.find((each) => each.label === label && each.seed === seed)?.job;
      const [summary, latencies] = [runOf('magnitude', 1), runOf('magnitude', 2)];
      const [weights, findings] = [runOf('random', 1), runOf('small, from scratch', 1)];
      await cp(at('whole'), at('damaged'), { recursive: true });
      const run = (id = '', ...path: string[]) => at('damaged', 'runs', id, ...path);
      const content = readFileSync(run(summary, 'summary.json'), 'utf8');
      writeFileSync(run(summary, 'summary.json'), content.replace(/"loss": [\d.]+/, '"loss": null'));
      truncateSync(run(weights, 'model', 'model.safetensors'), 100);
      writeFileSync(run(findings, 'findings.json'), '{');
      writeFileSync(at('damaged', 'latencies', `${latencies ?? ''}.json`), '[5]');
      writeFileSync(at('damaged', 'failures', 'unknown.json'), '[5]');

      const told = await winnow(['report', at('damaged')]);
      expect(told.code).toBe(0);
      for (const file of [
        `${summary ?? ''}/summary.json`,
        `${weights ?? ''}/model/model.safetensors`,
        `${findings ?? ''}/findings.json`,
        `${latencies ?? ''}.json`,
      ]) {
        expect(told.stdout).toContain(file);
      }
      const page = readFileSync(at('damaged', 'report.html'), 'utf8');
      expect(page).toContain(`${summary ?? ''}/summary.json`);
      const left = outcomesSchema.parse(JSON.parse(readFileSync(at('damaged', 'results.json'), 'utf8')));
      expect(left.measurements.map(({ job }) => job).sort()).toEqual(
        measurements.flatMap(({ job }) => (job === summary ? [] : [job])).sort(),
      );
      expect(left.dense).toHaveLength(dense.length);

      const again = await winnow(grown('damaged'));
      expect(again.code).toBe(0);
      expect(finishedIn(at('damaged'))).toEqual(ids);
      expect(scoresIn(at('damaged'))).toEqual(scoresIn(at('whole')));
    },
    SLOW_MS,
  );

  test(
    'is a page of its own, also before it has finished',
    async () => {
      const { code, stdout } = await winnow(['report', at('stopped')]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Failed \(\d+\):[\s\S]*it has not finished|there is no dense model/);
      expect(readFileSync(at('stopped', 'report.html'), 'utf8')).toMatch(/Comparison: tiny/);
      const [run = ''] = finishedIn(at('whole'));
      const single = await winnow(['report', at('whole', 'runs', run)]);
      expect(single.stdout).toMatch(/The page is .*report\.html/);
    },
    SLOW_MS,
  );
});
