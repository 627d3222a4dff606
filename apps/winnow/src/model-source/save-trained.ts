import { join } from 'node:path';
import { type SavedModel, makeFolder, saveModel, writeAtomically } from '@winnow/formats';
import type { Workload } from '../workload/workload';

/** Saves a model with the files that its task needs beside the weights: those first, so that it is complete once it opens. */
export async function saveTrained(
  folder: string,
  { companions, classNames }: Pick<Workload, 'companions' | 'classNames'>,
  model: Omit<SavedModel, 'classNames'>,
): Promise<void> {
  await makeFolder(folder);
  for (const [name, content] of Object.entries(companions)) {
    await writeAtomically(join(folder, name), content);
  }
  await saveModel(folder, { ...model, classNames });
}
