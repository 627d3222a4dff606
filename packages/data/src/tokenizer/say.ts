import { z } from 'zod';
import { END_OF_WORD, byteCharacters } from './byte-pairs';
import type { Tokenizer } from './tokenizer';
import { vocabularySchema } from './tokenizer-file';

const fileSchema = z.looseObject({
  model: z.looseObject({
    type: z.enum(['WordLevel', 'BPE', 'WordPiece'], 'expected words, word pieces or byte pairs'),
    vocab: vocabularySchema,
    end_of_word_suffix: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
  }),
});

const bytes = new Map([...byteCharacters].map(([byte, character]) => [character, byte]));

/**
 * The way from tokens back to a text: words with spaces between them. Start, end and padding are left out.
 * @throws {RangeError} for a tokenizer whose texts cannot be put together here: one of other pieces than words, BERT's word pieces or CLIP's byte pairs.
 */
export function speakerOf(
  tokenizer: Pick<Tokenizer, 'file' | 'startToken' | 'endToken' | 'padToken'>,
): (tokens: readonly number[]) => string {
  const read = fileSchema.safeParse(tokenizer.file);
  const { model } = read.data ?? {};
  if (model === undefined || (model.type === 'BPE' && model.end_of_word_suffix !== END_OF_WORD)) {
    throw new RangeError(
      "expected a tokenizer of words, of BERT's word pieces or of CLIP's byte pairs, whose tokens can be put together to texts",
    );
  }
  const names = new Map([...model.vocab].map(([name, token]) => [token, name]));
  const silent = new Set([tokenizer.startToken, tokenizer.endToken, tokenizer.padToken]);
  const pieces = (tokens: readonly number[]): string[] =>
    tokens.flatMap((token) => (silent.has(token) ? [] : [names.get(token) ?? '']));
  const { continuing_subword_prefix: prefix } = model;
  if (model.type === 'WordPiece')
    return (tokens) =>
      pieces(tokens)
        .map((piece) =>
          piece.startsWith(prefix ?? '##') ? piece.slice((prefix ?? '##').length) : ` ${piece}`,
        )
        .join('')
        .trim();
  if (model.type === 'WordLevel') return (tokens) => pieces(tokens).join(' ');
  return (tokens) => {
    const characters = [...pieces(tokens).join('').replaceAll(END_OF_WORD, ' ')];
    const encoded = characters.map((character) =>
      character === ' ' ? 0x20 : (bytes.get(character) ?? 0x20),
    );
    return new TextDecoder().decode(Uint8Array.from(encoded)).trim();
  };
}
