import type { z } from 'zod';
import type { compressOptions } from '../options/compress-options';
import type { GivenOptions } from '../options/group';
import type { trainOptions } from '../options/train-options';
import type { Progress } from '../progress/progress';
import type { CompressSummary, TrainSummary } from '../run-folder/summary';
import { compressRun } from './compress';
import { type FinishedRun, makeRun } from './make-run';
import type { RunKind, RunOptions } from './run-kind';
import { trainRun } from './train';
import { unwatched } from './watch';

/** The options of a training by name; those of a new model, of its data and of its task stand beside these. */
export type TrainRequest = GivenOptions & z.input<ReturnType<typeof trainOptions>>;

/**
 * The options of a compression by name; those of the method stand under `options`, those of a dense model that is trained
 * first under `dense`.
 */
export type CompressRequest = GivenOptions & z.input<ReturnType<typeof compressOptions>>;

/** The setting of a run. */
export interface RunSetting {
  /** Goes on with the run in its folder. */
  readonly resume?: boolean;
  /** Shows how it goes on. */
  readonly progress?: Progress;
  /** Stops it when it is aborted: everything so far is saved. */
  readonly signal?: AbortSignal;
}

/**
 * Trains a new model, or one that there is, in a run folder, as `winnow train` does.
 * @throws {UserError} on options or data that are not as they should be. @throws {RunStoppedError} when it was stopped.
 */
export const train = (options: TrainRequest, setting: RunSetting = {}): Promise<FinishedRun<TrainSummary>> =>
  made(trainRun, options, setting);

/**
 * Makes a model smaller in a run folder, as `winnow compress` does: search, cut, retraining.
 * @throws {UserError} on options or data that are not as they should be. @throws {RunStoppedError} when it was stopped.
 */
export const compress = (
  options: CompressRequest,
  setting: RunSetting = {},
): Promise<FinishedRun<CompressSummary>> => made(compressRun, options, setting);

function made<Options extends RunOptions, Summary>(
  kind: RunKind<Options, Summary>,
  given: GivenOptions,
  { resume = false, progress, signal }: RunSetting,
): Promise<FinishedRun<Summary>> {
  const watch = unwatched(signal);
  return makeRun(kind, { given, resume }, progress === undefined ? watch : { ...watch, progress });
}
