import { existsSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { outcomesSchema } from '@winnow/comparison';
import { InterruptedError } from '@winnow/core';
import { JobBusy } from '@winnow/job-queue';
import {
  comparisonFolder,
  executeIn,
  latencyFile,
  lockRun,
  planOf,
  readComparisonRecord,
  readFailure,
  runComparison,
} from '@winnow/lab';
import { type RedisServer, redisProgram, startRedis } from '@winnow/testkit';
import { makeRunByCommand } from '../src/commands/run-process';
import { QUEUE_PASSWORD } from '../src/commands/queue-address';
import { PROGRAM, finishedIn, runsIn, scoresIn, start, tinyComparison } from './comparison';
import { makePictures } from './pictures';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-compare-'));
const at = (...path: string[]) => join(root, ...path);
const compare = (out: string, ...more: string[]) => [
  ...['compare', '--config', at('tiny.json'), '--out', at(out), '--jobs', '2'],
  ...more,
];

/** Dozens of processes, on a machine that may be busy. */
const SLOW_MS = 600_000;

let whole: Record<string, unknown>;
let firstOutput: string;
let firstErrors: string;

beforeAll(async () => {
  await makePictures(at('pictures'));
  writeFileSync(at('tiny.json'), JSON.stringify(tinyComparison(at('pictures'))));
  const { code, stdout, stderr } = await winnow(compare('whole', '--tensorboard'));
  expect(code).toBe(0);
  firstOutput = stdout;
  firstErrors = stderr;
  whole = scoresIn(at('whole'));
}, SLOW_MS);
afterAll(() => rm(root, { recursive: true, force: true }));

describe('a comparison', () => {
  test('has every contender for every seed, and reports what failed without stopping for it', () => {
    expect(Object.keys(whole).sort()).toEqual([
      'dense 1',
      'dense 2',
      'full-sharing, 2x, equal-compute 1',
      'full-sharing, 2x, equal-compute 2',
      'magnitude 2x 1',
      'magnitude 2x 2',
      'random 2x 1',
      'random 2x 2',
      'small, from scratch 2x 1',
      'small, from scratch 2x 2',
    ]);
    expect(whole['full-sharing, 2x, equal-compute 1']).toMatch(/tower/);
    expect(firstOutput).toMatch(/pictures, 2x, equal-compute/);
    expect(firstOutput).toMatch(/random \*/);
    expect(firstOutput).toMatch(/Failed \(2\):/);
    expect(firstErrors).toMatch(/2 of 10 runs failed: they are listed under "Failed"/);
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
      expect(rounds).toHaveLength(5);
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
      { label: 'magnitude', runs: 2 },
      { label: 'random', runs: 2 },
      { label: 'small, from scratch', runs: 2 },
    ]);
    connection.closeSync();
    instance.closeSync();
    const lines = readFileSync(at('whole', 'runs.csv'), 'utf8').trimEnd().split('\r\n');
    expect(lines).toHaveLength(1 + 6);
    expect(lines.filter((line) => line.includes('"small, from scratch"'))).toHaveLength(2);
  });

  test('leaves TensorBoard event files when it is asked to', () => {
    for (const run of ['dense/seed-1', 'equal-compute/2x/random/seed-2-0.0005']) {
      const file = at('whole', 'tensorboard', 'pictures', run, 'events.out.tfevents.winnow');
      expect(statSync(file).size).toBeGreaterThan(100);
    }
  });

  test('asked for again computes nothing and ends with the same', async () => {
    const times = () =>
      finishedIn(at('whole')).map((id) => statSync(at('whole', 'runs', id, 'summary.json')).mtimeMs);
    const before = times();
    const { code, stdout } = await winnow(compare('whole'));
    expect(code).toBe(0);
    expect(times()).toEqual(before);
    expect(scoresIn(at('whole'))).toEqual(whole);
    expect(stdout).toBe(firstOutput);
  });

  test('that has grown computes only what is missing', async () => {
    const before = new Set(finishedIn(at('whole')));
    const grown = tinyComparison(at('pictures'), {
      seeds: [1, 2, 3],
      methods: [{ method: 'magnitude', options: { search: '0it' } }, 'one-shot-magnitude'],
    });
    writeFileSync(at('grown.json'), JSON.stringify(grown));
    const { code } = await winnow([
      'compare',
      '--config',
      at('grown.json'),
      '--out',
      at('whole'),
      '--jobs',
      '2',
    ]);
    expect(code).toBe(0);
    const after = finishedIn(at('whole'));
    expect(after.filter((id) => !before.has(id))).toHaveLength(4 + 3);
    expect([...before].every((id) => after.includes(id))).toBe(true);
    expect(scoresIn(at('whole'))).toMatchObject({ 'magnitude 2x 1': whole['magnitude 2x 1'] });
  });

  test('shows what was kept of every layer: units where they were cut, weights where they were masked', () => {
    const page = readFileSync(at('whole', 'report.html'), 'utf8');
    for (const component of ['vision ffn', 'vision attention', 'vision query', 'vision contract'])
      expect(page).toContain(component);
  });

  test(
    'killed by kill -9 goes on and ends with the same table; no run survives its comparison',
    async () => {
      const child = start(compare('killed'));
      while (finishedIn(at('killed')).length < 3) {
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

      expect((await winnow(compare('killed'))).code).toBe(0);
      expect(scoresIn(at('killed'))).toEqual(whole);
    },
    SLOW_MS,
  );

  test('stopped by Ctrl-C says how to go on', async () => {
    const controller = new AbortController();
    const stopped = winnow(compare('stopped'), controller.signal);
    while (runsIn(at('stopped')).length === 0) await delay(20);
    controller.abort();
    const { code, stderr } = await stopped;
    expect(code).toBe(130);
    expect(stderr).toContain('stopped; everything so far is saved. Go on with: winnow compare --config ');
    expect(stderr).toContain(`--out ${at('stopped')} --jobs 2\n`);
  });

  describe('does what its folder knows', () => {
    const folder = () => comparisonFolder(at('known'));
    const execute = () => executeIn(folder(), makeRunByCommand(PROGRAM));
    const never = new AbortController().signal;
    /** Everything below the root but the comparison's own runs. */
    const files = () =>
      readdirSync(root, { recursive: true, encoding: 'utf8' })
        .filter((name) => !name.startsWith(join('known', 'runs')))
        .sort();

    beforeAll(async () => {
      // The plan and its folders, and nothing done.
      await winnow(compare('known'), AbortSignal.abort());
    });

    test.each(['../../../x/victim', '../runs/x', '/tmp/winnow-victim', '0123456789abcdef', ''])(
      'and no job %j',
      async (id) => {
        const before = files();
        await expect(execute()(id, never)).rejects.toThrow(/no job of the comparison in/);
        expect(files()).toEqual(before);
        expect(runsIn(at('known'))).toEqual([]);
      },
    );

    test('as its plan has it, and waits for whoever is at it already', async () => {
      const [dense] = planOf(await readComparisonRecord(at('known'))).dense;
      if (dense === undefined) throw new Error('expected a dense model');
      const { id } = dense.job;
      await mkdir(folder().runFolder(id), { recursive: true });
      // The child of a worker that is silent, say.
      const lock = lockRun(folder().runFolder(id));
      await expect(execute()(id, never)).rejects.toThrow(JobBusy);
      expect(await readFailure(folder(), id)).toBeUndefined();
      lock.release();
      await execute()(id, never);
      expect(finishedIn(at('known'))).toEqual([id]);
      // A second one that was asked for it all the same has nothing to do.
      await execute()(id, never);
    });

    test('and lets nobody in while another process has the lease', async () => {
      const [, dense] = planOf(await readComparisonRecord(at('known'))).dense;
      if (dense === undefined) throw new Error('expected a second dense model');
      const { id } = dense.job;
      const stopping = new AbortController();
      const first = execute()(id, stopping.signal);
      while (!existsSync(folder().leaseFile(id))) await delay(5);
      await expect(execute()(id, never)).rejects.toThrow(JobBusy);
      stopping.abort();
      await expect(first).rejects.toThrow(InterruptedError);
      expect(await readFailure(folder(), id)).toBeUndefined();
    });
  });

  test('takes no word for it that a job is done', async () => {
    const known = comparisonFolder(at('known'));
    const plan = planOf(await readComparisonRecord(at('known')));
    const ends: string[] = [];
    const liar = { submit: () => Promise.resolve(), close: () => Promise.resolve() };
    const jobs = await runComparison(plan, known, liar, (_standing, text) => ends.push(text), {
      shownAfterMs: 100,
    });
    expect(ends.some((text) => /dense: FAILED: the queue says that it is done, but/.test(text))).toBe(true);
    expect(jobs).toHaveLength(plan.points.length);
  });

  test('of a preset on another engine is asked for by a flag, and says so', async () => {
    const flags = ['--engine', 'wasm', '--out', at('preset')];
    const { code, stderr } = await winnow(['compare', 'quick', ...flags], AbortSignal.abort());
    expect(code).toBe(130);
    expect(stderr).toMatch(/Go on with: winnow compare quick --engine wasm --out /);
    const { run } = await readComparisonRecord(at('preset'));
    expect(run).toMatchObject({ engine: 'wasm', threads: 1 });
  });

  test('in which every compression failed says so and ends with 2', async () => {
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
  });

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

      const again = await winnow(compare('damaged'));
      expect(again.code).toBe(0);
      expect(finishedIn(at('damaged'))).toEqual(ids);
      expect(scoresIn(at('damaged'))).toEqual(whole);
    },
    SLOW_MS,
  );

  test('is a page of its own, also before it has finished', async () => {
    const { code, stdout } = await winnow(['report', at('stopped')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Failed \(\d+\):[\s\S]*it has not finished|there is no dense model/);
    expect(readFileSync(at('stopped', 'report.html'), 'utf8')).toMatch(/Comparison: tiny/);
    const [run = ''] = finishedIn(at('whole'));
    const single = await winnow(['report', at('whole', 'runs', run)]);
    expect(single.stdout).toMatch(/The page is .*report\.html/);
  });
});

if (redisProgram() === undefined) {
  test.skip('SKIPPED: there is no redis-server or valkey-server here (apt-get install redis-server)', () =>
    undefined);
} else {
  describe('by workers on a real server', () => {
    let server: RedisServer;
    beforeAll(async () => {
      // All processes of the test have the password from their environment.
      process.env[QUEUE_PASSWORD] = 'hunter22@/';
      server = await startRedis('hunter22@/');
    });
    afterAll(async () => {
      Reflect.deleteProperty(process.env, QUEUE_PASSWORD);
      await server.kill();
    });

    test('stopped by Ctrl-C says how to go on, with the queue and without its password', async () => {
      const queue = server.url.replace('//', '//default:hunter22%40%2F@');
      const { code, stderr } = await winnow(compare('queued', '--queue', queue), AbortSignal.abort());
      expect(code).toBe(130);
      expect(stderr).toContain(`--queue ${server.url.replace('//', '//default:***@')}`);
      expect(stderr).not.toContain('hunter22');
      expect(readFileSync(at('queued', 'comparison.json'), 'utf8')).not.toContain('hunter22');
    });

    test(
      'a worker dies, the server dies, the comparison dies: the table is the same',
      async () => {
        const folder = at('distributed');
        const args = compare('distributed', '--queue', server.url);
        const first = start(args);
        while (runsIn(folder).length === 0 && !statSync(folder, { throwIfNoEntry: false })) await delay(20);
        while (!statSync(join(folder, 'comparison.json'), { throwIfNoEntry: false })) await delay(20);
        const worker = () => start(['worker', folder, '--queue', server.url, '--jobs', '1']);
        const [one, two] = [worker(), worker()];
        try {
          while (finishedIn(folder).length < 2) await delay(20);
          one.kill('SIGKILL');
          await server.kill();
          await server.start();
          while (finishedIn(folder).length < 4) await delay(20);
          first.kill('SIGKILL');
          const { code } = await winnow(args);
          expect(code).toBe(0);
          expect(scoresIn(folder)).toEqual(whole);
        } finally {
          for (const child of [first, one, two]) child.kill('SIGKILL');
        }
      },
      SLOW_MS,
    );
  });
}

describe('what cannot be meant is the user’s mistake', () => {
  const config = async (name: string, more: Readonly<Record<string, unknown>>) => {
    await writeFile(at(name), JSON.stringify(tinyComparison(at('pictures'), more)));
    return ['compare', '--config', at(name), '--out', at(`${name}-out`)];
  };
  test.each<[string, () => Promise<string[]>, RegExp]>([
    [
      'nothing to compare',
      () => Promise.resolve(['compare']),
      /expected a preset \(quick, full\) or --config/,
    ],
    [
      'another preset',
      () => Promise.resolve(['compare', 'quik']),
      /there is no preset quik; known are quick, full/,
    ],
    [
      'another method',
      () => config('method.json', { methods: ['upopp'] }),
      /unknown method upopp; did you mean upop\?/,
    ],
    [
      'an option that the training does not have',
      () => config('option.json', { workloads: [{ name: 'a', dense: { durations: '1ep' } }] }),
      /unknown option durations; did you mean duration\?/,
    ],
    ['another engine', () => config('engine.json', { run: { engine: 'abacus' } }), /run:\n {2}engine: /],
    [
      'an address without a server',
      async () => [...(await config('queue.json', {})), '--queue', 'redis://127.0.0.1:1'],
      /no Redis or Valkey server answers/,
    ],
    [
      'an address with a password without a server',
      async () => [...(await config('secret.json', {})), '--queue', 'redis://someone:secret@127.0.0.1:1'],
      /^(?![^]*secret@)[^]*answers at redis:\/\/someone:\*\*\*@127\.0\.0\.1:1/,
    ],
    ['a worker for nothing', () => Promise.resolve(['worker', at('pictures')]), /there is no comparison in/],
    [
      'a report of nothing',
      () => Promise.resolve(['report', at('pictures')]),
      /there is no run and no comparison in/,
    ],
    [
      'a folder with something else',
      async () => {
        await mkdir(at('taken'), { recursive: true });
        await writeFile(at('taken', 'diary.txt'), 'mine');
        return compare('taken');
      },
      /is not empty and not a comparison: choose another folder/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await winnow(await args());
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
