import { IGNORED } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { pictureFile, readRegularFile } from '../file/regular-file';
import { type Mask, indexPng } from './index-png';
import type { MaskFiles } from './found-segmentation';

/** Classes by their names, and what the numbers in masks mean. */
export interface Labels {
  readonly classes: readonly string[];
  /** The class of each number that may stand in a mask, or 255 where it does not count; a number beyond them, and below 255, is none. */
  readonly meaning: readonly number[];
}

/** More classes do not fit into a byte, as 255 means none. */
const MOST_CLASSES = 255;
/** Names of what does not count, in lists of classes. */
const UNCOUNTED = new Set(['void', 'ignore', 'ignored', 'unlabelled', 'unlabeled']);

/**
 * Classes by the names of the numbers in masks, from 0 on; one that is called void, ignored or unlabelled does not count.
 * @param place Where the names come from, for messages.
 * @throws {DataError} on fewer than two or more than 255 names, or one that stands there twice.
 */
export function labelsNamed(names: readonly string[], place: string): Labels {
  const classes = names.filter((name) => !UNCOUNTED.has(name.toLowerCase()));
  const twice = [...new Set(classes.filter((name, index) => classes.indexOf(name) !== index))];
  if (classes.length < 2 || names.length > MOST_CLASSES || twice.length > 0) {
    throw new DataError({
      expected: `2 to ${MOST_CLASSES} names of classes in ${place}, each once`,
      found: twice.length > 0 ? `some more than once:${firstTen(twice)}\n` : `${names.length}`,
      advice: 'Write a name a line, in the order of the numbers in the masks.',
    });
  }
  return {
    classes,
    meaning: names.map((name) => (UNCOUNTED.has(name.toLowerCase()) ? IGNORED : classes.indexOf(name))),
  };
}

/** ADE20k's: 0 is something else and does not count, i is class i − 1. */
export const labelsFromOne = (classes: readonly string[]): Labels => ({
  classes,
  meaning: [IGNORED, ...classes.keys()],
});

/** Masks on the disk, as PNG. */
export const masksOnDisk = (labels: Labels): MaskFiles => ({
  read: async (path) => {
    const mask = indexPng(await readRegularFile(path, { ...pictureFile, what: 'a mask' }), path);
    return meant(mask, labels, path);
  },
});

/** A mask whose numbers are classes. @throws {DataError} when one is none. */
export function meant({ width, height, labels }: Mask, { meaning, classes }: Labels, path: string): Mask {
  const table = Array.from(
    { length: 256 },
    (_, number) => meaning[number] ?? (number === IGNORED ? IGNORED : -1),
  );
  const found = new Uint8Array(labels.length);
  for (let pixel = 0; pixel < labels.length; pixel++) {
    const own = table[labels[pixel] ?? 0] ?? -1;
    if (own < 0) {
      throw new DataError({
        expected: `numbers of 0 to ${meaning.length - 1} in the mask ${path}, or ${IGNORED} for what does not count, as there are ${classes.length} classes`,
        found: `${labels[pixel]}`,
        advice:
          'Name all classes in a file classes.txt beside the folders, a line each, or correct the mask.',
      });
    }
    found[pixel] = own;
  }
  return { width, height, labels: found };
}
