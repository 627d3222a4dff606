import { z } from 'zod';
import { normalizers } from './normalizers';
import { MOST_ADDED, addedToken } from './tokenizer-file';
import type { ScoredPiece } from './unigram';

/** The character that stands for a space in pieces. */
export const SPACE_MARK = '\u2581';

export const LONGEST_PIECE = 1024;
export const MOST_PIECES = 2 ** 20;
/** All pieces together, in UTF-16: the largest vocabularies of a million pieces have half as much. */
const MOST_SIGNS = 2 ** 23;

const scheme = z.enum(['always', 'first', 'never']);

/** Cuts a normalised part of a text into what is encoded by itself. */
export type PreTokenize = (text: string, isFirst: boolean) => readonly string[];

const metaspace = z
  .object({
    type: z.literal('Metaspace'),
    replacement: z.literal(SPACE_MARK),
    add_prefix_space: z.boolean().optional(),
    prepend_scheme: scheme.optional(),
    split: z.boolean().default(true),
  })
  .transform(({ add_prefix_space, prepend_scheme, split }): PreTokenize => {
    const begins = prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always');
    return (text, isFirst) => {
      const marked = text.replaceAll(' ', SPACE_MARK);
      if (marked === '') return [];
      const takes = begins === 'always' || (begins === 'first' && isFirst);
      const whole = takes && !marked.startsWith(SPACE_MARK) ? SPACE_MARK + marked : marked;
      return split ? (whole.match(MARKED_WORDS) ?? []) : [whole];
    };
  });

/** A mark belongs to what follows it. */
const MARKED_WORDS = /\u2581[^\u2581]*|[^\u2581]+/gu;
const WORDS = /[^\p{White_Space}]+/gu;

const afterSpaces = z
  .object({
    type: z.literal('Sequence'),
    pretokenizers: z.tuple([z.object({ type: z.literal('WhitespaceSplit') }), metaspace]),
  })
  .transform(({ pretokenizers: [, marked] }): PreTokenize => {
    return (text, isFirst) =>
      Array.from(text.matchAll(WORDS)).flatMap(({ 0: word, index }) => marked(word, isFirst && index === 0));
  });

const piece = z.tuple([z.string().max(LONGEST_PIECE), z.number()]);

/** A text, and the token behind it. */
const textAndEnd = z
  .object({
    type: z.literal('TemplateProcessing'),
    single: z.tuple([
      z.object({ Sequence: z.object({ id: z.literal('A') }) }),
      z.object({ SpecialToken: z.object({ id: z.string() }) }),
    ]),
  })
  .transform(({ single }) => ({ end: single[1].SpecialToken.id }));

const padding = z
  .object({ pad_id: z.int().nonnegative(), pad_token: z.string() })
  .transform(({ pad_token }) => pad_token)
  .nullish();

/** A `tokenizer.json` with a unigram model, as SigLIP's: normalisers, marks for spaces, pieces with scores, an end token. */
export const unigramFileSchema = z.object({
  added_tokens: z.array(addedToken({ lstrip: z.boolean(), rstrip: z.boolean() })).max(MOST_ADDED),
  normalizer: normalizers,
  pre_tokenizer: z.union([metaspace, afterSpaces]),
  post_processor: textAndEnd,
  padding,
  model: z
    .object({
      type: z.literal('Unigram'),
      unk_id: z.int().nonnegative().nullable().default(null),
      vocab: z.array(piece).min(1).max(MOST_PIECES),
      byte_fallback: z.boolean().default(false),
    })
    .transform(({ unk_id, vocab, byte_fallback: byteFallback }, context) => {
      const pieces: readonly ScoredPiece[] = vocab;
      if (vocab.reduce((sum, [text]) => sum + text.length, 0) > MOST_SIGNS)
        context.addIssue({
          code: 'custom',
          path: ['vocab'],
          message: `expected pieces of at most ${MOST_SIGNS} characters together`,
        });
      const unknown = unk_id === null ? null : vocab[unk_id]?.[0];
      if (unknown === undefined)
        context.addIssue({
          code: 'custom',
          path: ['unk_id'],
          message: `expected the index of one of ${vocab.length} pieces`,
        });
      return {
        pieces,
        byteFallback,
        vocab: new Map(vocab.map(([text], index) => [text, index])),
        unk_token: unknown ?? null,
      };
    }),
});
