import { UserError } from '@winnow/core';
import type { ToldPictureOptions } from '@winnow/data';
import type { DataChoice } from '../options/training';
import { picturesKept } from '../picture-cache/kept';

/**
 * Reads pictures that texts say something about which would not be true of another picture.
 * @param task Its name, for errors.
 * @throws {UserError} where they are to be varied.
 */
export function toldReading<Reading extends ToldPictureOptions>(
  task: string,
  { data: _, augmentation, eraseProbability, ...kept }: DataChoice,
  reading: Reading,
): Reading & ReturnType<typeof picturesKept> {
  if ((augmentation !== 'auto' && augmentation !== 'none') || (eraseProbability ?? 0) > 0) {
    throw new UserError(
      `${task}: pictures are not varied, as what is said of them would not be true any more: leave out --augmentation and --erase-probability`,
    );
  }
  return { ...reading, ...picturesKept(kept, reading.imageSize) };
}
