import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '@winnow/core';
import fc from 'fast-check';
import { z } from 'zod';
import { encodeAll, openTokenizer, siglipTokenizer, tokenizerFrom } from '../src/index';
import { wellFormed } from '../src/tokenizer/text';
import { type ScoredPiece, unigramEncoder } from '../src/tokenizer/unigram';

const root = await mkdtemp(join(tmpdir(), 'winnow-unigram-'));
afterAll(() => rm(root, { recursive: true, force: true }));

const fixture = (name: string): string => join(import.meta.dirname, 'tokenizer', 'unigram', name);
const [head = '', ...lines] = readFileSync(fixture('reference.jsonl'), 'utf8').trim().split('\n');
const files = z.record(z.string(), z.json()).parse(JSON.parse(head));
const ids = z.array(z.int());
const reference = lines.map((line) =>
  z
    .object({ text: z.string(), transformers: ids, padded: ids, ids: z.record(z.string(), ids) })
    .parse(JSON.parse(line)),
);
const fileOf = (kind: string): Json => files[kind] ?? null;
const model = readFileSync(fixture('spiece.model'));
const parts = z.looseObject({
  normalizer: z.json(),
  model: z.looseObject({ vocab: z.array(z.tuple([z.string(), z.number()])) }),
});

test.each(['siglip', 'bytes', 'words', 'never'])(
  'the tokenizer.json %s gives every text the ids of the tokenizers library',
  (kind) => {
    const tokenizer = tokenizerFrom(fileOf(kind));
    expect(reference.length).toBeGreaterThan(110);
    for (const { text, ids } of reference)
      expect([text, [...tokenizer.encode(text, 10_000)]]).toEqual([text, ids[kind]]);
  },
);

describe("SigLIP's spiece.model", () => {
  const tokenizer = siglipTokenizer(model);
  /**
   * Differences of transformers' class from the tokenizer.json that is published beside the model: spaces and the mark
   * for them at the beginning of a text, what stands behind a special token, marks on characters that are replaced.
   */
  const isPlain = (text: string): boolean => {
    const [first = ''] = text.replace(/[!-/:-@[-`{-~]/gu, '');
    return !/[\s\u200b\u2581]/u.test(first) && !/\u2581|<\/s>|[\u00e9\uff21-\uff5a\u0301]\u0301/u.test(text);
  };
  const plain = reference.filter(({ text }) => isPlain(text));

  test("gives every plain text the ids of transformers' SiglipTokenizer", () => {
    expect(plain.length).toBeGreaterThan(70);
    for (const { text, transformers } of plain)
      expect([text, [...tokenizer.encode(text, 10_000)]]).toEqual([text, transformers]);
  });

  test('is filled up with its end token to 64, and cut there', () => {
    const texts = plain.map(({ text }) => text);
    const { tokens, length } = encodeAll(tokenizer, texts, 64, { fillsContext: true });
    expect(length).toBe(64);
    for (const [index, { text, padded }] of plain.entries())
      expect([text, [...tokens.subarray(64 * index, 64 * (index + 1))]]).toEqual([text, padded]);
    expect(plain.some(({ transformers }) => transformers.length > 64)).toBe(true);
    expect([tokenizer.startToken, tokenizer.endToken, tokenizer.padToken]).toEqual([undefined, 1, 1]);
  });

  test('is made again by its file', () => {
    const again = tokenizerFrom(tokenizer.file);
    for (const { text } of reference) expect(again.encode(text, 64)).toEqual(tokenizer.encode(text, 64));
  });

  test('is opened by itself or in a folder, and read as the settings beside it say', async () => {
    copyFileSync(fixture('spiece.model'), join(root, 'spiece.model'));
    const settings = (content: unknown) =>
      writeFileSync(join(root, 'tokenizer_config.json'), JSON.stringify(content));
    const opened = await openTokenizer(root);
    expect(opened.encode('A Cat', 64)).toEqual(tokenizer.encode('a cat', 64));
    settings({ tokenizer_class: 'SiglipTokenizer', do_lower_case: false, pad_token: { content: '<pad>' } });
    const cased = await openTokenizer(join(root, 'spiece.model'));
    expect(cased.encode('A Cat', 64)).not.toEqual(tokenizer.encode('a cat', 64));
    expect(cased.padToken).toBe(0);
    expect(tokenizerFrom(cased.file).padToken).toBe(0);
    settings({ tokenizer_class: 'T5Tokenizer' });
    await expect(openTokenizer(root)).rejects.toThrow(/SigLIP's SentencePiece model.*T5Tokenizer/);
    settings({ do_lower_case: 'yes' });
    await expect(openTokenizer(root)).rejects.toThrow(/tokenizer_config\.json.*do_lower_case/);
    settings({ pad_token: '<none>' });
    await expect(openTokenizer(root)).rejects.toThrow(/no pad token <none>/);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['cut off', model.subarray(0, 1000), /cut off/],
    ['of no pieces', new Uint8Array(), /pieces/],
    ['of another kind', Buffer.concat([model, Buffer.from([0x12, 2, 0x18, 2])]), /unigram/],
    [
      'with a symbol of its user',
      Buffer.concat([model, Buffer.from([0x0a, 5, 0x0a, 1, 0x78, 0x18, 4])]),
      /its user/,
    ],
    ['that is a text', Buffer.from('#version: 0.2\na b\n'), /SentencePiece model/],
  ])('%s is refused by name', (_what, bytes, message) => {
    expect(() => siglipTokenizer(bytes, 'a/spiece.model')).toThrow(message);
    expect(() => siglipTokenizer(bytes, 'a/spiece.model')).toThrow(/a\/spiece\.model/);
  });

  test('whatever bytes it has are read or refused, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(model.length), (noise, at) => {
        const damaged = Buffer.concat([model.subarray(0, at), noise, model.subarray(at + noise.length)]);
        try {
          siglipTokenizer(damaged).encode('a photo', 8);
        } catch (error) {
          expect(String(error)).toMatch(/^DataError: expected/);
        }
      }),
    );
  });
});

test.each([
  ['canonicalize', 'A Red_Shirt! on\ta  beach.', 'a red shirt on a beach'],
  ['lower', ' A Red_Shirt!  on', 'a red_shirt! on'],
  ['whitespace', ' A  Red_Shirt! ', 'A Red_Shirt!'],
])('texts are cleaned first as open_clip says beside the tokenizer: %s', async (clean, text, same) => {
  const folder = await mkdtemp(join(root, 'open-clip-'));
  const configuration = (content: unknown) =>
    writeFileSync(join(folder, 'open_clip_config.json'), JSON.stringify(content));
  const cased = z.looseObject({}).parse(fileOf('never'));
  const plain = tokenizerFrom(z.json().parse({ ...cased, normalizer: { type: 'NFC' } }));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(plain.file));
  configuration({ model_cfg: { text_cfg: { tokenizer_kwargs: { clean } } } });
  const opened = await openTokenizer(folder);
  expect(opened.encode(text, 64)).toEqual(plain.encode(same, 64));
  expect(tokenizerFrom(opened.file).encode(text, 64)).toEqual(plain.encode(same, 64));
  configuration({ model_cfg: { text_cfg: { tokenizer_kwargs: { clean: 'bleach' } } } });
  await expect(openTokenizer(folder)).rejects.toThrow(/open_clip_config\.json.*clean/s);
});

describe('a unigram model', () => {
  const signs = fc.constantFrom('a', 'b', 'c', '\u2581', '\u{1f600}');
  const pieceLists = fc
    .uniqueArray(
      fc.tuple(fc.string({ unit: signs, minLength: 1, maxLength: 4 }), fc.integer({ min: -40, max: -1 })),
      {
        selector: ([piece]) => piece,
        minLength: 1,
        maxLength: 12,
      },
    )
    // Scores of which no sums are equal, so that there is one best way.
    .map((list): ScoredPiece[] => list.map(([piece, score], index) => [piece, score + 2 ** -(index + 2)]));
  const texts = fc.string({ unit: signs, maxLength: 8 });

  /** Every way to put a text together, by trying all of them. */
  function ways(text: string, pieces: readonly ScoredPiece[]): { score: number; parts: string[] }[] {
    if (text === '') return [{ score: 0, parts: [] }];
    const [sign = ''] = text;
    const known = pieces.filter(([piece]) => text.startsWith(piece));
    const least = Math.min(...pieces.map(([, score]) => score));
    const choices = known.some(([piece]) => piece === sign) ? known : [...known, [sign, least - 10] as const];
    return choices.flatMap(([piece, score]) =>
      ways(text.slice(piece.length), pieces).map((rest) => ({
        score: score + rest.score,
        parts: [piece, ...rest.parts],
      })),
    );
  }

  test('takes the most likely of all ways', () => {
    fc.assert(
      fc.property(pieceLists, texts, (pieces, text) => {
        const encode = unigramEncoder({ pieces, unknownToken: undefined, byteFallback: false });
        const best = ways(text, pieces).reduce((one, other) => (other.score > one.score ? other : one));
        const known = best.parts.flatMap((part) => {
          const index = pieces.findIndex(([piece]) => piece === part);
          return index === -1 ? [] : [index];
        });
        expect(encode(text)).toEqual(known);
      }),
    );
  });

  test('is decoded to the text, where every character is known', () => {
    fc.assert(
      fc.property(pieceLists, texts, (list, text) => {
        const single = ['a', 'b', 'c', '\u2581', '\u{1f600}'].filter((sign) =>
          list.every(([piece]) => piece !== sign),
        );
        const pieces = [...list, ...single.map((sign): ScoredPiece => [sign, -50])];
        const tokens = unigramEncoder({ pieces, unknownToken: undefined, byteFallback: false })(text);
        expect(tokens.map((token) => pieces[token]?.[0]).join('')).toBe(text);
      }),
    );
  });

  test('is decoded to the text by bytes, whatever stands in it', () => {
    const bytes = Array.from({ length: 256 }, (_, byte): ScoredPiece => [
      `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
      -100,
    ]);
    const pieces: ScoredPiece[] = [['\u2581', -1], ['ab', -2], ...bytes];
    const encode = unigramEncoder({ pieces, unknownToken: undefined, byteFallback: true });
    fc.assert(
      fc.property(
        fc.string({ unit: fc.oneof(signs, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })) }),
        (text) => {
          fc.pre(!text.includes('<') && wellFormed(text) === text);
          const decoded = encode(text).flatMap((token) => {
            const [piece = ''] = pieces[token] ?? [];
            const byte = /^<0x(..)>$/.exec(piece)?.[1];
            return byte === undefined ? [...Buffer.from(piece)] : [Number.parseInt(byte, 16)];
          });
          expect(Buffer.from(decoded).toString()).toBe(text);
        },
      ),
    );
  });

  test('reads a long text without spaces up to a length that no context holds', () => {
    const encode = unigramEncoder({
      pieces: [
        ['?', -5],
        ['a', -1],
      ],
      unknownToken: 0,
      byteFallback: false,
    });
    expect(encode('a'.repeat(200_000))).toHaveLength(2 ** 17);
    expect(encode('b'.repeat(200_000))).toEqual([0]);
  });
});

describe('a tokenizer.json with a unigram model is refused by name', () => {
  const whole = parts.parse(fileOf('siglip'));
  const changed = (change: Readonly<Record<string, unknown>>): Json =>
    z.json().parse({ ...whole, ...change });
  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    [
      'a normaliser that is not read',
      { normalizer: { type: 'BertNormalizer' } },
      /got BertNormalizer at normalizer/,
    ],
    [
      'a pattern that is not read',
      { normalizer: { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' } },
      /one class of characters, got "\(a\+\)\+\$" at normalizer/,
    ],
    [
      'a damaged map',
      { normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } },
      /without its trie at normalizer\.precompiled_charsmap/,
    ],
    ['another end', { post_processor: null }, /post_processor/],
    ['another way to cut', { pre_tokenizer: { type: 'Whitespace' } }, /pre_tokenizer/],
    ['an unknown piece out of range', { model: { ...whole.model, unk_id: 1e6 } }, /unk_id/],
    [
      'a piece twice',
      { model: { ...whole.model, vocab: [...whole.model.vocab, whole.model.vocab[5]] } },
      /tokens, and|the index/,
    ],
    ['a score that is none', { model: { ...whole.model, vocab: [['a', null]] } }, /number/],
  ])('%s', (_what, change, message) => {
    expect(() => tokenizerFrom(changed(change))).toThrow(message);
  });
});
