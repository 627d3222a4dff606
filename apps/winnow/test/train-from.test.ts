import { readFileSync, rmSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outcomesSchema } from '@winnow/comparison';
import { readSafetensors } from '@winnow/formats';
import { z } from 'zod';
import { makePictures } from '@winnow/testkit';
import { tinyComparison } from './comparison';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-train-from-'));
const at = (...path: string[]) => join(root, ...path);
const TINY = ['--engine', 'wasm', '--batch-size', '4', '--evaluate-every', '0it'];
const train = (out: string, ...more: string[]) => winnow(['train', ...TINY, '--out', at(out), ...more]);

const weightsOf = async (out: string) => {
  const { tensors } = await readSafetensors(at(out, 'model', 'model.safetensors'));
  return new Map([...tensors].map(([name, { values }]) => [name, [...values]]));
};
const scoresOf = (out: string) =>
  z
    .looseObject({ model: z.looseObject({ scores: z.unknown() }) })
    .parse(JSON.parse(readFileSync(at(out, 'summary.json'), 'utf8'))).model.scores;

beforeAll(async () => {
  await makePictures(at('two'));
  // The same pictures as three classes.
  await cp(at('two'), at('three'), { recursive: true });
  for (const split of ['train', 'validation', 'test'])
    await cp(at('two', split, 'red'), at('three', split, 'green'), { recursive: true });
  const shape = ['--image-size', '16', '--patch-size', '8'];
  expect((await train('dense', '--data', at('two'), ...shape, '--duration', '6it')).code).toBe(0);
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('training on from a model', () => {
  test('for no steps gives that model', async () => {
    const { code } = await train('same', '--from', at('dense'), '--data', at('two'), '--duration', '0it');
    expect(code).toBe(0);
    expect(await weightsOf('same')).toEqual(await weightsOf('dense'));
    expect(scoresOf('same')).toEqual(scoresOf('dense'));
  });

  test('keeps its towers and draws another head where classes are others, or where it is asked to', async () => {
    const dense = await weightsOf('dense');
    const others = await train('others', '--from', at('dense'), '--data', at('three'), '--duration', '0it');
    expect(others.stderr).toMatch(/its head is for other classes, so a new one is drawn/);
    const asked = ['--head', 'new', '--seed', '5', '--duration', '0it'];
    expect((await train('asked', '--from', at('dense'), '--data', at('two'), ...asked)).code).toBe(0);
    for (const out of ['others', 'asked']) {
      for (const [name, values] of await weightsOf(out)) {
        const isHead = name.startsWith('head.');
        expect([name, JSON.stringify(values) === JSON.stringify(dense.get(name))]).toEqual([name, !isHead]);
      }
    }
  });

  test('learns, and ends in the same bytes when it is killed on the way', async () => {
    const more = ['--from', at('dense'), '--data', at('three'), '--duration', '6it', '--seed', '2'];
    expect((await train('whole', ...more, '--checkpoint-every', '2it')).code).toBe(0);
    expect((await train('killed', ...more, '--checkpoint-every', '2it')).code).toBe(0);
    // As after a kill between the last checkpoint and the end.
    rmSync(at('killed', 'summary.json'));
    rmSync(at('killed', 'model'), { recursive: true });
    expect((await winnow(['train', '--resume', '--out', at('killed')])).code).toBe(0);
    expect(await weightsOf('killed')).toEqual(await weightsOf('whole'));
    expect(await weightsOf('whole')).not.toEqual(await weightsOf('others'));
  });

  test.each<[string, string[], RegExp]>([
    ['what a new model is like', ['--model', 'tiny'], /--model is about a new model/],
    ['a model that is not there', ['--from', at('nowhere')], /there is no model or run at/],
  ])('refuses %s', async (_what, more, message) => {
    const { code, stderr } = await train('refused', '--from', at('dense'), ...more);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('is what a head is chosen for', async () => {
    const { code, stderr } = await train('refused', '--data', at('two'), '--head', 'new');
    expect(code).toBe(2);
    expect(stderr).toMatch(/--head is about a model that there is/);
  });
});

test('a comparison can be of a model that there is: every seed starts from it', async () => {
  const [workload] = tinyComparison(at('two')).workloads;
  const config = tinyComparison(at('two'), {
    methods: [{ method: 'magnitude', options: { search: '0it' } }],
    without: ['trained-on', 'magnitude', 'random'],
    workloads: [{ ...workload, dense: { from: at('dense'), duration: '0it', evaluateEvery: '0it' } }],
    seeds: [1, 2],
  });
  await writeFile(at('given.json'), JSON.stringify(config));
  const { code, stderr } = await winnow(['compare', '--config', at('given.json'), '--out', at('given')]);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/FAILED/)]);
  const { dense, measurements } = outcomesSchema.parse(
    JSON.parse(readFileSync(at('given', 'results.json'), 'utf8')),
  );
  expect(dense.map(({ scores }) => scores)).toEqual([scoresOf('dense'), scoresOf('dense')]);
  expect(dense.map(({ trainingMacs }) => trainingMacs)).toEqual([0, 0]);
  const cut = measurements.filter(({ label }) => label === 'magnitude').map(({ cut }) => cut);
  expect(cut[0]).toEqual(cut[1]);
  expect(measurements).toHaveLength(4);
}, 300_000);
