import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { openImageTextDataset, openTokenizer } from '../src/index';
import { readEntries } from '../src/file/read-entries';
import { utf8Text } from '../src/file/utf8';
import { saidIn } from '../src/shard/said';

const root = await mkdtemp(join(tmpdir(), 'winnow-utf8-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

const ROWS = Array.from({ length: 12 }, (_, index) => `${index}.png,un café très beau n ${index}`);
const TABLE = ['image,caption', ...ROWS].join('\n');
const COCO = JSON.stringify({
  images: ROWS.map((_, id) => ({ id, file_name: `${id}.png` })),
  annotations: ROWS.map((caption, image_id) => ({ image_id, caption })),
});
const KARPATHY = JSON.stringify({
  images: ROWS.map((raw, id) => ({ filename: `${id}.png`, split: 'train', sentences: [{ raw }] })),
});

beforeAll(async () => {
  await mkdir(root, { recursive: true });
  const picture = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  for (const [index] of ROWS.entries()) writeFileSync(at(`${index}.png`), picture);
});

const open = (name: string) => openImageTextDataset(at(name), { imageSize: 4 });
const inUtf16 = (text: string, mark: boolean) => Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le');
const bigEndian = (text: string) => inUtf16(text, true).swap16();

describe.each([
  ['captions.csv', TABLE, 2],
  ['coco.json', COCO, 1],
  ['karpathy.json', KARPATHY, 1],
])('%s', (name, text, line) => {
  test('is read in UTF-8, with or without a byte order mark', async () => {
    for (const mark of ['', '\ufeff']) {
      writeFileSync(at(name), mark + text);
      const { texts, tokenizer } = await open(name);
      expect(texts.train[0]).toMatch(/café très/);
      expect(JSON.stringify(tokenizer.file)).not.toMatch(/\ufffd/);
    }
  });

  test('is refused in Windows-1252, with line and byte', async () => {
    writeFileSync(at(name), Buffer.from(text, 'latin1'));
    const byte = Buffer.from(text, 'latin1').indexOf(0xe9) + 1;
    await expect(open(name)).rejects.toThrow(
      new RegExp(`${name}, but found the byte 0xE9 on line ${line} \\(byte ${byte} of the file\\).*iconv`),
    );
  });

  test('is refused in UTF-16, which is named', async () => {
    for (const bytes of [inUtf16(text, true), bigEndian(text)]) {
      writeFileSync(at(name), bytes);
      await expect(open(name)).rejects.toThrow(/found UTF-16 \(its byte order mark\)/);
    }
    writeFileSync(at(name), inUtf16(text, false));
    await expect(open(name)).rejects.toThrow(/found UTF-16 without a byte order mark/);
  });
});

test('a vocabulary is refused likewise', async () => {
  writeFileSync(at('tokenizer.json'), Buffer.from('{\n"é": 1}', 'latin1'));
  await expect(openTokenizer(at('tokenizer.json'))).rejects.toThrow(
    /byte 0xE9 on line 2 \(byte 4 of the file\)/,
  );
  await rm(at('tokenizer.json'));
  writeFileSync(at('merges.txt'), inUtf16('#version: 0.2', true));
  writeFileSync(at('vocab.json'), '{}');
  await expect(openTokenizer(at('merges.txt'))).rejects.toThrow(/merges\.txt, but found UTF-16/);
});

test('questions that are read piece by piece are refused likewise, and what shards say of a picture', async () => {
  for (const bytes of [inUtf16('{"1": {}}', true), bigEndian('{"1": {}}')]) {
    writeFileSync(at('questions.json'), bytes);
    const read = readEntries(at('questions.json'), 'questions', () => undefined);
    await expect(read).rejects.toThrow(
      /questions as text in UTF-8 in .*questions\.json, but found UTF-16 \(its byte order mark\)\. Save the file as UTF-8/,
    );
    expect(saidIn('json', bytes)).toBe('UTF-16 (its byte order mark)');
  }
});

test('any text is read as it was written, and the first byte of another encoding is found', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((text) => !/^.?\0/su.test(text));
  fc.assert(
    fc.property(text, (text) => {
      const expected = text.startsWith('\ufeff') ? text.slice(1) : text;
      expect(utf8Text(Buffer.from(text), 'file', 'text')).toBe(expected);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'é', '\ufffd', '€', '\n', '😀')), (before) => {
      const head = Buffer.from(`x${before.join('')}`);
      const line = head.toString().split('\n').length;
      const place = new RegExp(`0xE9 on line ${line} \\(byte ${head.length + 1} of`);
      expect(() => utf8Text(Buffer.concat([head, Buffer.from([0xe9, 0x20])]), 'file', 'text')).toThrow(place);
    }),
  );
});

describe('columns of a table', () => {
  test('that are not read are named', async () => {
    writeFileSync(
      at('more.csv'),
      TABLE.replace('image,caption', 'image,caption,splits').replaceAll(/(\d)$/gm, '$1,test'),
    );
    expect((await open('more.csv')).notes).toContainEqual(expect.stringMatching(/not read: splits/));
    writeFileSync(at('plain.csv'), TABLE);
    expect((await open('plain.csv')).notes.join()).not.toMatch(/not read/);
  });

  test('that are there twice are refused', async () => {
    writeFileSync(at('twice.csv'), readFileSync(at('more.csv'), 'utf8').replace('splits', 'Caption '));
    await expect(open('twice.csv')).rejects.toThrow(/one column caption in the first line/);
  });
});

test.each([['\u00a0 \u2003'], ['\u200b'], ['\u0085']])(
  'a caption of what does not show is refused: %j',
  async (blank) => {
    writeFileSync(at('blank.csv'), TABLE.replace('un café très beau n 3', `"${blank}"`));
    await expect(open('blank.csv')).rejects.toThrow(/none of them blank[\s\S]*3\.png/);
  },
);
