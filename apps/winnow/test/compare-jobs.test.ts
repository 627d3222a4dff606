import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError } from '@winnow/core';
import { JobBusy } from '@winnow/job-queue';
import {
  comparisonFolder,
  executeIn,
  lockRun,
  planOf,
  readComparisonRecord,
  readFailure,
  runComparison,
} from '@winnow/lab';
import { makeRunByCommand } from '../src/commands/run-process';
import { PROGRAM, finishedIn, runsIn, tinyComparison } from './comparison';
import { makePictures } from './pictures';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-jobs-'));
const at = (...path: string[]) => join(root, ...path);

beforeAll(async () => {
  await makePictures(at('pictures'));
  writeFileSync(at('tiny.json'), JSON.stringify(tinyComparison(at('pictures'))));
  // The plan and its folders, and nothing done.
  await winnow(['compare', '--config', at('tiny.json'), '--out', at('known')], AbortSignal.abort());
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('a worker does what the folder of its comparison knows', () => {
  const folder = () => comparisonFolder(at('known'));
  const execute = () => executeIn(folder(), makeRunByCommand(PROGRAM));
  const never = new AbortController().signal;
  /** Everything below the root but the comparison's own runs. */
  const files = () =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith(join('known', 'runs')))
      .sort();

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

test('a comparison takes no word for it that a job is done', async () => {
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
