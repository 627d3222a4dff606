import { join } from 'node:path';
import type { BrokenPicture } from '@winnow/data';
import { type JsonFileFormat, writeJson } from '@winnow/formats';
import { z } from 'zod';

/** The file of pictures that a run left out because they are broken, each with the reason. */
export const SKIPPED_FILE = 'skipped-pictures.json';

const format: JsonFileFormat<readonly BrokenPicture[]> = {
  schema: z.array(z.object({ picture: z.string(), problem: z.string() })),
  what: 'pictures that were skipped',
};

export const writeSkipped = (folder: string, skipped: readonly BrokenPicture[]): Promise<void> =>
  writeJson(join(folder, SKIPPED_FILE), skipped, format);
