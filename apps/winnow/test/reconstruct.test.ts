import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-reconstruct-'));
const at = (...path: string[]) => join(root, ...path);
const TINY = ['--engine', 'wasm', '--batch-size', '4'];

beforeAll(async () => {
  await makePictures(at('pictures'), { train: 6, validation: 2, test: 2 });
  const shape = ['--image-size', '16', '--patch-size', '8', '--duration', '2it', '--evaluate-every', '0it'];
  const { code } = await winnow(['train', '--data', at('pictures'), ...TINY, ...shape, '--out', at('dense')]);
  expect(code).toBe(0);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const compress = (...args: string[]) => winnow(['compress', '--from', at('dense'), ...TINY, ...args]);

const summaryShape = z.looseObject({
  reconstruction: z.record(z.string(), z.object({ before: z.number(), after: z.number() })),
  ledger: z.array(z.looseObject({ phase: z.string(), examples: z.number(), trainingMacs: z.number() })),
});

test.each([
  ['alone', ['--reconstruct'], true],
  ['by name', ['--reconstruct', 'project', '--calibration', '5'], false],
])('a model is made smaller without training: --reconstruct %s', async (_how, flags, isFree) => {
  const out = at(`small-${flags.length}`);
  const { code, stdout, stderr } = await compress(
    ...['--method', 'magnitude', '--budget', '2x', '--retrain', '0ep', '--out', out],
    ...flags,
  );
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/^winnow:/m)]);
  expect(stdout + stderr).toMatch(/places corrected on (5|12) examples/);
  const { reconstruction, ledger } = summaryShape.parse(
    JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')),
  );
  expect(Object.keys(reconstruction).length).toBeGreaterThan(0);
  const line = ledger.find(({ phase }) => phase === 'reconstruct');
  expect(line).toMatchObject({ examples: isFree ? 12 : 5 });
  expect(line?.trainingMacs).toBeGreaterThan(0);
  const evaluated = await winnow(['evaluate', out, '--engine', 'wasm']);
  expect(evaluated.code).toBe(0);
});

test.each([
  [['--method', 'lottery-ticket', '--reconstruct'], /Lottery.*masks single weights.*leave out --reconstruct/],
  [['--method', 'magnitude', '--reconstruct', 'everything'], /expected one of bias, units, bases, project/],
  [['--method', 'magnitude', '--calibration', '9'], /calibration has no use without --reconstruct/],
])('%s is refused in a line', async (flags, said) => {
  const { code, stderr } = await compress(...flags);
  expect(code).toBe(2);
  expect(stderr).toMatch(said);
});
