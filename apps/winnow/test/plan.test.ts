import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InterruptedError } from '@winnow/core';
import { planModel } from '@winnow/lab';
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

test('a plan that is stopped goes on with what it has, and ends the same; asked otherwise it is refused', async () => {
  const options = {
    ...{ engine: 'wasm', batchSize: 4, calibration: 8, latency: false, build: '50%' },
    out: at('resumed'),
  };
  const stopping = new AbortController();
  const stopped = planModel(at('dense'), options, {
    note: (line) => {
      if (line.startsWith('half of')) stopping.abort();
    },
    signal: stopping.signal,
  });
  await expect(stopped).rejects.toThrow(InterruptedError);
  await expect(planModel(at('dense'), options, { note: () => undefined })).rejects.toThrow(
    /go on with --resume/,
  );
  const asked = (more: object) => ({ ...options, resume: true, ...more });
  await expect(planModel(at('dense'), asked({ calibration: 7 }), { note: () => undefined })).rejects.toThrow(
    /another plan was begun there/,
  );

  const lines: string[] = [];
  const resumed = await planModel(at('dense'), asked({}), { note: (line) => lines.push(line) });
  expect(lines.filter((line) => /: \d+ steps/.test(line))).toEqual([]);
  const whole = await planModel(at('dense'), { ...options, out: at('whole') }, { note: () => undefined });
  const { ledger: _one, ...found } = resumed;
  const { ledger: _other, ...expected } = whole;
  expect(found).toEqual(expected);
  expect((await readdir(at('resumed'))).sort()).toEqual(['kept-50']);
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

const timed = z.looseObject({
  budget: z.object({ unit: z.literal('macs'), keep: z.number() }),
  latencyBudget: z.object({
    keep: z.literal(0.8),
    macs: z.number().positive().max(1),
    predicted: z.number().positive(),
    denseMs: z.number().positive(),
    measured: z.number().positive(),
  }),
});

const structure = z.object({
  model: z.object({
    tower: z.object({ blocks: z.array(z.object({ headDim: z.number(), hiddenDim: z.number() })).min(1) }),
  }),
});
const blocksOf = (run: string) =>
  structure.parse(JSON.parse(readFileSync(at(run, 'model', 'structure.json'), 'utf8'))).model.tower.blocks;

test('a compression to a share of the latency keeps the multiply–accumulates that were measured to fit it', async () => {
  // As many tokens as it takes for widths to count.
  const shape = ['--image-size', '32', '--patch-size', '4', '--duration', '1it', '--evaluate-every', '0it'];
  const wide = ['train', '--data', at('pictures'), ...TINY, ...shape, '--out', at('wide')];
  expect((await winnow(wide)).code).toBe(0);
  const args = ['--from', at('wide'), ...TINY, '--method', 'random', '--retrain', '0it', '--budget', '80%'];
  const compress = ['compress', ...args, '--budget-unit', 'latency', '--multiple', '3', '--out', at('timed')];
  const { code, stdout, stderr } = await winnow(compress);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /Latency: at most 80.0 % of the dense model's was asked for, [\d.]+ % predicted, [\d.]+ % measured/,
  );
  const { budget, latencyBudget } = timed.parse(
    JSON.parse(readFileSync(at('timed', 'summary.json'), 'utf8')),
  );
  expect(budget.keep).toBe(latencyBudget.macs);
  const widths = blocksOf('timed');
  for (const [index, dense] of blocksOf('wide').entries()) {
    for (const width of ['headDim', 'hiddenDim'] as const) {
      const left = widths[index]?.[width] ?? Number.NaN;
      expect(left === dense[width] || left % 3 === 0).toBe(true);
    }
  }

  // A run that is resumed keeps to what was measured first, whatever the machine does now.
  const kept = JSON.parse(readFileSync(at('timed', 'latency-budget.json'), 'utf8')) as object;
  await rm(at('timed', 'summary.json'));
  writeFileSync(at('timed', 'latency-budget.json'), JSON.stringify({ ...kept, denseMs: 123 }));
  const again = await winnow([...compress, '--resume']);
  expect(again.code).toBe(0);
  const resumed = timed.parse(JSON.parse(readFileSync(at('timed', 'summary.json'), 'utf8')));
  expect(resumed.latencyBudget).toMatchObject({ macs: latencyBudget.macs, denseMs: 123 });
});

test('a latency that single weights cannot save, or no widths reach, is the user’s mistake', async () => {
  const args = ['compress', '--from', at('dense'), ...TINY, '--retrain', '0it', '--budget-unit', 'latency'];
  const weights = await winnow([...args, '--method', 'one-shot-magnitude', '--budget', '80%']);
  expect(weights).toMatchObject({ code: 2, stderr: expect.stringMatching(/single weights/) as string });
  const far = await winnow([...args, '--method', 'random', '--budget', '1000x', '--out', at('far')]);
  expect(far).toMatchObject({ code: 2, stderr: expect.stringMatching(/cannot be reached/) as string });
});
