import { relative } from 'node:path';

/** How to go on with a run, as a command. */
export function resumeCommand(command: string, folder: string): string {
  const fromHere = relative('.', folder);
  const path = fromHere.startsWith('..') ? folder : fromHere;
  return `winnow ${command} --resume --out ${path}`;
}
