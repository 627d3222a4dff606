import type { Json } from '@winnow/core';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '../failure/data-error';
import { systemCode } from '../failure/system-failure';
import { readRegularFile } from '../file/regular-file';
import { utf8Text } from '../file/utf8';
import { kindAt } from '../folder/entries';
import { clipTokenizer, clipTokenizerOver, mergesOf } from './clip-tokenizer';
import { siglipTokenizer } from './siglip-tokenizer';
import type { Tokenizer } from './tokenizer';
import { vocabularySchema } from './tokenizer-file';
import { tokenizerFrom } from './tokenizer-from';
import {
  type JsonBeside,
  OPEN_CLIP_FILE,
  SETTINGS_FILE,
  hasPieces,
  settingsOf,
  siglipOptions,
  withCleaning,
  withPadding,
} from './tokenizer-settings';

const EXPECTED =
  "a tokenizer: CLIP's bpe_simple_vocab_16e6.txt or .txt.gz, a tokenizer.json, SigLIP's spiece.model, or a folder with tokenizer.json, with spiece.model, or with vocab.json and merges.txt";

/** The name of SigLIP's SentencePiece model. */
const SENTENCE_PIECES = 'spiece.model';

const inflate = promisify(gunzip);

/** Most bytes of a file, and of what is packed in it; CLIP's are 1 to 4 MB, those of 250,000 pieces 17 MB. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Brackets of JSON within each other. */
const DEEPEST = 100;

/** A file's text, unpacked where it is packed with gzip. */
async function textOf(path: string): Promise<string> {
  const what = 'a vocabulary';
  const bytes = await readRegularFile(path, { what, mostBytes: MOST_BYTES });
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return utf8Text(isPacked ? await unpacked(bytes, path) : bytes, path, what);
}

async function unpacked(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  try {
    return await inflate(bytes, { maxOutputLength: MOST_BYTES });
  } catch (cause) {
    if (systemCode(cause) === 'ERR_BUFFER_TOO_LARGE') {
      throw new DataError(
        {
          expected: `a vocabulary of at most ${MOST_BYTES / 1024 ** 2} MiB in ${path}`,
          found: 'more than that when it is unpacked',
          advice: "Give CLIP's vocabulary, which is a few MiB.",
        },
        { cause },
      );
    }
    throw new DataError(
      {
        expected: `a vocabulary as text in ${path}, as it is or packed with gzip`,
        found: cause instanceof Error ? cause.message : String(cause),
        advice: 'Fetch the file again.',
      },
      { cause },
    );
  }
}

function jsonOf(text: string, path: string): Json {
  if (depthOf(text) > DEEPEST) {
    throw new DataError({
      expected: `at most ${DEEPEST} brackets within each other in ${path}`,
      found: 'more',
      advice: 'Give the tokenizer.json of a CLIP model, or one that Winnow has written.',
    });
  }
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

/** The greatest number of brackets within each other, outside of strings. */
function depthOf(json: string): number {
  let [depth, deepest] = [0, 0];
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const sign = json[at];
    if (isText) {
      if (sign === '\\') at++;
      else if (sign === '"') isText = false;
    } else if (sign === '"') isText = true;
    else if (sign === '[' || sign === '{') deepest = Math.max(deepest, ++depth);
    else if (sign === ']' || sign === '}') depth--;
  }
  return deepest;
}

/** The settings of the tokenizer at a path, as they are said by a file beside it; undefined where there is none. */
async function jsonBeside(path: string, name: string): Promise<JsonBeside | undefined> {
  const beside = join(dirname(path), name);
  if ((await kindAt(beside)) !== 'file') return undefined;
  return { path: beside, content: jsonOf(await textOf(beside), beside) };
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
  if (await has(SENTENCE_PIECES)) return openFile(at(SENTENCE_PIECES));
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
  const settingsBeside = async () => settingsOf(await jsonBeside(path, SETTINGS_FILE));
  if (path.endsWith('.model')) {
    const bytes = await readRegularFile(path, { what: 'a vocabulary', mostBytes: MOST_BYTES });
    return siglipTokenizer(bytes, path, siglipOptions(await settingsBeside(), path));
  }
  const text = await textOf(path);
  if (!text.trimStart().startsWith('{')) return clipTokenizer(text, path);
  const file = jsonOf(text, path);
  if (!hasPieces(file)) return tokenizerFrom(file, path);
  const padded = withPadding(file, await settingsBeside());
  return tokenizerFrom(withCleaning(padded, await jsonBeside(path, OPEN_CLIP_FILE)), path);
}

/**
 * The tokenizer at a path: CLIP's published vocabulary (`bpe_simple_vocab_16e6.txt`, also packed with gzip), a
 * `tokenizer.json`, SigLIP's `spiece.model`, or a folder with one of them or with `vocab.json` and `merges.txt`. Beside a unigram
 * model `tokenizer_config.json` says which token texts are filled up with.
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
