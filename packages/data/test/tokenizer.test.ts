import fc from 'fast-check';
import { type Tokenizer, encodeAll, tokenizerFrom, wordTokenizer } from '../src/index';
import { byteCharacters } from '../src/tokenizer/byte-pairs';
import { normalisedForClip, wellFormed, words } from '../src/tokenizer/text';
import { smallClipTokenizer, smallTokenizers, smallTokens } from './tokenizer/small';
import { wordReference } from './tokenizer/published';

/** Anything that JavaScript calls a string, halves of characters included, and often what the vocabularies know. */
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
    .map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom('the', ' ', 'aaaa', 'an', 'é', 'Σ', 'FACE', ':', '<|endoftext|>', '__proto__', '10'),
      {
        maxLength: 12,
      },
    )
    .map((parts) => parts.join('')),
);
const contexts = fc.integer({ min: 2, max: 20 });
const ENDLESS = 1_000_000;

describe.each(smallTokenizers)('a tokenizer of %s', (_, tokenizer) => {
  test('begins with start, ends with end, and is never longer than the context', () => {
    fc.assert(
      fc.property(texts, contexts, (text, context) => {
        const tokens = tokenizer.encode(text, context);
        expect(tokens.length).toBeGreaterThanOrEqual(2);
        expect(tokens.length).toBeLessThanOrEqual(context);
        expect([tokens[0], tokens.at(-1)]).toEqual([tokenizer.startToken, tokenizer.endToken]);
        expect(tokens.every((token) => token >= 0 && token < tokenizer.vocabulary)).toBe(true);
      }),
    );
  });

  test('a text that is cut keeps its beginning', () => {
    fc.assert(
      fc.property(texts, contexts, (text, context) => {
        const whole = tokenizer.encode(text, ENDLESS);
        const kept = Math.min(whole.length, context) - 1;
        expect([...tokenizer.encode(text, context)]).toEqual([...whole.slice(0, kept), tokenizer.endToken]);
      }),
    );
  });

  test('half of a character is the replacement character', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const whole = Buffer.from(text, 'utf8').toString('utf8');
        expect(tokenizer.encode(text, ENDLESS)).toEqual(tokenizer.encode(whole, ENDLESS));
      }),
    );
    expect(wellFormed('a\ud83d😀\ude00')).toBe('a\ufffd😀\ufffd');
  });

  test('an empty text is start and end', () => {
    expect([...tokenizer.encode('', 77)]).toEqual([tokenizer.startToken, tokenizer.endToken]);
  });

  test.each([1, 0, -1, 2.5, NaN, Infinity])('a context of %d is refused', (context) => {
    expect(() => tokenizer.encode('a', context)).toThrow(/whole number of at least 2/);
  });

  test('comes back from its file', () => {
    const again = tokenizerFrom(JSON.parse(JSON.stringify(tokenizer.file)));
    expect([again.vocabulary, again.startToken, again.endToken]).toEqual([
      tokenizer.vocabulary,
      tokenizer.startToken,
      tokenizer.endToken,
    ]);
    expect(again.file).toEqual(tokenizer.file);
    fc.assert(
      fc.property(texts, contexts, (text, context) => {
        expect(again.encode(text, context)).toEqual(tokenizer.encode(text, context));
      }),
    );
  });

  test('many texts are rows as long as the longest or the context, filled with end tokens', () => {
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 5 }), contexts, (many, context) => {
        const { tokens, length } = encodeAll(tokenizer, many, context);
        const rows = many.map((text) => [...tokenizer.encode(text, context)]);
        expect(length).toBe(Math.max(0, ...rows.map((row) => row.length)));
        const filled = encodeAll(tokenizer, many, context, { fillsContext: true });
        expect(filled.length).toBe(many.length === 0 ? 0 : context);
        expect([...filled.tokens]).toEqual(
          rows.flatMap((row) => [...row, ...new Array(context - row.length).fill(tokenizer.endToken)]),
        );
        expect([...tokens]).toEqual(
          rows.flatMap((row) => [...row, ...new Array(length - row.length).fill(tokenizer.endToken)]),
        );
      }),
    );
  });
});

describe('byte pairs', () => {
  const tokenizer = smallClipTokenizer();
  const byteOf = new Map([...byteCharacters].map(([byte, character]) => [character, byte]));
  const namesOf = (text: string) =>
    [...tokenizer.encode(text, ENDLESS)].slice(1, -1).map((token) => smallTokens[token] ?? '');

  test('lose nothing but spaces and case', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.includes('<|'));
        const written = namesOf(text)
          .map((name) => name.replace(/<\/w>$/, ''))
          .join('');
        const read = Buffer.from([...written].map((character) => byteOf.get(character) ?? -1)).toString(
          'utf8',
        );
        expect(read).toBe(normalisedForClip(text).replace(/\p{White_Space}/gu, ''));
      }),
    );
  });

  test.each([
    // 'the' is joined from 'th' and 'e', though 't' and 'he' could be: the earlier merge wins.
    ['the', ['the</w>']],
    ['THING', ['th', 'ing</w>']],
    ['hehe', ['he', 'h', 'e</w>']],
    ['an banan', ['an</w>', 'b', 'a', 'n', 'an</w>']],
    ['aaaaaaa', ['aaaa', 'aaa</w>']],
    ['e\u0301', ['Ã©</w>']],
    ['é', ['Ã©</w>']],
    ["I'LL", ['i</w>', "'", 'l', 'l</w>']],
    ['10', ['1</w>', '0</w>']],
    ['!?', ['!', '?</w>']],
    ['a\u00a0\u0085a', ['a</w>', 'a</w>']],
    ['Σ ΑΣ', ['Ï', 'ĥ</w>', 'Î', '±', 'Ï', 'ĥ</w>']],
    ['a<|endoftext|>a', ['a</w>', '<|endoftext|>', 'a</w>']],
    ['<|AN|>', ['<|</w>', 'an</w>', '|', '></w>']],
  ])('%j is %j', (text, names) => {
    expect(namesOf(text)).toEqual(names);
  });
});

describe('words', () => {
  const names = fc.array(texts, { maxLength: 6 });
  const namesOf = ({ file }: Tokenizer) =>
    (JSON.parse(JSON.stringify(file)) as ReturnType<typeof wordReference>['file']).model.vocab;

  test('know every word that they were made of', () => {
    fc.assert(
      fc.property(names, (many) => {
        const tokenizer = wordTokenizer(many);
        const unknown = namesOf(tokenizer)['<|unknown|>'];
        for (const text of many) {
          expect([...tokenizer.encode(text, ENDLESS)]).not.toContain(unknown);
        }
        expect(tokenizer.endToken).toBe(tokenizer.vocabulary - 1);
        expect(Object.keys(namesOf(tokenizer))).toHaveLength(tokenizer.vocabulary);
      }),
    );
  });

  test('depend neither on order nor on repetition', () => {
    fc.assert(
      fc.property(names, (many) => {
        expect(wordTokenizer([...many].reverse().concat(many)).file).toEqual(wordTokenizer(many).file);
      }),
    );
  });

  test('stand in order between start and end', () => {
    const tokenizer = wordTokenizer(['MAN: BEARD', 'beard, man']);
    expect(Object.entries(namesOf(tokenizer)).sort(([, a], [, b]) => a - b)).toEqual(
      ['<|unknown|>', '<|startoftext|>', ',', ':', 'beard', 'man', '<|endoftext|>'].map((name, i) => [
        name,
        i,
      ]),
    );
    expect([...tokenizer.encode('Beard man cat', 9)]).toEqual([1, 4, 5, 0, 6]);
  });

  describe("as in Hugging Face's tokenizers", () => {
    const reference = wordReference();

    test('the same file for the same names', () => {
      expect(wordTokenizer(reference.names).file).toEqual(reference.file);
    });

    test.each(reference.encodings)('%j', (text, tokens) => {
      expect([...wordTokenizer(reference.names).encode(text, 77)]).toEqual(tokens);
    });
  });

  test('are runs of letters, marks, digits and joiners, or of signs', () => {
    expect(words('o’clock a_b ४२ x\u200dy ..!\ufeff?')).toEqual([
      'o',
      '’',
      'clock',
      'a_b',
      '४२',
      'x\u200dy',
      '..!\ufeff?',
    ]);
  });
});
