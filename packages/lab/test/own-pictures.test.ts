import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { type Progress, compress, evaluateModel, train } from '../src/index';

const root = await mkdtemp(join(tmpdir(), 'winnow-own-pictures-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

test('a run on class folders keeps how they were read: folders below them, shares, seed, and what was skipped', async () => {
  await makePictures(at('shop'), { train: 12 });
  for (const name of ['red', 'blue']) await rename(at('shop', 'train', name), at('shop', name));
  await rm(at('shop', 'train'), { recursive: true });
  await makePictures(at('shop', 'red', 'more'), { train: 2 });
  const broken = at('shop', 'blue', '3.png');
  await writeFile(broken, readFileSync(broken).subarray(0, 60));
  const notes: string[] = [];
  const nothing = () => undefined;
  const progress: Progress = {
    note: (line) => notes.push(line),
    phase: nothing,
    step: nothing,
    close: nothing,
  };
  const size = { imageSize: 16, patchSize: 8, batchSize: 4, duration: '1it', evaluateEvery: '0it' } as const;
  const read = { nested: true, splitShares: '60/20/20', splitSeed: 5, broken: 'skip' } as const;
  const asked = { data: at('shop'), ...size, engine: 'wasm', out: at('run') } as const;
  await expect(train(asked)).rejects.toThrow(/3\.png/);
  expect(existsSync(at('run'))).toBe(false);
  await train({ ...asked, ...read }, { progress });
  expect(notes.join('\n')).toMatch(
    /pictures of 2 classes, 17 for training, 5 for validation, 5 for the test/,
  );
  expect(notes.join('\n')).toMatch(/60\/20\/20 %.*seed 5/);
  expect(notes.join('\n')).toMatch(/skipped: 1 broken picture: blue\/3\.png/);
  expect(JSON.parse(readFileSync(at('run', 'skipped-pictures.json'), 'utf8'))).toEqual([
    { picture: broken, problem: expect.stringContaining('cannot be decoded') },
  ]);
  expect(await evaluateModel(at('run'), { engine: 'wasm' })).toMatchObject({ examples: 5 });
});

test('data of a run are divided as it divided them, also where they are named again; another way is said', async () => {
  const size = { imageSize: 16, patchSize: 8, batchSize: 4, duration: '1it', evaluateEvery: '0it' } as const;
  const read = { nested: true, broken: 'skip', splitShares: '60/20/20' } as const;
  await train({ data: at('shop'), ...size, ...read, splitSeed: 7, engine: 'wasm', out: at('seven') });
  const evaluated = async (options: object) => {
    const notes: string[] = [];
    const { scores } = await evaluateModel(at('seven'), { engine: 'wasm', ...options }, (line) =>
      notes.push(line),
    );
    return { scores, notes: notes.join('\n') };
  };
  const own = await evaluated({});
  const named = await evaluated({ data: at('shop') });
  expect(named).toEqual(own);
  expect(own.notes).not.toMatch(/may be among/);
  const other = await evaluated({ splitSeed: 8 });
  expect(other.notes).toMatch(/another --split-seed: pictures that it was trained on may be among those/);
  const onward = {
    from: at('seven'),
    data: at('shop'),
    engine: 'wasm',
    batchSize: 4,
    duration: '1it',
  } as const;
  const notes: string[] = [];
  const progress = {
    note: (line: string) => notes.push(line),
    phase: () => undefined,
    step: () => undefined,
    close: () => undefined,
  };
  await train({ ...onward, evaluateEvery: '0it', out: at('onward') }, { progress });
  expect(notes.join('\n')).not.toMatch(/may be among/);
  const leaking = /seven was trained with another --split-seed: pictures that it was trained on may be among/;
  await train({ ...onward, splitSeed: 8, evaluateEvery: '0it', out: at('other') }, { progress });
  expect(notes.join('\n')).toMatch(leaking);
  notes.length = 0;
  const { duration: retrain, ...cut } = onward;
  await compress({ ...cut, retrain, splitSeed: 8, method: 'random', out: at('smaller') }, { progress });
  expect(notes.join('\n')).toMatch(leaking);
  expect(JSON.parse(readFileSync(at('onward', 'config.json'), 'utf8')).options).toMatchObject({
    ...read,
    splitSeed: 7,
  });
});
