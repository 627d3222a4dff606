import type { Json } from '@winnow/core';
import { z } from 'zod';
import { END_OF_WORD } from './byte-pairs';

/** The two tokenizers' parts of a `tokenizer.json`, in the words of Hugging Face's tokenizers. */

export const clipNormalizer = {
  type: 'Sequence',
  normalizers: [
    { type: 'NFC' },
    { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
    { type: 'Lowercase' },
  ],
} as const;

export const CLIP_PIECES = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
export const CLIP_PIECES_AND_ENDS = `<\\|startoftext\\|>|<\\|endoftext\\|>|${CLIP_PIECES}`;

export const clipPreTokenizer = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: CLIP_PIECES_AND_ENDS }, behavior: 'Removed', invert: true },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  ],
} as const;

export const wordNormalizer = {
  type: 'Sequence',
  normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }],
} as const;

export const wordPreTokenizer = { type: 'Whitespace' } as const;

/** A special token as it stands in a `tokenizer.json`: found in the text as it came, nothing around it touched. */
export function specialToken(content: string, id: number) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

const tokenIndex = z.int().nonnegative();

/** All of them are looked for at every place of a text. CLIP's have two. */
export const MOST_ADDED = 1024;
const LONGEST_ADDED = 256;

/** The form of an added token; `around` says whether it takes the spaces before and behind it. */
export const addedToken = <Around extends { lstrip: z.ZodType<boolean>; rstrip: z.ZodType<boolean> }>({
  lstrip,
  rstrip,
}: Around) =>
  z.object({
    id: tokenIndex,
    content: z.string().min(1).max(LONGEST_ADDED),
    single_word: z.literal(false).default(false),
    lstrip: lstrip.default(false),
    rstrip: rstrip.default(false),
    normalized: z.boolean(),
  });

const addedTokens = z
  .array(addedToken({ lstrip: z.literal(false), rstrip: z.literal(false) }))
  .max(MOST_ADDED);

const named = z.tuple([z.string(), tokenIndex]);

/** The tokens before and after a text, in either of Hugging Face's ways to say it. */
const ends = z.union([
  z
    .object({ type: z.enum(['RobertaProcessing', 'BertProcessing']), cls: named, sep: named })
    .transform(({ cls, sep }) => ({ start: cls[0], end: sep[0] })),
  z
    .object({
      type: z.literal('TemplateProcessing'),
      single: z.tuple([
        z.object({ SpecialToken: z.object({ id: z.string() }) }),
        z.object({ Sequence: z.object({ id: z.literal('A') }) }),
        z.object({ SpecialToken: z.object({ id: z.string() }) }),
      ]),
    })
    .transform(({ single }) => ({ start: single[0].SpecialToken.id, end: single[2].SpecialToken.id })),
]);

const pair = z.union([
  z.tuple([z.string().min(1), z.string().min(1)]),
  z
    .string()
    .regex(/^\S+ \S+$/u, 'expected two tokens with a space between them')
    .transform((text): [string, string] => {
      const space = text.indexOf(' ');
      return [text.slice(0, space), text.slice(space + 1)];
    }),
]);

/** The index of every token. Not `z.record`, which leaves out a token named `__proto__`. */
export const vocabularySchema = z
  .custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'expected an object of tokens and their indices',
  )
  .transform((value, context): ReadonlyMap<string, number> => {
    const tokens = new Map<string, number>();
    for (const [name, index] of Object.entries(value)) {
      const { success, data } = tokenIndex.safeParse(index);
      if (!success) {
        context.addIssue({ code: 'custom', path: [name], message: 'expected an index, a whole number' });
        break;
      }
      tokens.set(name, data);
    }
    return tokens;
  });

export const clipFileSchema = z.object({
  added_tokens: addedTokens,
  normalizer: z.object({
    type: z.literal('Sequence'),
    normalizers: z.tuple([
      z.object({ type: z.literal('NFC') }),
      z.object({
        type: z.literal('Replace'),
        pattern: z.object({ Regex: z.literal('\\s+') }),
        content: z.literal(' '),
      }),
      z.object({ type: z.literal('Lowercase') }),
    ]),
  }),
  pre_tokenizer: z.object({
    type: z.literal('Sequence'),
    pretokenizers: z.tuple([
      z.object({
        type: z.literal('Split'),
        pattern: z.object({ Regex: z.enum([CLIP_PIECES, CLIP_PIECES_AND_ENDS]) }),
        behavior: z.literal('Removed'),
        invert: z.literal(true),
      }),
      z.object({
        type: z.literal('ByteLevel'),
        add_prefix_space: z.literal(false),
        use_regex: z.literal(true).default(true),
      }),
    ]),
  }),
  post_processor: ends,
  model: z.object({
    type: z.literal('BPE'),
    dropout: z.literal([null, 0]).default(null),
    unk_token: z.string().nullable().default(null),
    continuing_subword_prefix: z.literal(['', null]).default(null),
    end_of_word_suffix: z.literal(END_OF_WORD),
    fuse_unk: z.literal(false).default(false),
    byte_fallback: z.literal(false).default(false),
    ignore_merges: z.literal(false).default(false),
    vocab: vocabularySchema,
    merges: z.array(pair),
  }),
});

export const wordFileSchema = z.object({
  added_tokens: addedTokens,
  normalizer: z.object({
    type: z.literal('Sequence'),
    normalizers: z.tuple([z.object({ type: z.literal('NFC') }), z.object({ type: z.literal('Lowercase') })]),
  }),
  pre_tokenizer: z.object({ type: z.literal('Whitespace') }),
  post_processor: ends,
  model: z.object({ type: z.literal('WordLevel'), vocab: vocabularySchema, unk_token: z.string() }),
});

/** BERT's, which BLIP has too. Without a word on accents they go where capitals go. */
export const wordPieceFileSchema = z.object({
  added_tokens: addedTokens,
  normalizer: z
    .object({
      type: z.literal('BertNormalizer'),
      clean_text: z.boolean().default(true),
      handle_chinese_chars: z.boolean().default(true),
      strip_accents: z.boolean().nullish(),
      lowercase: z.boolean().default(true),
    })
    .transform(({ clean_text, handle_chinese_chars, strip_accents, lowercase }) => ({
      cleanText: clean_text,
      handleChineseChars: handle_chinese_chars,
      stripAccents: strip_accents ?? lowercase,
      lowercase,
    })),
  pre_tokenizer: z.object({ type: z.literal('BertPreTokenizer') }),
  post_processor: ends,
  model: z.object({
    type: z.literal('WordPiece'),
    unk_token: z.string(),
    continuing_subword_prefix: z.string().max(LONGEST_ADDED).default('##'),
    max_input_chars_per_word: z.int().positive().max(1000).default(100),
    vocab: vocabularySchema,
  }),
});

/** The fields that any tokenizer.json has. */
export const anyFileSchema = z.object({ model: z.object({ type: z.string() }) });

/** A whole tokenizer.json around the parts that tokenizers differ in. */
export function tokenizerFile(parts: {
  readonly added_tokens: readonly ReturnType<typeof specialToken>[];
  readonly normalizer: Json;
  readonly pre_tokenizer: Json;
  readonly post_processor: Json;
  readonly decoder: Json;
  readonly model: Json;
  readonly padding?: Json;
}): Json {
  return { version: '1.0', truncation: null, padding: null, ...parts };
}

/** The words in which a `tokenizer.json` says the token that texts are filled up with. */
export const paddingBy = (token: string, id: number): Json => ({
  strategy: 'BatchLongest',
  direction: 'Right',
  pad_to_multiple_of: null,
  pad_id: id,
  pad_type_id: 0,
  pad_token: token,
});
