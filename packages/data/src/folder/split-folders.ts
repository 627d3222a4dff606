import { join } from 'node:path';
import { DataError } from '../failure/data-error';
import { namedAs } from '../picture/format';
import type { FolderReading } from './class-folders';
import { type Entry, entriesOf, filesBelow, kindAt } from './entries';
import { LAYOUT } from './layout';
import { withoutTrain } from './misplaced';
import type { PassedOver } from './passed-over';
import { isMeantFor, spellings } from './split-names';

export interface SplitFolders {
  readonly train: string;
  readonly validation: string | undefined;
  readonly test: string;
  readonly passedOver: readonly PassedOver[];
}

/** @throws {DataError} when something that is called almost like a missing split lies there. */
function refuseMeant(root: string, entries: readonly Entry[], split: keyof typeof spellings): void {
  const found = entries.find(({ name, kind }) => kind === 'folder' && isMeantFor(name, split));
  if (found === undefined) return;
  const [name] = spellings[split];
  throw new DataError({
    expected: `the folder ${join(root, name)} with one folder of pictures per class`,
    found: found.path,
    advice: `Rename it to ${name}.`,
  });
}

/** @throws {DataError} when a held-out split lies there without one to train on. */
function refuseLoneSplit(root: string, entries: readonly Entry[]): void {
  const lone = entries.find(
    ({ name, kind }) => kind === 'folder' && (isMeantFor(name, 'validation') || isMeantFor(name, 'test')),
  );
  if (lone === undefined) return;
  throw new DataError({
    expected: `the folder ${join(root, 'train')} beside ${lone.name}, or class folders alone, none of them called as a split is`,
    found: `${lone.path} without it`,
    advice: `Lay the dataset out as ${LAYOUT}, or rename that class.`,
  });
}

/**
 * Which folder of `root` serves as which split; undefined where class folders lie right in it, to be divided.
 * @throws {DataError} when there is none for training or none to test on.
 */
export async function splitFolders(
  root: string,
  reading: FolderReading = {},
): Promise<SplitFolders | undefined> {
  const kind = await kindAt(root);
  if (kind !== 'folder') {
    throw new DataError({
      expected: `an image folder at ${root} with ${LAYOUT}, or <class>/* alone`,
      found: kind === undefined ? 'no such folder' : 'something that is not a folder',
      advice: 'Check the path.',
    });
  }
  const entries = await entriesOf(root);
  // Asked of the file system rather than of the listing: some take `Train` for `train`.
  const present = async (name: string) =>
    (await kindAt(join(root, name))) === 'folder' ? [join(root, name)] : [];
  const [train] = await present('train');
  if (train === undefined) {
    refuseMeant(root, entries, 'train');
    refuseLoneSplit(root, entries);
    const found = await withoutTrain(root, entries, reading);
    if (found === 'class folders') return undefined;
    throw found;
  }
  const [validation, ...others] = (await Promise.all(spellings.validation.map(present))).flat();
  if (validation !== undefined && others.length > 0) {
    throw new DataError({
      expected: 'one validation folder',
      found: [validation, ...others].join(' and '),
      advice: 'Keep one of them.',
    });
  }
  const [test] = await present('test');
  if (test === undefined) refuseMeant(root, entries, 'test');
  if (validation === undefined) refuseMeant(root, entries, 'validation');
  const used = new Set([train, validation, test].map((path) => path?.toLowerCase()));
  const passedOver = await besideSplits(entries.filter(({ path }) => !used.has(path.toLowerCase())));
  if (test !== undefined) return { train, validation, test, passedOver };
  // A test on the pictures that also chose the model would flatter it: a lone held-out split is for the test alone.
  if (validation !== undefined) return { train, validation: undefined, test: validation, passedOver };
  throw new DataError({
    expected: `held-out pictures in ${join(root, 'test')}, or in ${join(root, 'validation')} to be tested on`,
    found: 'neither folder',
    advice: 'Move some pictures of each class there; they must not be trained on.',
  });
}

/** Other folders, and pictures that lie right in the root, are of no split. */
async function besideSplits(entries: readonly Entry[]): Promise<PassedOver[]> {
  const found = await Promise.all(
    entries.map(async ({ path, kind }): Promise<PassedOver | undefined> => {
      if (kind === 'folder') return { path, reason: 'other folder', files: await filesBelow(path) };
      return kind === 'file' && namedAs(path) !== undefined
        ? { path, reason: 'beside', files: 1 }
        : undefined;
    }),
  );
  return found.filter((item) => item !== undefined && item.files > 0).flatMap((item) => item ?? []);
}
