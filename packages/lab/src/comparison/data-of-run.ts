import { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import { chosenIn } from '../options/given';
import { readRecord } from '../run-folder/record';
import { dataOfRun } from '../run-folder/run-data';
import { workloadIn } from '../workload/choice';
import { labelledOf } from '../workload/pictures-read';
import type { Workload } from '../workload/workload';

const dataChoice = z.looseObject({
  task: z.string(),
  data: z.string(),
});

/**
 * The data of a run, where they are now, for its model.
 * @throws {UserError} when they are gone, or are not what they were when the run began.
 */
export async function openDataOfRun(opened: OpenedModel, runFolder: string): Promise<Workload> {
  const choice = chosenIn(dataChoice, (await readRecord(runFolder))?.options);
  const { data = choice.data, ...read } = await dataOfRun(runFolder);
  const chosen = { data, augmentation: 'auto', preload: 'never' } as const;
  return workloadIn(choice).open(chosen, opened, { ...choice, ...read });
}

/** The same for runs on the same data. */
export async function keyOfData(runFolder: string): Promise<string> {
  const record = await readRecord(runFolder);
  const choice = chosenIn(dataChoice, record?.options);
  return JSON.stringify([choice.task, choice.data, labelledOf(choice), record?.paths]);
}
