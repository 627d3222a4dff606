import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { z } from 'zod';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-plan-'));
const at = (...path: string[]) => join(root, ...path);
const TINY = ['--engine', 'wasm', '--batch-size', '4'];
const plan = (...args: string[]) => winnow(['plan', at('dense'), ...TINY, '--calibration', '8', ...args]);

beforeAll(async () => {
  await makePictures(at('pictures'), { train: 6, validation: 2, test: 2 });
  const shape = ['--image-size', '16', '--patch-size', '8', '--duration', '2it', '--evaluate-every', '0it'];
  const { code } = await winnow(['train', '--data', at('pictures'), ...TINY, ...shape, '--out', at('dense')]);
  expect(code).toBe(0);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const point = z.looseObject({
  keep: z.number(),
  units: z.record(z.string(), z.int().positive()),
  parameters: z.number(),
  macs: z.number(),
  latencyMs: z.number().nullable(),
  error: z.number(),
});
const expected = z.object({ score: z.number(), plusMinus: z.number() }).nullable();
const planShape = z.looseObject({
  dense: z.looseObject({ parameters: z.number(), macs: z.number(), latencyMs: z.number().nullable() }),
  front: z.array(point.extend({ expected })),
  built: z.array(
    point.extend({ measuredMs: z.number().nullable(), scores: z.record(z.string(), z.number()) }),
  ),
  latencyOff: z.number().nullable(),
});

test('a plan has ever smaller models, each within its budget, and scores between those that were built', async () => {
  const before = await readdir(at('dense'));
  const page = at('plan.html');
  const args = ['--budget-unit', 'macs', '--build', '2x,75%', '--latency', 'false', '--split', 'test'];
  const { code, stdout } = await plan(...args, '--json', '--page', page);
  expect(code).toBe(0);
  const { dense, front, built, latencyOff } = planShape.parse(JSON.parse(stdout));
  expect(latencyOff).toBeNull();
  expect(built.map(({ keep }) => keep)).toEqual([0.75, 0.5]);
  expect(front[0]).toMatchObject({ keep: 1, parameters: dense.parameters, error: 0 });
  for (const { keep, macs } of [...front, ...built])
    expect(macs).toBeLessThanOrEqual(keep * dense.macs * (1 + 1e-9));
  front.slice(1).forEach((own, place) => {
    expect(own.macs).toBeLessThan(front[place]?.macs ?? NaN);
    expect(own.error).toBeGreaterThanOrEqual(front[place]?.error ?? NaN);
  });
  const largest = Math.max(...built.map(({ error }) => error));
  for (const { error, expected: own } of front) expect(own === null).toBe(error > largest);
  expect(readFileSync(page, 'utf8')).toMatch(/<svg[\s\S]*Built models/);
  expect(await readdir(at('dense'))).toEqual(before);
});

test('widths are multiples where that is asked, and layers are timed', async () => {
  const out = at('planned');
  const { code, stdout, stderr } = await plan(
    '--multiple',
    '8',
    '--build',
    '50%',
    '--weigh',
    'false',
    '--json',
    '--out',
    out,
  );
  if (code !== 0) throw new Error(stderr);
  const { front, built, dense } = planShape.parse(JSON.parse(stdout));
  expect(dense.latencyMs).toBeGreaterThan(0);
  expect(built[0]?.measuredMs).toBeGreaterThan(0);
  const saved = await winnow(['evaluate', join(out, 'kept-50'), '--data', at('pictures'), ...TINY]);
  expect([saved.code, saved.stdout]).toEqual([0, expect.stringContaining('top1')]);
  for (const { units } of front) for (const width of Object.values(units)) expect(width % 8).toBe(0);
});

test('without --json there are tables', async () => {
  const { code, stdout } = await plan(
    '--latency',
    'false',
    '--weigh',
    'false',
    '--build',
    '50%',
    '--measure',
    'output',
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/kept of compressible-parameters[\s\S]*100\.00 %[\s\S]*dense/);
});

test.each([
  [['--build', '0.001'], /a budget of 0.10 % of the compressible-parameters cannot be reached/],
  [['--build', ','], /build: expected budgets, got none/],
  [['--build', 'half'], /expected 2x/],
  [['--out', at('dense')], /expected a folder that is empty/],
  [['--page', 'plan.txt'], /expected a file whose name ends in .html/],
])('%s is refused in a line', async (flags, said) => {
  const { code, stderr } = await plan(...flags);
  expect(code).toBe(2);
  expect(stderr).toMatch(said);
});
