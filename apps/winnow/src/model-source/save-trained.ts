import { join } from 'node:path';
import { type SavedModel, saveModel, writeAtomically } from '@winnow/formats';
import type { Workload } from '../workload/workload';

/** Saves a model with the files that its task needs beside the weights; the model is complete once it is loadable. */
export async function saveTrained(
  folder: string,
  { companions, classNames }: Pick<Workload, 'companions' | 'classNames'>,
  model: Omit<SavedModel, 'classNames'>,
): Promise<void> {
  await saveModel(folder, { ...model, classNames });
  for (const [name, content] of Object.entries(companions)) {
    await writeAtomically(join(folder, name), content);
  }
}
