import { readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-texts-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = ['--engine', 'wasm'];
const SHAPE = ['--image-size', '16', '--patch-size', '8', '--duration', '0it', '--evaluate-every', '0it'];
const train = (out: string, data: string, ...more: string[]) =>
  winnow([
    ...['train', '--task', 'retrieval', '--data', at(data), ...ENGINE, '--batch-size', '4', ...SHAPE],
    ...['--out', at(out), ...more],
  ]);

/** Captions of the pictures, with what is said of each. */
function table(name: string, say: (colour: string, number: number, split: string) => string): void {
  const rows = ['train', 'validation', 'test'].flatMap((split) =>
    ['red', 'blue'].flatMap((colour) =>
      readdirSync(at('pictures', split, colour)).map(
        (file, number) => `pictures/${split}/${colour}/${file},${say(colour, number, split)},${split}`,
      ),
    ),
  );
  writeFileSync(at(name), ['image,caption,split', ...rows].join('\n'));
}

beforeAll(async () => {
  await makePictures(at('pictures'), { train: 4, validation: 2, test: 2 });
  table('english.csv', (colour, number) => `a ${colour} picture with the number ${number}`);
  table(
    'chinese.csv',
    (colour, number, split) => `${colour === 'red' ? '红色' : '蓝色'}的图片${split}第${number}张`,
  );
  table('lost.csv', (colour, number, split) =>
    split === 'test' ? `a ${colour} caf\ufffd` : `a ${colour} ${number}`,
  );
  expect(await train('english', 'english.csv')).toMatchObject({ code: 0 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const NOTHING = /the vocabulary knows almost nothing of the texts:/;

test('captions that are read well go without a word', async () => {
  const { stderr } = await train('plain', 'english.csv');
  expect(stderr).not.toMatch(NOTHING);
  expect(stderr).not.toMatch(/cut|U\+FFFD/);
});

test('recalls among so few texts that they say little are named', async () => {
  const { stderr } = await winnow(['evaluate', at('english'), '--data', at('english.csv'), ...ENGINE]);
  expect(stderr).toMatch(
    /test has 4 texts: recalls at 5 and 10 among so few are high whatever a model answers/,
  );
  expect(stderr).not.toMatch(/validation has/);
});

test('a language without spaces is warned of where a vocabulary of words is made, with the way out', async () => {
  const { code, stderr } = await train('chinese', 'chinese.csv');
  expect(code).toBe(0);
  expect(stderr).toMatch(/in test 100 % of the words are unknown, and 4 of 4 texts have no known word/);
  expect(stderr).toMatch(/almost nothing of the texts: in validation 100 %/);
  expect(stderr).not.toMatch(/in train \d+ %/);
  expect(stderr).toMatch(/need --tokenizer with byte pairs/);
});

test('a model of other words is warned of where it is scored, for the split that it is scored on', async () => {
  const { code, stderr } = await winnow(['evaluate', at('english'), '--data', at('chinese.csv'), ...ENGINE]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/almost nothing of the texts: in test 100 %.*score it on texts like those/);
  expect(stderr).not.toMatch(/in (train|validation) \d+ %/);
});

test('captions that are cut are counted', async () => {
  const { stderr } = await train('cut', 'english.csv', '--context', '5');
  expect(stderr).toMatch(
    /longer than 5 tokens, and cut: 8 of 8 in train, 4 of 4 in validation, 4 of 4 in test/,
  );
  const evaluated = await winnow(['evaluate', at('cut'), ...ENGINE]);
  expect(evaluated.stderr).toMatch(/longer than 5 tokens, and cut: 4 of 4 in test/);
});

test('captions that have lost characters are counted', async () => {
  expect((await train('lost', 'lost.csv')).stderr).toMatch(/U\+FFFD.*: 4 of 4 in test/);
});

describe('zero-shot', () => {
  const zeroShot = (model: string, prompts: string) =>
    winnow(['evaluate', at(model), '--data', at('pictures'), '--zero-shot', prompts, ...ENGINE]);

  test('goes without a word where all of them are known', async () => {
    const { code, stderr } = await zeroShot('english', 'a {} picture');
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/vocabulary|apart|cut/);
  });

  test('names what the vocabulary does not know of the classes and the prompts', async () => {
    table('red.csv', (colour, number) => (colour === 'red' ? `a red ${number}` : `an azure ${number}`));
    await train('red', 'red.csv');
    const { code, stderr } = await zeroShot('red', 'the {}');
    expect(code).toBe(0);
    expect(stderr).toMatch(/does not know all words of 1 of 2 class names: blue/);
    expect(stderr).toMatch(/does not know all words of the prompts the \{\}/);
    expect((await zeroShot('cut', 'a {} picture with the number')).stderr).toMatch(
      /2 of 2 prompts are longer than 5 tokens, and cut/,
    );
  });

  test.each([
    ['nothing is known of their names', 'chinese', '{}'],
    ['they are cut before their names', 'cut', 'a picture with the {}'],
  ])('is refused where all classes read the same, as %s', async (_why, model, prompts) => {
    const { code, stderr } = await zeroShot(model, prompts);
    expect(code).toBe(2);
    expect(stderr).toMatch(/the prompts of all 2 classes read the same to this model/);
  });
});
