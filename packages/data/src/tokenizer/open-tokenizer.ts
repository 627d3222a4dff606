import type { Json } from '@winnow/core';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '../failure/data-error';
import { kindAt } from '../folder/entries';
import { clipTokenizer, clipTokenizerOver, mergesOf } from './clip-tokenizer';
import type { Tokenizer } from './tokenizer';
import { vocabularySchema } from './tokenizer-file';
import { tokenizerFrom } from './tokenizer-from';

const EXPECTED =
  "a tokenizer: CLIP's bpe_simple_vocab_16e6.txt or .txt.gz, a tokenizer.json, or a folder with tokenizer.json or with vocab.json and merges.txt";

const inflate = promisify(gunzip);

/** A file's text, unpacked where it is packed with gzip. */
async function textOf(path: string): Promise<string> {
  const bytes = await readFile(path);
  try {
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return new TextDecoder('utf-8', { fatal: true }).decode(packed ? await inflate(bytes) : bytes);
  } catch (cause) {
    throw new DataError(
      {
        expected: `text in ${path}, as it is or packed with gzip`,
        found: cause instanceof Error ? cause.message : String(cause),
        advice: 'Fetch the file again.',
      },
      { cause },
    );
  }
}

function jsonOf(text: string, path: string): Json {
  try {
    const content: Json = JSON.parse(text);
    return content;
  } catch (cause) {
    throw new DataError(
      {
        expected: `JSON in ${path}`,
        found: cause instanceof Error ? cause.message : String(cause),
        advice: 'Fetch the file again.',
      },
      { cause },
    );
  }
}

async function openVocabularyAndMerges(vocabularyPath: string, mergesPath: string): Promise<Tokenizer> {
  const parsed = vocabularySchema.safeParse(jsonOf(await textOf(vocabularyPath), vocabularyPath));
  if (!parsed.success) {
    const [problem] = parsed.error.issues;
    throw new DataError(
      {
        expected: `the index of every token in ${vocabularyPath}`,
        found: `${problem?.message ?? ''} at ${problem?.path.join('.') || 'the top'}`,
        advice: 'Fetch the file again.',
      },
      { cause: parsed.error },
    );
  }
  const merges = mergesOf(await textOf(mergesPath), mergesPath);
  return clipTokenizerOver(parsed.data, merges, vocabularyPath);
}

async function openFolder(folder: string): Promise<Tokenizer> {
  const [whole, vocabulary, merges] = ['tokenizer.json', 'vocab.json', 'merges.txt'] as const;
  const at = (name: string) => join(folder, name);
  const has = async (name: string) => (await kindAt(at(name))) === 'file';
  if (await has(whole)) return openFile(at(whole));
  const lacking: string[] = [];
  for (const name of [vocabulary, merges]) if (!(await has(name))) lacking.push(name);
  if (lacking.length === 0) return openVocabularyAndMerges(at(vocabulary), at(merges));
  throw new DataError({
    expected: `${whole}, or ${vocabulary} and ${merges}, in ${folder}`,
    found: `no ${whole} and no ${lacking.join(' and no ')}`,
    advice: "Give the folder of a CLIP model's tokenizer, or the path of one file of it.",
  });
}

async function openFile(path: string): Promise<Tokenizer> {
  // Half of a tokenizer: the other half lies beside it.
  if (['vocab.json', 'merges.txt'].includes(basename(path))) return openFolder(dirname(path));
  const text = await textOf(path);
  return text.trimStart().startsWith('{')
    ? tokenizerFrom(jsonOf(text, path), path)
    : clipTokenizer(text, path);
}

/**
 * The tokenizer at a path: CLIP's published vocabulary (`bpe_simple_vocab_16e6.txt`, also packed with gzip), a
 * `tokenizer.json`, or a folder with `tokenizer.json` or with `vocab.json` and `merges.txt`.
 * @throws {DataError} when there is none, or it is damaged or of another kind.
 */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  const kind = await kindAt(path);
  if (kind === 'folder') return openFolder(path);
  if (kind === 'file') return openFile(path);
  throw new DataError({
    expected: `${EXPECTED}, at ${path}`,
    found: kind === undefined ? 'nothing there' : 'neither a file nor a folder',
    advice: 'Check the path.',
  });
}
