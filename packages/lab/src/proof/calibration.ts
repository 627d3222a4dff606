import { UserError, permutation, randomStream } from '@winnow/core';
import type { ModelPart } from '@winnow/onnx';
import { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import { type ExamplesOfParts, examplesOfData } from './data-examples';
import { dataOf } from './real-pictures';

/** Examples by which int8 chooses its ranges, by the part that takes them. */
export type Calibration = ExamplesOfParts;

/** The number of examples of the training split that int8 chooses its ranges by. */
export const calibrationCount = z
  .int()
  .min(1)
  .max(100_000)
  .describe('Of int8: how many examples of the training split its ranges are chosen by (default: 64)');

const DEFAULT_CALIBRATION = 64;
const SEED = 21;

/**
 * Refuses what only int8 reads.
 * @param given Options about its examples, where they were given.
 * @throws {UserError} that names one.
 */
export function refuseIdleCalibration(
  precision: string | undefined,
  given: { readonly calibration?: unknown; readonly data?: unknown },
): void {
  const idle = (['calibration', 'data'] as const).find((name) => given[name] !== undefined);
  if (precision === 'int8' || idle === undefined) return;
  throw new UserError(`--${idle} is about int8: leave it out, or take --precision int8`);
}

/**
 * Examples that int8 chooses its ranges by, drawn from the training split, as neighbours are often of one class: pictures, texts, or both,
 * for each part what it takes. Undefined for other precisions.
 * @throws {UserError} when there are none.
 */
export async function calibrationExamples(
  path: string,
  opened: OpenedModel,
  parts: readonly ModelPart[],
  options: {
    readonly precision?: string | undefined;
    readonly data?: string | undefined;
    readonly calibration?: number | undefined;
  },
): Promise<Calibration | undefined> {
  if (options.precision !== 'int8') return undefined;
  const workload = await dataOf(path, opened, options.data);
  if (workload === undefined)
    throw new UserError(
      '--precision int8: its ranges are chosen by examples, but no data are known to ask about: --data',
    );
  const { calibration: asked = DEFAULT_CALIBRATION } = options;
  const order = permutation(workload.train.size, randomStream(SEED, 'calibration'));
  const { examples } = await examplesOfData(workload.train, order.subarray(0, asked), opened, parts);
  return examples;
}
