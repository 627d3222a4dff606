import { join } from 'node:path';
import { type SavedModel, saveModel, writeAtomically } from '@winnow/formats';
import type { Workload } from '../workload/workload';

/** Saves a model with the files that its task needs beside the weights; the model is complete once it is loadable. */
export async function saveTrained(
  folder: string,
  { companions }: Pick<Workload, 'companions'>,
  model: SavedModel,
): Promise<void> {
  await saveModel(folder, model);
  for (const [name, content] of Object.entries(companions)) {
    await writeAtomically(join(folder, name), content);
  }
}
