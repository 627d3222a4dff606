import { relative } from 'node:path';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { grouped } from '../split/grouped';

/** Why something in a folder of pictures is not used, as people are told. */
const reasons = {
  deeper: 'in folders below the class folders',
  beside: 'beside the class folders, of no class',
  'other folder': 'in folders of no split',
  'no picture': 'of no kind of picture',
  'no file': 'of no ordinary kind (pipe, socket or device)',
} as const;

/** Something that is not used and does no harm. */
export interface PassedOver {
  readonly path: string;
  readonly reason: keyof typeof reasons;
  /** The number of files that it is or has. */
  readonly files: number;
}

/** Something that should be used and cannot. */
export interface Unusable {
  readonly path: string;
  /** Description of what it is: 'a picture in the format BMP'. */
  readonly reason: string;
}

const NAMED = 3;

/** Describes what was passed over, counted by the reason, with some names of each; nothing for nothing. */
export function passedOverNotes(root: string, passedOver: readonly PassedOver[]): string[] {
  if (passedOver.length === 0) return [];
  const parts = [...grouped(passedOver, ({ reason }) => reason)].map(([reason, items]) => {
    const files = items.reduce((sum, item) => sum + item.files, 0);
    const names = items.slice(0, NAMED).map(({ path }) => relative(root, path));
    const more = items.length > NAMED ? ', …' : '';
    return `${counted(files, 'file')} ${reasons[reason]}: ${names.join(', ')}${more}`;
  });
  return [`passed over: ${parts.join('; ')}`];
}

/** @throws {DataError} that lists what cannot be used, if anything. */
export function refuseUnusable(root: string, unusable: readonly Unusable[]): void {
  if (unusable.length === 0) return;
  const lines = unusable.map(({ path, reason }) => `${path}: ${reason}`);
  throw new DataError({
    expected: `JPEG, PNG, WebP, GIF, TIFF or AVIF pictures in ${root}`,
    found: `${unusable.length === 1 ? 'one file' : `${unusable.length} files`} that cannot be used:${firstTen(lines)}\n`,
    advice: 'Convert pictures, for example to PNG, mend links, or remove them.',
  });
}
