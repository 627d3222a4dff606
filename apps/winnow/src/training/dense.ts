import {
  type BatchSource,
  type ImageBatch,
  type ImageClassificationData,
  type LedgerEntry,
  type Milestone,
  type Milestones,
  type Runner,
  UserError,
  type VisionTransformer,
  type VisionTransformerParams,
  disposeTree,
  initialize,
  runPhase,
  stepsIn,
  visionTransformer,
  visionTransformerConfig,
} from '@winnow/core';
import type { Duration } from '@winnow/core';
import type { ModelChoice, Optimization } from '../options/training';
import { taskOn } from './data';
import { optimizerFor } from './optimizer';

/** Forward and backward cost three forward passes. */
const FORWARD_PASSES_PER_STEP = 3;

/**
 * A new model for a dataset, without parameters.
 * @throws {UserError} when the pictures are not a whole number of patches.
 */
export function newModel(
  { model, imageSize, patchSize, distillation }: ModelChoice,
  { channels, classes }: Pick<ImageClassificationData, 'channels' | 'classes'>,
): VisionTransformer {
  try {
    const shape = { imageSize, patchSize, distillation, channels, classes: classes.length };
    return visionTransformer(visionTransformerConfig(model, shape));
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(error.message);
    throw error;
  }
}

export interface DenseTraining {
  readonly phase: string;
  readonly model: VisionTransformer;
  readonly data: ImageClassificationData;
  readonly batches: BatchSource<ImageBatch>;
  readonly optimization: Optimization;
  readonly duration: Duration;
  readonly learningRate: number;
  readonly seed: number;
  readonly milestones?: Milestones;
}

/** Trains a model from fresh parameters, as a phase of a run. The caller owns the parameters. */
export async function trainDense(
  runner: Runner,
  { phase, model, data, batches, optimization, duration, learningRate, seed, milestones }: DenseTraining,
): Promise<{ params: VisionTransformerParams; ledger: LedgerEntry; milestones: readonly Milestone[] }> {
  const steps = stepsIn(duration, batches.stepsPerEpoch);
  const fresh = initialize<VisionTransformerParams>(model.specs, seed);
  try {
    const {
      params,
      ledger,
      milestones: reached,
    } = await runPhase(
      runner,
      phase,
      {
        params: fresh,
        state: {},
        task: taskOn(data, model, optimization.labelSmoothing),
        effective: (params: VisionTransformerParams) => params,
        optimizer: optimizerFor<VisionTransformerParams>(optimization, { learningRate, steps }),
        batches,
        steps,
      },
      FORWARD_PASSES_PER_STEP * model.account.macs,
      milestones,
    );
    return { params, ledger, milestones: reached };
  } finally {
    disposeTree(fresh);
  }
}
