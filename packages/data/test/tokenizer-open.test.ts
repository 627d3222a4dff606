import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Json } from '@winnow/core';
import {
  DataError,
  type Tokenizer,
  clipTokenizer,
  openTokenizer,
  tokenizerFrom,
  wordTokenizer,
} from '../src/index';
import { temporaryFolders, writeTree } from './pictures/temporary';
import { describePublished, publishedNote, publishedVocabulary, wordReference } from './tokenizer/published';
import { smallClipTokenizer, smallMerges, smallTokens } from './tokenizer/small';

const temporary = temporaryFolders();
const json = (content: unknown) => Buffer.from(JSON.stringify(content));

async function folderOf(files: Record<string, Buffer | string>): Promise<string> {
  const folder = await temporary('tokenizer');
  await writeTree(
    folder,
    Object.fromEntries(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)])),
  );
  return folder;
}

const small = smallClipTokenizer();
const vocabulary = Object.fromEntries(smallTokens.map((token, index) => [token, index]));
const merges = ['#version: 0.2', ...smallMerges.map((pair) => pair.join(' ')), ''].join('\n');

function expectSame(found: Tokenizer, expected: Tokenizer): void {
  expect(found.file).toEqual(expected.file);
  expect(found.encode('the thing in an aaaaa', 77)).toEqual(expected.encode('the thing in an aaaaa', 77));
}

describe('openTokenizer reads', () => {
  test.each(['', 'tokenizer.json'])("a folder's tokenizer.json (path ending in '%s')", async (name) => {
    const folder = await folderOf({ 'tokenizer.json': json(small.file), 'vocab.json': 'not read' });
    expectSame(await openTokenizer(join(folder, name)), small);
  });

  test.each(['', 'vocab.json', 'merges.txt'])(
    "vocab.json and merges.txt (path ending in '%s')",
    async (name) => {
      const folder = await folderOf({ 'vocab.json': json(vocabulary), 'merges.txt': merges });
      expectSame(await openTokenizer(join(folder, name)), small);
    },
  );

  test('lines that end as on Windows', async () => {
    const folder = await folderOf({
      'vocab.json': json(vocabulary),
      'merges.txt': merges.replaceAll('\n', '\r\n'),
    });
    expectSame(await openTokenizer(folder), small);
  });

  test('a word tokenizer, ours and one of Hugging Face', async () => {
    const { names, file } = wordReference();
    const ours = await folderOf({ 'words.json': json(wordTokenizer(names).file) });
    const theirs = await folderOf({ 'words.json': json(file) });
    expectSame(await openTokenizer(join(ours, 'words.json')), wordTokenizer(names));
    expectSame(await openTokenizer(join(theirs, 'words.json')), wordTokenizer(names));
  });
});

type Change = readonly [what: string, change: (file: Changeable) => void, message: RegExp];

/** The parts of a tokenizer.json that the tests below spoil. */
interface Changeable {
  added_tokens: { id: number; content: string; lstrip: boolean; normalized: boolean }[];
  normalizer: { normalizers: Json[] } | null;
  pre_tokenizer: { pretokenizers: { pattern: { Regex: string } }[] };
  post_processor: Json;
  model: {
    type: string;
    unk_token: string;
    vocab: Record<string, Json>;
    merges: Json[];
    end_of_word_suffix: string;
  };
}

const changed = (change: Change[1]): Json => {
  const file: Changeable = JSON.parse(JSON.stringify(small.file));
  change(file);
  return JSON.parse(JSON.stringify(file));
};

const firstSplit = (file: Changeable) => file.pre_tokenizer.pretokenizers[0] ?? { pattern: { Regex: '' } };

describe('tokenizerFrom', () => {
  const rejected: Change[] = [
    ['another model', (file) => (file.model.type = 'Unheard'), /a model of the type 'Unheard'/],
    ['no end of word, as GPT-2', (file) => (file.model.end_of_word_suffix = ''), /end_of_word_suffix/],
    ['no normalizer', (file) => (file.normalizer = null), /at normalizer/],
    ['another normalizer', (file) => file.normalizer?.normalizers.pop(), /at normalizer.normalizers/],
    [
      'another way to cut',
      (file) => (firstSplit(file).pattern.Regex = '\\w+'),
      /pretokenizers.0.pattern.Regex/,
    ],
    ['no start and end', (file) => (file.post_processor = null), /at post_processor/],
    [
      'an added token that strips',
      (file) => file.added_tokens.forEach((token) => (token.lstrip = true)),
      /lstrip/,
    ],
    ['a fractional index', (file) => (file.model.vocab['a'] = 1.5), /at model.vocab.a/],
    ['a list for a vocabulary', (file) => Object.assign(file.model, { vocab: ['a'] }), /at model.vocab/],
    ['an index twice', (file) => (file.model.vocab['a'] = 0), /the index 0 for/],
    ['a token lost', (file) => delete file.model.vocab['b'], /525 tokens, and '.*' with the index 525/],
    ['an added token elsewhere', (file) => file.added_tokens.forEach((t) => (t.id = 3)), /indices 524 and 3/],
    ['a merge of nothing known', (file) => file.model.merges.push(['qq', 'a']), /a merge of 'qq'/],
    ['a merge to nothing known', (file) => file.model.merges.push(['q', 'a']), /a merge to 'qa'/],
    ['a merge of three', (file) => file.model.merges.push('q a b'), /at model.merges.12/],
    ['an unknown token that is unknown', (file) => (file.model.unk_token = '?!'), /unknown token '\?!'/],
    [
      'an end token that is unknown',
      (file) => (file.post_processor = { type: 'BertProcessing', cls: ['a', 1], sep: ['[SEP]', 2] }),
      /an end token '\[SEP\]'/,
    ],
  ];

  test.each(rejected)('refuses %s', (_, change, message) => {
    const opening = () => tokenizerFrom(changed(change), 'x/tokenizer.json');
    expect(opening).toThrow(DataError);
    expect(opening).toThrow(message);
    expect(opening).toThrow(/^expected x\/tokenizer.json to describe/);
  });

  test.each([[null], [[]], ['text'], [{}], [{ model: {} }]])('refuses %j', (file: Json) => {
    expect(() => tokenizerFrom(file)).toThrow(DataError);
  });

  const accepted: readonly (readonly [string, Change[1]])[] = [
    ['merges written as texts', (file) => (file.model.merges = smallMerges.map((pair) => pair.join(' ')))],
    [
      'start and end as a template',
      (file) =>
        (file.post_processor = {
          type: 'TemplateProcessing',
          single: [
            { SpecialToken: { id: '<|startoftext|>', type_id: 0 } },
            { Sequence: { id: 'A', type_id: 0 } },
            { SpecialToken: { id: '<|endoftext|>', type_id: 0 } },
          ],
        }),
    ],
  ];

  test.each(accepted)('reads %s', (_, change) => {
    const found = tokenizerFrom(changed(change));
    expect([found.startToken, found.endToken]).toEqual([small.startToken, small.endToken]);
    expect(found.encode('the thing', 9)).toEqual(small.encode('the thing', 9));
  });

  test('special tokens in normalised text, where the file says so', () => {
    const found = tokenizerFrom(
      changed((file) => file.added_tokens.forEach((token) => (token.normalized = true))),
    );
    expect([...found.encode('<|ENDOFTEXT|>', 9)]).toEqual([524, 525, 525]);
    expect(small.encode('<|ENDOFTEXT|>', 99).length).toBeGreaterThan(3);
  });

  test('what looks like a special token apart from its surroundings, where the file says so', () => {
    const plain = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
    const found = tokenizerFrom(changed((file) => (firstSplit(file).pattern.Regex = plain)));
    const last = (tokenizer: Tokenizer) => smallTokens[tokenizer.encode('<|ENDOFTEXT|>!', 99).at(-3) ?? -1];
    expect(last(small)).toBe('></w>');
    expect(last(found)).toBe('>');
  });
});

describe('openTokenizer refuses', () => {
  const cases: readonly (readonly [string, Record<string, Buffer | string>, string, RegExp])[] = [
    ['a path with nothing', {}, 'absent', /at .*absent, but found nothing there/],
    ['an empty folder', {}, '', /no tokenizer.json and no vocab.json and no merges.txt/],
    ['half of a tokenizer', { 'vocab.json': '{}' }, '', /no merges.txt/],
    ['another tokenizer', { 'vocab.json': '{"a":0}', 'merges.txt': merges }, '', /'<\|startoftext\|>'/],
    ['a list for a vocabulary', { 'vocab.json': '["a"]', 'merges.txt': merges }, '', /index of every token/],
    ['no merges', { 'vocab.json': json(vocabulary), 'merges.txt': '' }, '', /'#version', but found nothing/],
    ['a broken merge', { 'vocab.json': json(vocabulary), 'merges.txt': `${merges}a b c\n` }, '', /line 14/],
    ['broken JSON', { 'tokenizer.json': '{"model":' }, '', /JSON in .*tokenizer.json/],
    ['any text', { 'notes.txt': 'hello' }, 'notes.txt', /'hello'/],
    ['a cut list', { 'bpe.txt': merges }, 'bpe.txt', /at least 48894 merges .* found 12/],
    ['no text', { 'a.txt': Buffer.from([0xff, 0xfe, 0x00]) }, 'a.txt', /text in .*a.txt/],
    ['a cut archive', { 'a.gz': gzipSync(merges.repeat(9)).subarray(0, 40) }, 'a.gz', /text in .*a.gz/],
  ];

  test.each(cases)('%s', async (_, files, name, message) => {
    const opening = openTokenizer(join(await folderOf(files), name));
    await expect(opening).rejects.toBeInstanceOf(DataError);
    await expect(opening).rejects.toThrow(message);
  });
});

test("clipTokenizer refuses GPT-2's merges", () => {
  const gpt2 = ['#version: 0.2', ...new Array<string>(50_000).fill('Ġ t')].join('\n');
  expect(() => clipTokenizer(gpt2, 'merges.txt')).toThrow(/as in GPT-2's merges/);
});

describePublished(`CLIP's published vocabulary${publishedNote}`, () => {
  test('packed, unpacked, as tokenizer.json and as vocab.json with merges.txt', async () => {
    const packed = await readFile(publishedVocabulary);
    const text = gunzipSync(packed).toString('utf8');
    const published = await openTokenizer(publishedVocabulary);
    const { vocab } = (published.file as unknown as Changeable).model;
    const folder = await folderOf({
      'bpe.txt': text,
      'tokenizer.json': json(published.file),
      'pair/vocab.json': json(vocab),
      'pair/merges.txt': ['#version: 0.2', ...text.split('\n').slice(1, 48_895), ''].join('\n'),
    });
    for (const name of ['bpe.txt', '', 'pair']) {
      const found = await openTokenizer(join(folder, name));
      expect(found.vocabulary).toBe(49_408);
      expect(isDeepStrictEqual(found.file, published.file)).toBe(true);
    }
  });
});
