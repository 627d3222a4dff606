import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { explained, isAbsence } from '../failure/system-failure';
import { grouped } from '../split/grouped';
import type { PairGroup } from './group';

async function namesIn(folder: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (cause) {
    if (isAbsence(cause)) return new Set();
    throw explained(cause, `the folder of pictures ${folder}`);
  }
}

/**
 * Checks that every group has texts, none of them blank, and pictures that are there and in no other group: a picture in
 * two splits would be tested on after being trained on. Folders are listed rather than files looked at one by one: COCO
 * has 123,287 of them.
 * @throws {DataError} that lists the first ten.
 */
export async function checkGroups(groups: readonly PairGroup[], source: string): Promise<void> {
  const mute = groups.filter(({ texts }) => texts.length === 0 || texts.some((text) => text.trim() === ''));
  if (mute.length > 0) {
    throw new DataError({
      expected: `captions, none of them blank, for every picture in ${source}`,
      found: `${mute.length} pictures without, or with a blank one:${firstTen(mute.map(({ pictures }) => pictures.join(', ')))}\n`,
      advice: 'Add captions, or remove the pictures from the list.',
    });
  }
  const pictures = groups.flatMap((group) => group.pictures);
  const repeated = [...grouped(pictures, (path) => path)].filter(([, times]) => times.length > 1);
  if (repeated.length > 0) {
    throw new DataError({
      expected: `every picture once in ${source}, with all of its captions`,
      found: `${repeated.length} that are listed again:${firstTen(repeated.map(([path]) => path))}\n`,
      advice: 'Join the entries of a picture, in one split.',
    });
  }
  const missing: string[] = [];
  const wanted = grouped(pictures, dirname);
  for (const [folder, paths] of wanted) {
    const present = await namesIn(folder);
    missing.push(...paths.filter((path) => !present.has(basename(path))));
  }
  if (missing.length > 0) {
    throw new DataError({
      expected: `the pictures that ${source} names`,
      found: `${missing.length} that are not there:${firstTen(missing)}\n`,
      advice: 'Put them there, or give the folder of the pictures as the option images.',
    });
  }
}
