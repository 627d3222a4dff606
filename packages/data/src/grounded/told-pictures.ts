import { join } from 'node:path';
import { located, refuseMissing, refuseOutside } from '../file/locate';

/**
 * Where the pictures really are that a file names by their paths below a folder.
 * @param source The file, for messages.
 * @throws {DataError} when one is not there, or a name or a link leads out of the folder; the first ten are named.
 */
export async function picturesBelow(
  folder: string,
  names: Iterable<string>,
  source: string,
): Promise<(name: string) => string> {
  const unique = [...new Set(names)];
  const pathOf = (name: string) => join(folder, name);
  refuseOutside(
    folder,
    unique.map((name) => ({ name, path: pathOf(name) })),
    source,
  );
  const onDisk = await located(folder, unique.map(pathOf), source);
  refuseMissing(
    unique.map(pathOf).filter((path) => !onDisk.has(path)),
    source,
  );
  return (name) => onDisk.get(pathOf(name)) ?? pathOf(name);
}
