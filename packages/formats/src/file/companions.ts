import { join } from 'node:path';
import { type FileContent, writeAtomically } from './write-atomically';

/** Files that stand beside a model and go with it, by name: what its pictures and texts are prepared with. */
export type Companions = Readonly<Record<string, FileContent>>;

/**
 * Writes files into a folder that is there.
 * @throws {FormatError} when one cannot be written.
 */
export async function writeCompanions(folder: string, companions: Companions): Promise<void> {
  for (const [name, content] of Object.entries(companions)) {
    await writeAtomically(join(folder, name), content);
  }
}
