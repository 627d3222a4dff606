import { type Model, UserError } from '@winnow/core';
import type { DataChoice } from '../options/training';
import type { Workload, WorkloadKind } from './workload';

/**
 * Data and a new model, as the options say.
 * @throws {UserError} when the options do not fit together: pictures that are not a whole number of patches, say.
 */
export async function created(
  kind: WorkloadKind,
  choice: DataChoice,
  options: unknown,
): Promise<{ workload: Workload; model: Model }> {
  try {
    return await kind.create(choice, options);
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(error.message);
    throw error;
  }
}
