import { basename } from 'node:path';
import { DataError } from '../failure/data-error';
import { kindAt } from '../folder/entries';

/**
 * Checks that the files that are published with one lie beside it.
 * @param spec The path that was given.
 * @param needed Paths of the others.
 * @throws {DataError} naming those that are missing.
 */
export async function refuseMissing(spec: string, needed: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const path of needed) if ((await kindAt(path)) !== 'file') missing.push(basename(path));
  if (missing.length === 0) return;
  const names = needed.map((path) => basename(path));
  throw new DataError({
    expected: `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''} beside ${spec}`,
    found: `no ${missing.join(', ')}`,
    advice: 'Put them there, under the names that they are published by.',
  });
}
