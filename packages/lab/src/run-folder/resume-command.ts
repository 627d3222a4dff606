import { relative } from 'node:path';

/** Writes the command that goes on with a run. */
export function resumeCommand(command: string, folder: string): string {
  const fromHere = relative('.', folder);
  const path = fromHere.startsWith('..') ? folder : fromHere;
  return `winnow ${command} --resume --out ${path}`;
}
