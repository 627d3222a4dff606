import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the event files of a run or a comparison are, unless another folder is named. */
export const LOG_FOLDER = 'tensorboard';

/** TensorBoard reads the files of a folder by their names, and knows them by the word in the middle. */
const EVENT_FILE = /^events\.out\.tfevents\.(\d{10})\.winnow/;

/** A name for an event file that TensorBoard reads after all those of ours that are in a folder. */
export function nextEventFile(logFolder: string, kind = ''): string {
  const taken = readdirSync(logFolder).flatMap((name) => Number(EVENT_FILE.exec(name)?.[1] ?? []));
  const seconds = Math.max(Math.floor(Date.now() / 1000), ...taken.map((number) => number + 1));
  return join(logFolder, `events.out.tfevents.${String(seconds).padStart(10, '0')}.winnow${kind}`);
}
