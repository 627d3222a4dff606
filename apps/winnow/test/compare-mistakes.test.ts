import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readComparisonRecord } from '@winnow/lab';
import { makePictures } from '@winnow/testkit';
import { tinyComparison } from './comparison';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-compare-'));
const at = (...path: string[]) => join(root, ...path);

beforeAll(() => makePictures(at('pictures')));
afterAll(() => rm(root, { recursive: true, force: true }));

test('a comparison of a preset on another engine is asked for by a flag, and says so', async () => {
  const flags = ['--engine', 'wasm', '--out', at('preset')];
  const { code, stderr } = await winnow(['compare', 'quick', ...flags], AbortSignal.abort());
  expect(code).toBe(130);
  expect(stderr).toMatch(/Go on with: winnow compare quick --engine wasm --out /);
  const { run } = await readComparisonRecord(at('preset'));
  expect(run).toMatchObject({ engine: 'wasm', threads: 1 });
});

describe('what cannot be meant is the user’s mistake', () => {
  const config = async (name: string, more: Readonly<Record<string, unknown>>) => {
    await writeFile(at(name), JSON.stringify(tinyComparison(at('pictures'), more)));
    return ['compare', '--config', at(name), '--out', at(`${name}-out`)];
  };
  test.each<[string, () => Promise<string[]>, RegExp]>([
    [
      'nothing to compare',
      () => Promise.resolve(['compare']),
      /expected a preset \(quick, photos, full\) or --config/,
    ],
    [
      'another preset',
      () => Promise.resolve(['compare', 'quik']),
      /there is no preset quik; known are quick, photos, full/,
    ],
    [
      'photographs of nobody',
      () => Promise.resolve(['compare', 'photos']),
      /compare photos: expected --data and --from/,
    ],
    [
      'photographs without a model',
      () => Promise.resolve(['compare', 'photos', '--data', at('pictures')]),
      /compare photos: expected --from:/,
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
        return (await config('tiny.json', {})).with(-1, at('taken'));
      },
      /is not empty and not a comparison: choose another folder/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await winnow(await args());
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
