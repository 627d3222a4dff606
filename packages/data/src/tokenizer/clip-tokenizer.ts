import { DataError } from '../failure/data-error';
import { END_OF_WORD, byteCharacters } from './byte-pairs';
import type { Tokenizer } from './tokenizer';
import { clipNormalizer, clipPreTokenizer, specialToken, tokenizerFile } from './tokenizer-file';
import { tokenizerFrom } from './tokenizer-from';

export const CLIP_START = '<|startoftext|>';
export const CLIP_END = '<|endoftext|>';

/** Merges that CLIP uses; the published file goes on with as many again and more. */
const CLIP_MERGES = 49_152 - 256 - 2;

const ADVICE =
  "Give CLIP's bpe_simple_vocab_16e6.txt (or .txt.gz), or the vocab.json and merges.txt of a CLIP model.";

type MergePair = readonly [string, string];

/** The pairs of a list of merges: a line `#version`, then two tokens a line. */
export function mergesOf(text: string, name: string, limit = Infinity): MergePair[] {
  const [version, ...lines] = text.split(/\r?\n/);
  if (version?.includes('#version') !== true) {
    throw new DataError({
      expected: `${name} to be a list of merges, beginning with a line '#version'`,
      found: version === undefined || version === '' ? 'nothing' : `'${version.slice(0, 40)}'`,
      advice: ADVICE,
    });
  }
  const merges: MergePair[] = [];
  for (const [index, line] of lines.entries()) {
    if (merges.length >= limit) break;
    if (line === '') continue;
    const [left, right, ...more] = line.split(' ');
    if (left === undefined || left === '' || right === undefined || right === '' || more.length > 0) {
      throw new DataError({
        expected: `two tokens with a space between them on line ${index + 2} of ${name}`,
        found: `'${line.slice(0, 40)}'`,
        advice: ADVICE,
      });
    }
    merges.push([left, right]);
  }
  return merges;
}

/**
 * CLIP's tokenizer over a vocabulary and its merges, as Hugging Face's CLIPTokenizer makes it of vocab.json and merges.txt.
 * @throws {DataError} when they do not belong together or are another tokenizer's.
 */
export function clipTokenizerOver(
  vocabulary: ReadonlyMap<string, number>,
  merges: readonly MergePair[],
  name: string,
): Tokenizer {
  const special = (content: string): number => {
    const token = vocabulary.get(content);
    if (token !== undefined) return token;
    throw new DataError({
      expected: `CLIP's token '${content}' in ${name}`,
      found: `${vocabulary.size} others`,
      advice: ADVICE,
    });
  };
  const start = special(CLIP_START);
  const end = special(CLIP_END);
  const file = tokenizerFile({
    added_tokens: [specialToken(CLIP_START, start), specialToken(CLIP_END, end)],
    normalizer: clipNormalizer,
    pre_tokenizer: clipPreTokenizer,
    post_processor: {
      type: 'RobertaProcessing',
      sep: [CLIP_END, end],
      cls: [CLIP_START, start],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: CLIP_END,
      continuing_subword_prefix: '',
      end_of_word_suffix: END_OF_WORD,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary),
      merges,
    },
  });
  return tokenizerFrom(file, name);
}

/**
 * CLIP's tokenizer (Radford et al. 2021): 49,408 tokens, of which 49,406 starts a text and 49,407 ends it. It agrees with
 * Hugging Face's CLIPTokenizer.
 * @param published content of bpe_simple_vocab_16e6.txt
 * @param name what errors call it, for example its path
 * @throws {DataError} when it is cut off or something else.
 */
export function clipTokenizer(published: string, name = 'the vocabulary'): Tokenizer {
  const merges = mergesOf(published, name, CLIP_MERGES);
  if (merges.length < CLIP_MERGES) {
    throw new DataError({
      expected: `at least ${CLIP_MERGES} merges in ${name}`,
      found: String(merges.length),
      advice: ADVICE,
    });
  }
  const joined = merges.map(([left, right]) => left + right);
  if (!joined.some((token) => token.endsWith(END_OF_WORD))) {
    throw new DataError({
      expected: `${name} to be CLIP's, with tokens that end in '${END_OF_WORD}'`,
      found: "no such token, as in GPT-2's merges",
      advice: ADVICE,
    });
  }
  const bytes = [...byteCharacters.values()];
  const tokens = [...bytes, ...bytes.map((byte) => byte + END_OF_WORD), ...joined, CLIP_START, CLIP_END];
  return clipTokenizerOver(new Map(tokens.map((token, index) => [token, index])), merges, name);
}
