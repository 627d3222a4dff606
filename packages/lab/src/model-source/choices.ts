import { UserError } from '@winnow/core';
import type { GivenOptions } from '../options/group';
import { choicesOfRun } from '../run-folder/record';
import { dataOfRun, readingOfRun } from '../run-folder/run-data';
import { workloadNamed, workloadsOf } from '../workload/choice';
import type { WorkloadKind } from '../workload/workload';
import { modelKindAt } from './open-model';

/** Which tasks a command takes a model for: its own alone, or any that its towers can serve. */
export type TaskRange = 'its own' | 'any';

export interface Choices {
  readonly from?: unknown;
  readonly task?: unknown;
  readonly data?: unknown;
}

/**
 * The task that the model of --from is taken for where none is named: that of its run, or the one that its kind is for. A
 * command that takes models for any task goes by the data, if they are named and are not for that task.
 * @returns undefined for the default task.
 * @throws {UserError} when there is no model. @throws {FormatError} when its files are corrupt.
 */
export async function taskOfModel({ from, data }: Choices, range: TaskRange): Promise<string | undefined> {
  if (typeof from !== 'string') return undefined;
  const kind = await kindOfModel(from);
  if (range === 'its own' || typeof data !== 'string') return kind?.name;
  return kind !== undefined && (await kind.fits(data)) ? kind.name : undefined;
}

async function kindOfModel(from: string): Promise<WorkloadKind | undefined> {
  const { task } = await choicesOfRun(from);
  return task === undefined ? workloadsOf(await modelKindAt(from))[0] : workloadNamed(task);
}

/**
 * Options with the task and the data of the model of --from, where they are not named: a run says both.
 * @param flag That names the data.
 * @throws {UserError} when nothing says which data, or there is no model. @throws {FormatError} when its files are corrupt.
 */
export async function withChoicesOfModel(
  command: string,
  given: GivenOptions,
  range: TaskRange,
  flag = '--data',
): Promise<GivenOptions> {
  const { from } = given;
  if (typeof from !== 'string') return given;
  const task = given['task'] ?? (await taskOfModel(given, range));
  const chosen = { ...(task === undefined ? {} : { task }), ...given };
  const { task: recorded } = await choicesOfRun(from);
  if (typeof given['data'] === 'string' && workloadNamed(recorded).name === (task ?? workloadNamed().name))
    return { ...(await readingOfRun(from, given['data'])), ...chosen };
  if (given['data'] !== undefined) return chosen;
  const { data, ...read } = await dataOfRun(from);
  if (data === undefined) {
    await modelKindAt(from); // refuses a model that is not there
    throw new UserError(
      `${command}: say with ${flag} which data: ${from} is not a run of winnow, which would say it`,
    );
  }
  if (recorded !== undefined && recorded !== task) {
    throw new UserError(
      `${command}: say with ${flag} which data: those of ${from} are for the task ${recorded}, not for ${String(task)}`,
    );
  }
  return { data, ...read, ...chosen };
}
