import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { grouped } from '../split/grouped';
import type { PairGroup } from './group';
import { isWithin, located, refuseMissing } from '../file/locate';
import type { FoundPairs, NamedPairs } from './splits';

/** Nothing but spaces, controls and signs that do not show. */
const BLANK = /^[\p{White_Space}\p{Cc}\p{Cf}]*$/u;

/**
 * The pairs, with their pictures as they are called on the disk. Every group must have texts, none of them blank, and pictures
 * that are there and in no other group: a picture in two splits would be tested on after being trained on.
 * @throws {DataError} that lists the first ten that are not so.
 */
export async function checkedPairs({ folders, ...found }: NamedPairs, source: string): Promise<FoundPairs> {
  const { train, validation, test } = found.splits;
  const groups = [...train, ...validation, ...test];
  const mute = groups.filter(({ texts }) => texts.length === 0 || texts.some((text) => BLANK.test(text)));
  if (mute.length > 0) {
    throw new DataError({
      expected: `captions, none of them blank, for every picture in ${source}`,
      found: `${mute.length} pictures without, or with a blank one:${firstTen(mute.map(({ pictures }) => pictures.join(', ')))}\n`,
      advice: 'Add captions, or remove the pictures from the list.',
    });
  }
  const onDisk = new Map<string, string>();
  const named = groups.flatMap((group) => group.pictures);
  const folderOf = (path: string) => folders.find((folder) => isWithin(folder, path)) ?? '';
  for (const [folder, paths] of grouped(named, folderOf)) {
    for (const [path, place] of await located(folder, paths, source)) onDisk.set(path, place);
  }
  refuseMissing(
    named.filter((path) => !onDisk.has(path)),
    source,
  );
  const placed = (group: PairGroup): PairGroup => ({
    ...group,
    pictures: group.pictures.map((path) => onDisk.get(path) ?? path),
  });
  const pictures = groups.flatMap((group) => placed(group).pictures);
  const repeated = [...grouped(pictures, (path) => path)].filter(([, times]) => times.length > 1);
  if (repeated.length > 0) {
    throw new DataError({
      expected: `every picture once in ${source}, with all of its captions`,
      found: `${repeated.length} that are listed again:${firstTen(repeated.map(([path]) => path))}\n`,
      advice: 'Join the entries of a picture, in one split.',
    });
  }
  return {
    ...found,
    splits: { train: train.map(placed), validation: validation.map(placed), test: test.map(placed) },
  };
}
