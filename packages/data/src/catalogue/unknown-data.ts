import { basename, dirname, join } from 'node:path';
import { suggestion } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { entriesOf, kindAt } from '../folder/entries';

/** More names than these are not ranked by how near they are. */
const MOST_RANKED = 10_000;

/** Finds the path whose name is most like this one, in the folder where it should lie. */
async function nearestTo(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  if ((await kindAt(folder)) !== 'folder') return undefined;
  const entries = await entriesOf(folder).catch(() => []);
  const names = entries.map(({ name }) => name);
  const near = suggestion(basename(path), names.slice(0, MOST_RANKED));
  return near === undefined ? undefined : join(folder, near);
}

/** The nearest folder above a path that is there, and the one in it that is not. */
async function firstMissing(path: string): Promise<string> {
  const folder = dirname(path);
  if (folder === path || (await kindAt(folder)) === 'folder') return path;
  return firstMissing(folder);
}

/**
 * The error of a name that is neither that of a dataset of some kind nor the path of data: what is missing, and what is called almost
 * like it; or of which other kind the dataset is.
 * @param expected What there could be, for the message.
 * @param embedded Names of datasets.
 */
export async function unknownData(
  spec: string,
  expected: string,
  embedded: readonly string[],
): Promise<DataError> {
  const kind = await kindAt(spec);
  if (kind !== undefined) {
    const found = { file: 'a file', folder: 'a folder', other: 'a pipe, a socket or a device' }[kind];
    return new DataError({ expected, found: `${found}, ${spec}`, advice: 'Check the name, or the path.' });
  }
  // What lists them imports all that opens data, and that imports this file.
  const { namedDatasets } = await import('./named-datasets');
  const other = namedDatasets.find(({ name }) => name === spec);
  if (other !== undefined) {
    return new DataError({
      expected,
      found: `${spec}, which is for another task: ${other.description}`,
      advice: 'Choose another dataset, or the task that this one is for.',
    });
  }
  const missing = await firstMissing(spec);
  const near = suggestion(spec, embedded) ?? (await nearestTo(missing));
  return new DataError({
    expected,
    found: `no dataset ${spec}, and no file or folder ${missing}`,
    advice: near === undefined ? 'Check the name, or the path.' : `Did you mean ${near}?`,
  });
}
