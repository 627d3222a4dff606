import { readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { makePictures } from '@winnow/testkit';
import { z } from 'zod';
import { parseArguments } from '../src/arguments/parse';
import { commands } from '../src/cli';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-predict-command-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = ['--engine', 'wasm'];
const of = (colour: string, index: number) => at('pictures', 'test', colour, `${index}.png`);

const predict = (model: string, ...words: string[]) => winnow(['predict', at(model), ...words, ...ENGINE]);
const document = z.strictObject({
  by: z.enum(['classes', 'texts']),
  predictions: z.array(
    z.strictObject({
      picture: z.string(),
      best: z.array(z.strictObject({ name: z.string(), index: z.int(), probability: z.number() })),
    }),
  ),
  broken: z.array(z.strictObject({ picture: z.string(), problem: z.string() })),
});
const picturesIn = (stdout: string) =>
  document.parse(JSON.parse(stdout)).predictions.map(({ picture }) => picture);

beforeAll(async () => {
  await makePictures(at('pictures'), { train: 4, validation: 2, test: 3 });
  const shape = ['--image-size', '16', '--patch-size', '8', '--duration', '4it', '--evaluate-every', '0it'];
  const tiny = ['--data', at('pictures'), ...ENGINE, '--batch-size', '4', ...shape];
  expect((await winnow(['train', ...tiny, '--out', at('dense')])).code).toBe(0);
  await cp(at('dense', 'model'), at('nameless'), { recursive: true });
  const structure = JSON.parse(readFileSync(at('nameless', 'structure.json'), 'utf8'));
  writeFileSync(at('nameless', 'structure.json'), JSON.stringify({ ...structure, classNames: undefined }));
  const rows = ['train', 'validation', 'test'].flatMap((split) =>
    ['red', 'blue'].map((colour) => `pictures/${split}/${colour}/0.png,a ${colour} picture,${split}`),
  );
  writeFileSync(at('captions.csv'), ['image,caption,split', ...rows].join('\n'));
  const pairs = [
    '--task',
    'retrieval',
    '--data',
    at('captions.csv'),
    ...ENGINE,
    '--batch-size',
    '2',
    ...shape,
  ];
  expect((await winnow(['train', ...pairs, '--out', at('pairs')])).code).toBe(0);
  await mkdir(at('damaged'));
  writeFileSync(at('damaged', 'cut.png'), readFileSync(of('red', 0)).subarray(0, 60));
  writeFileSync(at('damaged', 'words.png'), 'no picture');
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('a table has the classes of each picture with their probabilities, never more than there are', async () => {
  const { code, stdout, stderr } = await predict('dense', at('pictures', 'test'));
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  expect(stdout).toMatch(/│ picture +│ +class │ probability │/);
  for (const colour of ['blue', 'red']) {
    expect(stdout.match(new RegExp(`│ +${colour} │ +\\d+\\.\\d\\d % │`, 'g'))).toHaveLength(6);
    for (const index of [0, 1, 2]) expect(stdout.split(of(colour, index))).toHaveLength(2);
  }
  const best = await predict('dense', of('red', 0), '--top', '1');
  expect(best.stdout.match(/ %/g)).toHaveLength(1);
});

test('--json is one document, and --csv a file beside it', async () => {
  const { code, stdout } = await predict(
    'dense',
    of('red', 0),
    of('blue', 1),
    '--json',
    '--csv',
    at('p.csv'),
  );
  expect(code).toBe(0);
  const { by, predictions, broken } = document.parse(JSON.parse(stdout));
  expect([by, broken]).toEqual(['classes', []]);
  expect(predictions.map(({ picture }) => picture)).toEqual([of('red', 0), of('blue', 1)]);
  for (const { best } of predictions) {
    expect(best.map(({ name, index }) => [name, index]).sort()).toEqual([
      ['blue', 0],
      ['red', 1],
    ]);
    expect(best[0]?.probability).toBeGreaterThanOrEqual(best[1]?.probability ?? 1);
    expect(best.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
  }
  const [heading, ...lines] = readFileSync(at('p.csv'), 'utf8').trimEnd().split('\r\n');
  expect(heading).toBe('picture,rank,class,index,probability');
  expect(lines).toEqual(
    predictions.flatMap(({ picture, best }) =>
      best.map(({ name, index, probability }, place) =>
        [picture, place + 1, name, index, probability].join(','),
      ),
    ),
  );
});

test('a picture is never written over', async () => {
  const { code, stderr } = await predict('dense', of('red', 0), '--csv', of('blue', 0));
  expect([code, stderr]).toEqual([2, expect.stringMatching(/expected a file whose name ends in \.csv/)]);
});

test('pictures are named as files, folders, patterns and lines of standard input', async () => {
  const pattern = await predict('dense', at('pictures', 'test', '*', '1.png'), '--json');
  expect(picturesIn(pattern.stdout)).toEqual([of('blue', 1), of('red', 1)]);
  const lines = Readable.from([`${of('red', 2)}\r\n\n${of('blue', 2).slice(0, 9)}`, of('blue', 2).slice(9)]);
  const args = ['predict', at('dense'), of('red', 0), '-', '--json', ...ENGINE];
  const mixed = await winnow(args, new AbortController().signal, lines);
  expect(picturesIn(mixed.stdout)).toEqual([of('red', 0), of('red', 2), of('blue', 2)]);
  const twice = await predict('dense', '-', '-');
  expect([twice.code, twice.stderr]).toEqual([2, expect.stringMatching(/standard input can be read once/)]);
  const empty = await predict('dense', '-');
  expect([empty.code, empty.stderr]).toEqual([2, expect.stringMatching(/expected pictures, got none/)]);
  const none = await predict('dense', at('pictures', '*.jpg'));
  expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/files that match .*, but found none/)]);
});

describe('broken pictures', () => {
  const broken = /2 of 3 pictures cannot be read:\n- .*cut\.png.*\n- .*words\.png/;

  test('are all named at the end, and the others are told', async () => {
    const { code, stdout, stderr } = await predict('dense', at('damaged'), of('red', 0));
    expect([code, stderr]).toEqual([2, expect.stringMatching(broken)]);
    expect(stdout).toContain(of('red', 0));
    expect(stdout).not.toContain('cut.png');
  });

  test('are no error where they may be skipped, unless there is no other', async () => {
    const { code, stdout, stderr } = await predict(
      'dense',
      at('damaged'),
      of('red', 0),
      '--skip-broken',
      '--json',
    );
    expect([code, stderr]).toEqual([0, expect.stringMatching(broken)]);
    expect(document.parse(JSON.parse(stdout)).broken).toHaveLength(2);
    const all = await predict('dense', at('damaged'), '--skip-broken');
    expect([all.code, all.stderr]).toEqual([2, expect.stringMatching(/2 of 2 pictures cannot be read/)]);
  });
});

test('classes without names are numbers, and a line says so', async () => {
  const { code, stdout, stderr } = await predict('nameless', of('red', 0), '--json');
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/does not name its classes: they are numbers from 0/),
  ]);
  const [prediction] = document.parse(JSON.parse(stdout)).predictions;
  expect(prediction?.best.map(({ name, index }) => [name, index]).sort()).toEqual([
    ['0', 0],
    ['1', 1],
  ]);
});

describe('a dual encoder', () => {
  test('tells pictures apart by texts', async () => {
    const { code, stdout, stderr } = await predict(
      'pairs',
      of('red', 0),
      '--texts',
      'a red picture| a blue picture',
    );
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:|vocabulary/)]);
    expect(stdout).toMatch(/│ picture +│ +text │ probability │/);
    expect(stdout).toMatch(/│ +a red picture │ +\d+\.\d\d % │/);
    expect(stdout).toMatch(/│ +a blue picture │ +\d+\.\d\d % │/);
  });

  test('says what its vocabulary does not know', async () => {
    const { stderr } = await predict(
      'pairs',
      of('red', 0),
      '--texts',
      'a red picture|a purple one|a pink one',
    );
    expect(stderr).toMatch(/does not know all words of 2 of 3 texts: a purple one, a pink one/);
    expect(stderr).toMatch(/read the same and cannot be told apart: a purple one, a pink one/);
  });

  test.each<[string, RegExp, string[]]>([
    ['no texts', /has no classes of its own: say with --texts/, ['pairs']],
    ['one text', /expected 2 to 1000 texts.*got 1/, ['pairs', '--texts', 'a red picture']],
    ['an empty text', /expected texts between \|/, ['pairs', '--texts', 'red|']],
    ['texts that read the same', /all 2 texts read the same/, ['pairs', '--texts', 'purple|pink']],
    ['texts for a classifier', /--texts has no use for a classifier/, ['dense', '--texts', 'red|blue']],
  ])('with %s is refused', async (_what, message, [model = '', ...flags]) => {
    const { code, stderr } = await predict(model, of('red', 0), ...flags);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});

test('needs pictures, and says so in its help', async () => {
  for (const words of [[], [at('dense')]]) {
    const { code, stderr } = await winnow(['predict', ...words]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/predict: expected <model> <pictures\.\.>/)]);
  }
  const request = await parseArguments(['predict', '--help'], commands, { version: '0' });
  expect(request).toMatchObject({
    kind: 'text',
    text: expect.stringMatching(/^winnow predict <model> <pictures\.\.>\n[\s\S]*--skip-broken/),
  });
});
