import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const shared =
  process.env['WINNOW_SHARED'] ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));

/** CLIP's vocabulary as OpenAI published it; not part of this repository. */
export const publishedVocabulary = join(shared, 'data', 'clip-bpe', 'bpe_simple_vocab_16e6.txt.gz');

const present = existsSync(publishedVocabulary);
export const describePublished = present ? describe : describe.skip;
export const publishedNote = present ? '' : ' (skipped: no data/clip-bpe in WINNOW_SHARED)';

export type Encoding = readonly [text: string, tokens: readonly number[]];

const beside = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** Texts and their tokens by Hugging Face's CLIPTokenizer: see tools/tokenizer/reference.py. */
export function clipReference(): Encoding[] {
  const lines = beside('./clip-reference.jsonl').trimEnd().split('\n');
  return lines.map((line): Encoding => JSON.parse(line));
}

export interface WordReference {
  readonly names: readonly string[];
  /** A WordLevel tokenizer.json of these names, written by Hugging Face's tokenizers. */
  readonly file: { readonly model: { readonly vocab: Readonly<Record<string, number>> } };
  readonly encodings: readonly Encoding[];
}

export function wordReference(): WordReference {
  return JSON.parse(beside('./word-reference.json'));
}
