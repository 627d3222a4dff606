import { UserError } from '@winnow/core';
import { kebab } from '../options/group';
import { classOrderShape } from './class-order';
import { labelledShape } from './pictures-read';
import type { WorkloadKind } from './workload';

/** Options that stand beside those of every task, as the task comes from the model, and that some tasks read. */
const ofSomeTasks = Object.keys({ ...labelledShape, ...classOrderShape });

/**
 * Refuses options that were given and that a task does not read.
 * @param given As they were given, others beside them.
 * @throws {UserError} that names them.
 */
export function refuseIdle(
  { name, dataShape, givenShape }: Pick<WorkloadKind, 'name' | 'dataShape' | 'givenShape'>,
  given: Readonly<Record<string, unknown>>,
): void {
  const idle = ofSomeTasks.filter(
    (key) => given[key] !== undefined && !(key in dataShape) && !(key in givenShape),
  );
  if (idle.length === 0) return;
  const flags = idle.map((key) => `--${kebab(key)}`).join(', ');
  throw new UserError(
    idle.length === 1
      ? `${flags} has no use for ${name}: leave it out`
      : `${flags} have no use for ${name}: leave them out`,
  );
}
