import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { makePictures } from '@winnow/testkit';
import { signalWatched, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-identity-'));
const at = (...path: string[]) => join(root, ...path);
const here = process.cwd();

afterEach(() => {
  process.chdir(here);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const TINY = ['--engine', 'wasm', '--batch-size', '4', '--image-size', '16', '--patch-size', '8'];
const train = (data: string, ...more: string[]) => [
  ...[
    'train',
    '--data',
    data,
    ...TINY,
    '--duration',
    '6it',
    '--evaluate-every',
    '0it',
    '--checkpoint-every',
    '2it',
  ],
  ...more,
];
const resume = (out: string, ...more: string[]) => ['train', '--resume', '--out', out, ...more];
const stopped = (args: readonly string[]) =>
  winnow(
    args,
    signalWatched((looks) => looks === 3),
  );

async function pictures(name: string): Promise<string> {
  await makePictures(at(name, 'pics'));
  return at(name, 'pics');
}

/** The classes of a split exchange their names. */
async function swap(data: string, split = 'train'): Promise<void> {
  const folder = (name: string) => join(data, split, name);
  await rename(folder('red'), folder('aside'));
  await rename(folder('blue'), folder('red'));
  await rename(folder('aside'), folder('blue'));
}

const recordSchema = z.looseObject({
  hash: z.string(),
  identity: z.object({
    data: z.record(z.string(), z.record(z.string(), z.string())),
    files: z.record(z.string(), z.string()),
    code: z.record(z.string(), z.string()),
  }),
  paths: z.record(z.string(), z.string()),
});
const recordOf = (out: string) =>
  recordSchema.parse(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')));
/** Changes what a run remembers: it began with something else than is here. */
function remember(out: string, change: (record: z.output<typeof recordSchema>) => unknown): void {
  writeFileSync(join(out, 'config.json'), JSON.stringify(change(recordOf(out))));
}

describe('a run and its data', () => {
  test('it goes on with the data it began with, and not with others', async () => {
    const data = await pictures('resumed');
    const out = at('resumed', 'run');
    expect((await stopped(train(data, '--out', out))).code).toBe(130);
    await swap(data);
    const { code, stderr } = await winnow(resume(out));
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/cannot go on: .*\n +data: other training pictures\n/),
    ]);
    await swap(data);
    expect((await winnow(resume(out))).code).toBe(0);
  });

  test('a finished run says what has changed since, in every report and on its page', async () => {
    const data = await pictures('finished');
    const out = at('finished', 'run');
    expect((await winnow(train(data, '--out', out))).code).toBe(0);
    expect((await winnow(['report', out])).stdout).not.toMatch(/changed/);
    await swap(data, 'test');
    const changed = /Something has changed since this run was made: data: other test pictures\./;
    const again = await winnow(resume(out));
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringMatching(
        /has finished, and what it began with has changed since:\n +data: other test pictures/,
      ),
    ]);
    expect(await winnow(['report', out])).toMatchObject({ code: 0, stdout: expect.stringMatching(changed) });
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toMatch(changed);
    const nowhere = await winnow(resume(out, '--data', at('nowhere')));
    expect([nowhere.code, nowhere.stderr]).toEqual([
      2,
      expect.stringMatching(/--data names .*nowhere for the run in .*, and nothing is there/),
    ]);
    const other = await winnow(resume(out, '--data', join(data, 'train')));
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/Give the folder of all splits/)]);
    await rm(data, { recursive: true });
    expect(await winnow(resume(out))).toMatchObject({ code: 0 });
    expect(await winnow(resume(out, '--data', data))).toMatchObject({ code: 0 });
    const gone = /Whether the data of this run are still the same cannot be said: .*pics/;
    expect(await winnow(['report', out])).toMatchObject({ code: 0, stdout: expect.stringMatching(gone) });
  });

  test('class folders without splits are divided alike by training, evaluation and resume, until a picture is added', async () => {
    const whole = await pictures('undivided');
    const [data, out] = [join(whole, 'train'), at('undivided', 'run')];
    await rename(data, at('undivided', 'colours'));
    const colours = at('undivided', 'colours');
    const found =
      'colours: pictures of 2 classes, 16 for training, 4 for validation, 4 for the test\n' +
      'colours: no train folder: every class is divided 70/15/15 % into training, validation and test (16, 4, 4 pictures)';
    const training = await stopped(train(colours, '--out', out));
    expect([training.code, training.stderr]).toEqual([130, expect.stringContaining(found)]);
    expect(await winnow(resume(out))).toMatchObject({ code: 0 });
    const evaluation = await winnow(['evaluate', out, '--engine', 'wasm']);
    expect([evaluation.code, evaluation.stderr]).toEqual([0, expect.stringContaining(found)]);
    await cp(join(whole, 'test', 'red', '0.png'), join(colours, 'red', 'one more.png'));
    const { code, stderr } = await winnow(resume(out));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/changed since:\n +data: other .*pictures/)]);
  });

  test('without a folder of its own it is another run when the pictures are others', async () => {
    const data = await pictures('unnamed');
    process.chdir(at('unnamed'));
    expect((await winnow(train('pics'))).code).toBe(0);
    const [first] = readdirSync('runs');
    expect((await winnow(train('pics'))).code).toBe(0);
    expect(readdirSync('runs')).toEqual([first]);
    await swap(data);
    expect((await winnow(train('pics'))).code).toBe(0);
    expect(readdirSync('runs')).toHaveLength(2);
    // Contents count, not places: moved, they are the same run again.
    await rename('pics', 'moved');
    await cp('moved', 'copied', { recursive: true });
    for (const elsewhere of ['moved', at('unnamed', 'copied')]) {
      const { code, stderr } = await winnow(train(elsewhere));
      expect([code, stderr]).toEqual([0, expect.any(String)]);
    }
    expect(new Set(readdirSync('runs').map((name) => recordOf(join('runs', name)).hash)).size).toBe(2);
  });

  test('evaluate and compress take a run’s data on its word only while they are the same', async () => {
    const data = await pictures('evaluated');
    const out = at('evaluated', 'run');
    expect((await winnow(train(data, '--out', out))).code).toBe(0);
    await swap(data, 'test');
    const evaluate = ['evaluate', out, '--engine', 'wasm'];
    const refused = await winnow(evaluate);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/are not what they were when it began \(data: other test pictures\).*--data/),
    ]);
    expect((await winnow([...evaluate, '--data', data])).code).toBe(0);
    const compress = ['compress', '--from', out, '--engine', 'wasm', '--out', at('evaluated', 'small')];
    const { code, stderr } = await winnow(compress);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/other test pictures/)]);
  });

  test('a run of an earlier version goes on, and its report says that its data are not known', async () => {
    const data = await pictures('earlier');
    const out = at('earlier', 'run');
    expect((await stopped(train(data, '--out', out))).code).toBe(130);
    remember(out, ({ identity: _identity, paths: _paths, ...rest }) => rest);
    const resumed = await winnow(resume(out));
    expect([resumed.code, resumed.stderr]).toEqual([
      0,
      expect.stringMatching(/data this run is of is not known/),
    ]);
    expect((await winnow(['report', out])).stdout).toMatch(/data this run is of is not known/);
    expect((await winnow(resume(out, '--data', at('elsewhere')))).stderr).toMatch(
      /has other options:\n +data/,
    );
  });
});

describe('a run and its code', () => {
  const older = { '@winnow/core': '0.0.1 0123456789abcdef' };
  test('it does not go on with other code, and a report names it', async () => {
    const data = await pictures('code');
    const out = at('code', 'run');
    expect((await stopped(train(data, '--out', out))).code).toBe(130);
    const { identity } = recordOf(out);
    expect(Object.keys(identity.code).sort()).toEqual([
      '@winnow/core',
      '@winnow/data',
      '@winnow/engine',
      'libvips',
      'winnow',
    ]);
    const withCode = (code: Readonly<Record<string, string>>) => {
      remember(out, (record) => ({
        ...record,
        identity: { ...identity, code: { ...identity.code, ...code } },
      }));
    };
    withCode(older);
    const { code, stderr } = await winnow(resume(out));
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/code of @winnow\/core: 0\.0\.1 0123456789abcdef there, 0\.1\.0 \w{16} here/),
    ]);
    withCode({});
    expect((await winnow(resume(out))).code).toBe(0);
    withCode(older);
    expect((await winnow(['report', out])).stdout).toMatch(/Something has changed.*code of @winnow\/core/);
  });

  test('that of the method is part of a compression, and of no training', async () => {
    const data = await pictures('method');
    const out = at('method', 'small');
    const shape = ['--dense-image-size', '16', '--dense-patch-size', '8', '--dense-duration', '2it'];
    const lengths = ['--search', '2it', '--retrain', '2it'];
    const run = ['compress', '--data', data, '--engine', 'wasm', '--batch-size', '4', ...shape, ...lengths];
    expect((await winnow([...run, '--out', out])).code).toBe(0);
    expect(recordOf(out).identity.code).toHaveProperty('@winnow/upop');
    expect(recordOf(out).identity.code).not.toHaveProperty('@winnow/lottery-ticket');
    // Whoever asks for a run may say which data and code are meant.
    const { code, stderr } = await winnow([...run, '--out', at('method', 'other'), '--expect', 'something']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/expected data and code with the digest something/),
    ]);
    expect(existsSync(at('method', 'other'))).toBe(false);
  });
});

describe('paths', () => {
  test('a run with relative paths is resumed and evaluated from anywhere', async () => {
    await pictures('relative');
    process.chdir(at('relative'));
    expect((await stopped(train('pics', '--out', 'run'))).code).toBe(130);
    process.chdir(root);
    const resumed = await winnow(resume(join('relative', 'run')));
    expect([resumed.code, resumed.stderr]).toEqual([0, expect.any(String)]);
    expect((await winnow(['evaluate', join('relative', 'run'), '--engine', 'wasm'])).code).toBe(0);
  });

  test('data that have moved are named, and are taken when they are the same', async () => {
    const data = await pictures('moving');
    const out = at('moving', 'run');
    process.chdir(at('moving'));
    expect((await stopped(train('pics', '--out', out))).code).toBe(130);
    await rename(data, at('moving', 'moved'));
    process.chdir(root);
    const lost = await winnow(resume(out));
    expect([lost.code, lost.stderr]).toEqual([2, expect.stringMatching(/began with data pics, .*--data/)]);
    await pictures('others');
    await swap(at('others', 'pics'));
    const other = await winnow(resume(out, '--data', at('others', 'pics')));
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/other training pictures/)]);
    const moved = relative(root, at('moving', 'moved'));
    expect((await winnow(resume(out, '--data', moved))).code).toBe(0);
    // From now on they are known to be there.
    process.chdir(here);
    expect((await winnow(['evaluate', out, '--engine', 'wasm'])).code).toBe(0);
  });

  test('a project that has moved as a whole takes what was typed', async () => {
    await pictures('project');
    process.chdir(at('project'));
    expect((await stopped(train('pics', '--out', 'run'))).code).toBe(130);
    process.chdir(root);
    await rename(at('project'), at('renamed'));
    process.chdir(at('renamed'));
    expect((await winnow(resume('run'))).code).toBe(0);
  });

  test('~/ is the home folder, in flags and in config files', async () => {
    const data = await pictures('home');
    const before = process.env['HOME'];
    process.env['HOME'] = at('home');
    try {
      process.chdir(root);
      expect((await winnow(train('~/pics', '--out=~/flag'))).code).toBe(0);
      writeFileSync(at('home', 'config.yaml'), 'out: ~/file\n');
      expect((await winnow(train(data, '--config=~/config.yaml'))).code).toBe(0);
      expect((await winnow(['evaluate', '~/flag', '--engine', 'wasm'])).code).toBe(0);
    } finally {
      process.env['HOME'] = before;
    }
    expect(existsSync(at('home', 'flag', 'summary.json'))).toBe(true);
    expect(existsSync(at('home', 'file', 'summary.json'))).toBe(true);
    expect(existsSync(at('~'))).toBe(false);
  });
});

test('what a run remembers of its data has no path of the machine in it', async () => {
  const data = await pictures('remembered');
  const out = at('remembered', 'run');
  expect((await winnow(train(data, '--out', out))).code).toBe(0);
  const { identity } = recordOf(out);
  expect(Object.keys(identity.data['data'] ?? {}).sort()).toEqual(['classes', 'test', 'train', 'validation']);
  expect(JSON.stringify(identity)).not.toContain(root);
  await mkdir(at('remembered', 'again'));
  expect(await readFile(join(out, 'config.json'), 'utf8')).toContain(
    identity.data['data']?.['train'] ?? 'nothing',
  );
});
