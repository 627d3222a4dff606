import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { z } from 'zod';
import { openTokenizer, tokenizerFrom } from '../src/index';
import { byteCharacters, bytePairEncoder } from '../src/tokenizer/byte-pairs';
import { smallestFirst } from '../src/tokenizer/smallest-first';
import { smallClipTokenizer } from './tokenizer/small';

const root = await mkdtemp(join(tmpdir(), 'winnow-bounds-'));
const at = (name: string) => join(root, name);
afterAll(() => rm(root, { recursive: true, force: true }));

describe('openTokenizer refuses before it fills the memory', () => {
  test('an archive that unpacks to gigabytes', async () => {
    // 64 MiB of nothing, again and again: gzip takes files one after the other for one.
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    writeFileSync(at('bomb.txt.gz'), Buffer.concat(Array.from({ length: 32 }, () => bomb)));
    await expect(openTokenizer(at('bomb.txt.gz'))).rejects.toThrow(
      /at most 32 MiB in .*bomb.*more than that/,
    );
  });

  test('a file that is larger than any vocabulary', async () => {
    writeFileSync(at('large.json'), `{${' '.repeat(33 * 1024 * 1024)}}`);
    await expect(openTokenizer(at('large.json'))).rejects.toThrow(/at most 32 MiB in .*large/);
  });

  test('brackets within each other, which nothing could write again', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    writeFileSync(at('deep.json'), JSON.stringify({ deep: 0 }).replace('0', deep));
    await expect(openTokenizer(at('deep.json'))).rejects.toThrow(/at most 100 brackets/);
    writeFileSync(at('text.json'), JSON.stringify({ text: `"${'['.repeat(200)}\\`, model: { type: 'BPE' } }));
    await expect(openTokenizer(at('text.json'))).rejects.toThrow(/describe a tokenizer/);
  });
});

const small = smallClipTokenizer();
const file = z.looseObject({ added_tokens: z.array(z.looseObject({ content: z.string(), id: z.number() })) });

test('more added tokens than texts can be searched for are refused', () => {
  const { added_tokens, ...rest } = file.parse(small.file);
  const [first] = added_tokens;
  const many = Array.from({ length: 2000 }, () => first);
  expect(() => tokenizerFrom(z.json().parse({ ...rest, added_tokens: many }))).toThrow(/added_tokens/);
  const long = { ...first, content: 'a'.repeat(1000) };
  expect(() => tokenizerFrom(z.json().parse({ ...rest, added_tokens: [...added_tokens, long] }))).toThrow(
    /added_tokens\.2\.content/,
  );
});

describe('byte pairs', () => {
  const letters = ['a', 'b', 'c'] as const;
  /** Merges of what earlier merges made, in any order of urgency. */
  const mergeLists = fc
    .array(fc.tuple(fc.nat(40), fc.nat(40)), { minLength: 1, maxLength: 25 })
    .map((choices) => {
      const tokens = [...byteCharacters.values(), ...letters.map((letter) => `${letter}</w>`)];
      const base = tokens.length;
      const merges = choices.map(([left, right]) => {
        const pick = (choice: number, all: readonly string[]) => all[choice % all.length] ?? 'a';
        const inner = [...letters, ...tokens.slice(base).filter((token) => !token.endsWith('</w>'))];
        const last = [...inner, ...letters.map((letter) => `${letter}</w>`)];
        const [one, other] = [pick(left, inner), pick(right, last)];
        if (!tokens.includes(one + other)) tokens.push(one + other);
        return [one, other] as const;
      });
      return { tokens, merges };
    });

  test('are joined as by looking for the most urgent pair again and again', () => {
    fc.assert(
      fc.property(
        mergeLists,
        fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 30 }),
        ({ tokens, merges }, word) => {
          const find = (token: string) => (tokens.includes(token) ? tokens.indexOf(token) : undefined);
          const index = (token: string) => tokens.indexOf(token);
          const encode = bytePairEncoder({
            find,
            merges: merges.map(([left, right]) => ({
              left: index(left),
              right: index(right),
              token: index(left + right),
            })),
            unknownToken: undefined,
          });
          expect(encode(word.join('')).map((token) => tokens[token])).toEqual(plainlyMerged(word, merges));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('of a word of 100,000 letters are found in the time that it takes to sort them', () => {
    const word = Array.from({ length: 100_000 }, (_, place) => letters[(place * place) % 3] ?? 'a').join('');
    const tokens = small.encode(word, 1_000_000);
    expect(tokens.length).toBeGreaterThan(1000);
    expect([...small.encode(word, 77)]).toEqual([...tokens.subarray(0, 76), small.endToken]);
  });

  test('of a text of a million words are looked for until the context is full', () => {
    const text = 'the an '.repeat(500_000);
    expect(small.encode(text, 77)).toHaveLength(77);
  });
});

/** Sennrich's algorithm as it is written down. */
function plainlyMerged(word: readonly string[], merges: readonly (readonly [string, string])[]): string[] {
  let tokens = word.map((letter, place) => (place === word.length - 1 ? `${letter}</w>` : letter));
  // The last of equal pairs is the one that counts, as in a table of them.
  const rankOf = (left?: string, right?: string) =>
    merges.findLastIndex((merge) => merge[0] === left && merge[1] === right);
  for (;;) {
    const ranks = tokens.map((token, place) => rankOf(token, tokens[place + 1])).filter((rank) => rank >= 0);
    if (ranks.length === 0) return tokens;
    const rank = Math.min(...ranks);
    const joined: string[] = [];
    for (let place = 0; place < tokens.length; place++) {
      const isPair = rankOf(tokens[place], tokens[place + 1]) === rank;
      joined.push(isPair ? `${tokens[place] ?? ''}${tokens[place + 1] ?? ''}` : (tokens[place] ?? ''));
      if (isPair) place++;
    }
    tokens = joined;
  }
}

test('the smallest comes first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), (values) => {
      const heap = smallestFirst();
      for (const value of values) heap.add(value);
      const taken: (number | undefined)[] = [];
      while (heap.first() !== undefined) {
        taken.push(heap.first());
        heap.remove();
      }
      expect(taken).toEqual([...values].sort((a, b) => a - b));
      heap.remove();
      expect(heap.first()).toBeUndefined();
    }),
  );
});
