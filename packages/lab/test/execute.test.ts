import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError } from '@winnow/core';
import { JobBusy } from '@winnow/job-queue';
import { makePictures } from '@winnow/testkit';
import { compare } from '../src/comparison/compare';
import { comparisonFolder, readComparisonRecord, readFailure } from '../src/comparison/comparison-folder';
import { executeIn } from '../src/comparison/execute';
import { makeRunHere } from '../src/comparison/make-run-here';
import { planOf } from '../src/comparison/open-comparison';
import { runComparison } from '../src/comparison/run-comparison';
import { RunStoppedError } from '../src/run/run-session';
import { lockRun } from '../src/run-folder/run-lock';

const root = await mkdtemp(join(tmpdir(), 'winnow-execute-'));
const at = (...path: string[]) => join(root, ...path);
const folder = () => comparisonFolder(at('known'));
const execute = () => executeIn(folder(), makeRunHere);
const never = new AbortController().signal;
const runsIn = () => (existsSync(at('known', 'runs')) ? readdirSync(at('known', 'runs')) : []);
const finished = () => runsIn().filter((id) => existsSync(at('known', 'runs', id, 'summary.json')));
/** Everything below the root but the comparison's own runs. */
const files = () =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith(join('known', 'runs')))
    .sort();

/** The id of a dense model of the plan. */
async function idOf(place: number): Promise<string> {
  const dense = planOf(await readComparisonRecord(at('known'))).dense[place];
  if (dense === undefined) throw new Error('expected a dense model');
  return dense.job.id;
}

beforeAll(async () => {
  await makePictures(at('pictures'));
  const config = {
    name: 'tiny',
    workloads: [
      {
        name: 'pictures',
        shared: { data: at('pictures'), batchSize: 4, checkpointEvery: '2it' },
        dense: { imageSize: 16, patchSize: 8, duration: '8it', evaluateEvery: '0it' },
      },
    ],
    methods: [{ method: 'magnitude', options: { search: '0it' } }],
    without: ['trained-on', 'magnitude', 'random', 'from-scratch'],
    budgets: ['2x'],
    seeds: [1, 2],
    tracks: { 'equal-compute': { compute: '8it' } },
    run: { engine: 'wasm' },
  };
  // The plan and its folders, and nothing done.
  const watch = {
    note: () => undefined,
    showJobs: () => ({ ended: () => undefined, close: () => undefined }),
    signal: AbortSignal.abort(),
  };
  await expect(compare(config, { out: at('known'), watch })).rejects.toThrow(RunStoppedError);
});
afterAll(() => rm(root, { recursive: true, force: true }));

test.each(['../../../x/victim', '../runs/x', '/tmp/winnow-victim', '0123456789abcdef', ''])(
  'no job %j is done that the plan does not have',
  async (id) => {
    const before = files();
    await expect(execute()(id, never)).rejects.toThrow(/no job of the comparison in/);
    expect(files()).toEqual(before);
    expect(runsIn()).toEqual([]);
  },
);

test('a job is done as the plan has it, once, and not while somebody else works in its folder', async () => {
  const id = await idOf(0);
  await mkdir(folder().runFolder(id), { recursive: true });
  // The child of a worker that is silent, say.
  const lock = lockRun(folder().runFolder(id));
  await expect(execute()(id, never)).rejects.toThrow(JobBusy);
  expect(await readFailure(folder(), id)).toBeUndefined();
  lock.release();
  await execute()(id, never);
  expect(finished()).toEqual([id]);
  // A second one that was asked for it all the same has nothing to do.
  await execute()(id, never);
});

test('nobody else is let in while a process has the lease; a job that is stopped has not failed', async () => {
  const id = await idOf(1);
  const stopping = new AbortController();
  const first = execute()(id, stopping.signal);
  while (!existsSync(folder().leaseFile(id))) await delay(5);
  await expect(execute()(id, never)).rejects.toThrow(JobBusy);
  stopping.abort();
  await expect(first).rejects.toThrow(InterruptedError);
  expect(await readFailure(folder(), id)).toBeUndefined();
});

test('takes no word for it that a job is done', async () => {
  const plan = planOf(await readComparisonRecord(at('known')));
  const ends: string[] = [];
  const liar = { submit: () => Promise.resolve(), close: () => Promise.resolve() };
  const jobs = await runComparison(plan, folder(), liar, (_standing, text) => ends.push(text), {
    shownAfterMs: 100,
  });
  expect(ends.some((text) => /dense: FAILED: the queue says that it is done, but/.test(text))).toBe(true);
  expect(jobs).toHaveLength(plan.points.length);
});
