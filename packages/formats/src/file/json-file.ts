import type { ZodType } from 'zod';
import { checkJson, jsonText, parseJson } from './json';
import { readBytes, readBytesIfThere } from './read-file';
import { writeAtomically } from './write-atomically';

/** A file of JSON: how it is read and how it is written. */
export interface JsonFileFormat<Content> {
  readonly schema: ZodType<Content>;
  /** Name of the kind of file, for errors: `the summary of a run`. */
  readonly what: string;
  /** A larger file is refused before it is read. Default 64 MiB. */
  readonly mostBytes?: number;
  /** Default: indented, for people. */
  readonly style?: 'compact' | 'indented';
}

const MOST_BYTES = 64 * 2 ** 20;

/**
 * Reads a file of JSON.
 * @throws {FormatError} naming the file, the place in it and what was expected there.
 */
export async function readJson<Content>(file: string, format: JsonFileFormat<Content>): Promise<Content> {
  return parsed(file, await readBytes(file, boundsOf(format)), format);
}

/** Like `readJson`, but `undefined` where there is no such file. */
export async function readJsonIfThere<Content>(
  file: string,
  format: JsonFileFormat<Content>,
): Promise<Content | undefined> {
  const bytes = await readBytesIfThere(file, boundsOf(format));
  return bytes && parsed(file, bytes, format);
}

const boundsOf = ({ mostBytes = MOST_BYTES }: Pick<JsonFileFormat<unknown>, 'mostBytes'>) => ({ mostBytes });

const parsed = <Content>(
  file: string,
  bytes: Uint8Array,
  { schema, what }: JsonFileFormat<Content>,
): Content => parseJson(file, bytes, schema, what);

/**
 * Writes a file of JSON whole or not at all, so that `readJson` reads it: what the schema would refuse is not written.
 * @throws {FormatError} naming the place of a number that is none (NaN or infinite: JSON has no word for it), or what the
 * schema refuses; or when the file cannot be written.
 */
export async function writeJson<Content>(
  file: string,
  content: Content,
  { schema, what, style = 'indented' }: JsonFileFormat<Content>,
): Promise<void> {
  const text = jsonText(file, content, style);
  checkJson(`cannot write ${file}`, JSON.parse(text), schema, what);
  await writeAtomically(file, `${text}\n`);
}
