import { type SavedModel, saveModel } from '@winnow/formats';
import type { Workload } from '../workload/workload';

/** Saves a model with the names of its classes and the files that its task needs, those first: it is complete once it opens. */
export const saveTrained = (
  folder: string,
  { companions, classNames }: Pick<Workload, 'companions' | 'classNames'>,
  model: Omit<SavedModel, 'classNames' | 'companions'>,
): Promise<void> => saveModel(folder, { ...model, classNames, companions });
