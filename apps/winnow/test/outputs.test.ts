import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { timmTensors, writeCheckpoint } from './checkpoints';
import { type Outcome, signalWatched, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-outputs-'));
const at = (...path: string[]) => join(root, ...path);

/** A tiny run. */
const train = (out: string, ...more: string[]) => [
  ...['train', '--engine', 'wasm', '--data', at('pictures'), '--image-size', '16', '--batch-size', '4'],
  ...['--duration', '2it', '--evaluate-every', '0it', '--checkpoint-every', '1it', '--out', out, ...more],
];
const resume = (out: string) => winnow(['train', '--resume', '--out', out]);

function refused({ code, stdout, stderr }: Outcome, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n {4}at /); // the lines of a stack
  expect([code, stdout]).toEqual([2, '']);
}

beforeAll(async () => {
  await makePictures(at('pictures'));
  await writeCheckpoint(at('timm'), timmTensors({ width: 192, hidden: 8, classes: 2 }));
  for (const name of ['run', 'other'])
    expect((await winnow(train(at(name), '--seed', String(name.length)))).code).toBe(0);
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('where results are to go', () => {
  test('a folder with something else in it', async () => {
    mkdirSync(at('mine'));
    writeFileSync(at('mine', 'thesis.txt'), 'my thesis');
    refused(await winnow(train(at('mine'))), /not empty and not a run folder/);
    expect(readdirSync(at('mine'))).toEqual(['thesis.txt']);
  });

  test.each<[string, (file: string) => string[], RegExp]>([
    ['train', (file) => train(file), /cannot be used as a run folder/],
    ['export', (file) => ['export', at('run'), '--out', file], /expected a folder to write to, got a file/],
    ['import', (file) => ['import', at('timm'), '--out', file], /expected a folder to write to, got a file/],
    [
      'compare',
      (file) => ['compare', 'quick', '--engine', 'wasm', '--out', file],
      /expected a folder to write to, got a file/,
    ],
  ])('a file, for %s', async (_command, args, message) => {
    writeFileSync(at('file'), 'mine');
    refused(await winnow(args(at('file'))), message);
    expect(readFileSync(at('file'), 'utf8')).toBe('mine');
    expect(existsSync(at('file.unfinished'))).toBe(false);
  });

  test('a place below a file', async () => {
    writeFileSync(at('file'), 'mine');
    refused(
      await winnow(['export', at('run'), '--out', at('file', 'x')]),
      /cannot be written to \(ENOTDIR\)/,
    );
  });

  test('the checkpoint itself: its weights are not written over', async () => {
    const weights = readFileSync(at('timm', 'model.safetensors'));
    refused(
      await winnow(['import', at('timm'), '--out', at('timm')]),
      /model\.safetensors is there already, and is another: choose another folder/,
    );
    expect(readFileSync(at('timm', 'model.safetensors')).equals(weights)).toBe(true);
    expect(readdirSync(at('timm'))).toEqual(['model.safetensors']);
  });

  test('a checkpoint that cannot be written', async () => {
    const { code, stderr } = await winnow(
      train(at('blocked')),
      signalWatched((looks) => {
        if (looks === 1) writeFileSync(at('blocked', 'checkpoints'), '');
        return false;
      }),
    );
    expect(stderr).toMatch(/winnow: .*checkpoints/);
    expect(code).toBe(2);
  });

  test.each(['checkpoints', 'model'])('a run of a stranger whose %s lie elsewhere', async (name) => {
    const folder = at(`linked-${name}`);
    await cp(at('run'), folder, { recursive: true });
    rmSync(join(folder, 'summary.json'));
    rmSync(join(folder, name), { recursive: true });
    mkdirSync(at(`elsewhere-${name}`));
    symlinkSync(at(`elsewhere-${name}`), join(folder, name));
    refused(await resume(folder), new RegExp(`${name}: expected a folder, got a symbolic link`));
    expect(readdirSync(at(`elsewhere-${name}`))).toEqual([]);
  });
});

describe('a run that is asked for again', () => {
  const copied = async (name: string): Promise<string> => {
    await cp(at('run'), at(name), { recursive: true });
    return at(name);
  };
  const summary = (folder: string) => join(folder, 'summary.json');

  test('is not finished by the summary of another run, which is made again', async () => {
    const folder = await copied('swapped');
    const own = JSON.parse(readFileSync(summary(folder), 'utf8'));
    writeFileSync(summary(folder), readFileSync(summary(at('other'))));
    refused(
      await winnow(['report', folder]),
      /summary\.json: expected the summary of the run \w+, as config\.json says, got that of \w+/,
    );
    const { code, stderr } = await resume(folder);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/got that of \w+\nIt is made again\./)]);
    expect(JSON.parse(readFileSync(summary(folder), 'utf8'))).toMatchObject({
      run: own.run,
      model: { scores: own.model.scores },
    });
  });

  test('is not finished by the summary of another command', async () => {
    const folder = await copied('compressed');
    const content = JSON.parse(readFileSync(summary(folder), 'utf8'));
    writeFileSync(summary(folder), JSON.stringify({ ...content, command: 'compress' }));
    const { code, stderr } = await resume(folder);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/not the summary of a training[\s\S]*made again/),
    ]);
  });

  test('is not called finished where its summary is damaged', async () => {
    const folder = await copied('damaged');
    writeFileSync(summary(folder), '{');
    renameSync(at('pictures'), at('away'));
    try {
      refused(await resume(folder), /began with data .*, which is not in .* any more/);
    } finally {
      renameSync(at('away'), at('pictures'));
    }
    const train = at('pictures', 'train');
    renameSync(join(train, 'red', '0.png'), join(train, 'blue', '99.png'));
    try {
      const outcome = await resume(folder);
      refused(outcome, /the run in .* cannot go on: what it began with has changed since/);
      expect(outcome.stderr).not.toContain('has finished');
    } finally {
      renameSync(join(train, 'blue', '99.png'), join(train, 'red', '0.png'));
    }
  });

  test('is neither scored nor gone on with by a record whose options are of another kind', async () => {
    const folder = await copied('odd');
    const file = join(folder, 'config.json');
    const record = JSON.parse(readFileSync(file, 'utf8'));
    const write = (more: object) => {
      writeFileSync(file, JSON.stringify({ ...record, options: { ...record.options, ...more } }));
    };
    write({ nested: { a: 1 } });
    refused(
      await winnow(['evaluate', folder, '--engine', 'wasm']),
      /^winnow: nested: expected boolean, got object$/m,
    );
    write({ engine: { a: 1 } });
    refused(await resume(folder), /config\.json is damaged, or another version wrote it: /);
  });

  test('has the options that it began with', async () => {
    const folder = await copied('edited');
    const file = join(folder, 'config.json');
    const record = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...record, options: { ...record.options, learningRate: 0.5 } }));
    for (const isFinished of [true, false]) {
      if (!isFinished) rmSync(summary(folder));
      refused(
        await resume(folder),
        /config\.json has been changed since the run began: its options have the hash/,
      );
    }
  });
});
