import { join } from 'node:path';
import { LOG_FOLDER } from '../results/event-name';
import { writeEvents } from '../results/tensorboard';
import type { OpenedComparison } from './open-comparison';

/** One folder for each run, named by its place in the comparison. */
export async function writeComparisonEvents({ folder, outcomes }: OpenedComparison): Promise<string> {
  const root = folder.file(LOG_FOLDER);
  const named = [
    ...outcomes.dense.map(({ job, workload, seed }) => ({ job, names: [workload, 'dense', `seed ${seed}`] })),
    ...outcomes.measurements.map(({ job, workload, track, budget, label, seed, learningRate }) => ({
      job,
      names: [workload, track, budget, label, `seed ${seed}, ${learningRate}`],
    })),
  ];
  for (const { job, names } of named) {
    await writeEvents(folder.runFolder(job), join(root, ...names.map(folderName)));
  }
  return root;
}

const folderName = (text: string): string => text.replaceAll(/[^\w.-]+/g, '-');
