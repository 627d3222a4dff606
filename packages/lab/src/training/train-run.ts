import {
  type LedgerEntry,
  type Model,
  type Runner,
  type Task,
  type TensorTree,
  UserError,
  disposeTree,
  initialize,
  lendTree,
  runningOf,
  stepsIn,
} from '@winnow/core';
import { type TrainOptions, givenOptions } from '../options/train-options';
import { checkpointChoices } from '../model-source/checkpoint-choices';
import { digestOf, weightBytes } from '../model-source/open-model';
import { saveTrained } from '../model-source/save-trained';
import { type Start, fateOfHead, originOn, startFrom } from '../model-source/start';
import type { GivenOptions } from '../options/group';
import { writePredictions } from '../run-folder/predictions';
import type { RunFolder } from '../run-folder/run-folder';
import { type TrainSummary, commonSummary, writeSummary } from '../run-folder/summary';
import { created } from '../workload/created';
import type { Workload, WorkloadKind } from '../workload/workload';
import { batchesOf, scoreOn } from './data';
import { latencyOn } from './latency';
import { classesOfTest, namesOfClasses } from './predictions';
import { trainHead } from './head-first';
import { type TaskTraining, trainOnTask } from './on-task';

/** Loads what the training starts from: the seed's parameters, or those of a model; the caller owns them. */
export async function startOfTraining(
  kind: WorkloadKind,
  options: TrainOptions,
  own: GivenOptions,
  note: (line: string) => void,
): Promise<Start & { readonly source: { readonly sourceWeights?: string } }> {
  const { from, seed } = options;
  if (from === undefined) {
    const { workload, model } = await created(kind, options, own);
    return { workload, model, params: initialize<TensorTree>(model.specs, seed), source: {} };
  }
  const { head } = givenOptions.parse(own);
  const origin = await originOn(kind, options, own, {
    from,
    head,
    note,
    checkpoint: checkpointChoices(own),
  });
  note(`${from}: ${fateOfHead(origin, head)}; ${fateOfBackbone(options)}`);
  const start = await startFrom(origin, { seed, head });
  return { ...start, source: { sourceWeights: await digestOf(start.params) } };
}

/** @throws {UserError} when the data or the model lack what the options of a fine-tuning need. */
export function checkFits(
  { freezeBackbone, patience, microBatches, ...batching }: TrainOptions,
  { workload, model }: Pick<Start, 'workload' | 'model'>,
): void {
  const { stepsPerEpoch } = batchesOf(workload, batching);
  if (Number.parseFloat(freezeBackbone) > 0 && stepsIn(freezeBackbone, stepsPerEpoch) === 0)
    throw new UserError(
      `freezeBackbone: ${freezeBackbone} is less than one step of this data, which has ${stepsPerEpoch} an epoch: say 1it or more`,
    );
  if (patience > 0 && workload.validation.size === 0)
    throw new UserError('patience needs a validation split, and the data has none');
  checkDivisible(workload.taskOf(runningOf(model).model), microBatches);
  if (Number.parseFloat(freezeBackbone) > 0 && model.readout.heads.length === 0)
    throw new UserError(
      'freezeBackbone needs a head that can be trained alone, and only classifiers have one',
    );
}

/** @throws {UserError} when the loss of a task is not one of parts of a batch. */
export function checkDivisible(
  { slice, name: task }: Pick<Task, 'slice' | 'name'>,
  microBatches: number,
  name = 'microBatches',
): void {
  if (microBatches > 1 && slice === undefined)
    throw new UserError(
      `${name} needs a loss that is a mean over examples, and that of ${task} compares them`,
    );
}

const fateOfBackbone = ({ freezeBackbone }: TrainOptions): string =>
  Number.parseFloat(freezeBackbone) === 0
    ? 'nothing is frozen'
    : `the backbone is frozen for ${freezeBackbone}, then nothing is`;

/** A training whose options and data are checked. */
export interface TrainJob {
  readonly runner: Runner;
  readonly run: RunFolder;
  readonly options: TrainOptions;
  /** Options of every training on the task, others beside them. */
  readonly training: unknown;
  readonly workload: Workload;
  readonly model: Model;
  /** Lent: what the training starts from. */
  readonly params: TensorTree;
  readonly startMs: number;
}

/** Trains a model on its task, saves it and sums it up. */
export async function trainAndSave({
  runner,
  run,
  options,
  training,
  workload,
  model,
  params: start,
  startMs,
}: TrainJob): Promise<TrainSummary> {
  const { batchSize, duration, learningRate, weightAverage, patience, microBatches, stochasticDepth, seed } =
    options;
  const batches = batchesOf(workload, options, training);
  const task = workload.taskOf(model, training);
  const validate = scoreOn(workload.validation, batchSize);
  const common = { model, task, batches, optimization: options, microBatches };
  const head = await headFirst(runner, start, common, options);
  const every = stepsIn(options.evaluateEvery, batches.stepsPerEpoch);
  const steps = stepsIn(duration, batches.stepsPerEpoch);
  const trained = await lending(head?.params, () =>
    trainOnTask(runner, head?.params ?? start, {
      ...common,
      phase: 'train',
      duration,
      learningRate,
      weightAverage,
      ...(stochasticDepth === 0 ? {} : { stochasticDepth: { rate: stochasticDepth, seed } }),
      milestones: {
        at: patience === 0 ? multiplesOf(every, steps) : [...new Set([...multiplesOf(every, steps), steps])],
        score: (params) => validate(task, params),
        ...(patience === 0 ? {} : { patience: { metric: task.metric, evaluations: patience } }),
      },
    }),
  );
  const { params, ledger, milestones, bestStep } = trained;
  if (bestStep !== undefined) runner.report({ kind: 'note', text: bestLine(ledger.steps, bestStep, steps) });
  const scores = await scoreOn(workload.test, batchSize)(task, params);
  runner.report({ kind: 'scoring', phase: 'test' });
  runner.report({ kind: 'scores', phase: 'test', step: 0, scores });
  const origin = { run: run.record.hash, ...workload.origin };
  await saveTrained(run.modelFolder, workload, { model, params, origin });
  const summary: TrainSummary = {
    command: 'train',
    ...commonSummary(run.record, workload.facts, task.metric),
    ledger: [...(head === undefined ? [] : [head.ledger]), ledger],
    model: {
      parameters: model.account.parameters,
      macs: model.account.macs,
      bytes: await weightBytes(run.modelFolder),
      latency: await latencyOn(workload, model, params),
      milestones: milestones.map(({ step, scores }) => ({
        step,
        epochs: step / batches.stepsPerEpoch,
        scores,
      })),
      ...(bestStep === undefined
        ? {}
        : { best: { step: bestStep, epochs: bestStep / batches.stepsPerEpoch } }),
      scores,
    },
    wallSeconds: (performance.now() - startMs) / 1000,
  };
  const found = await classesOfTest(workload, { model, params }, batchSize);
  disposeTree(params);
  if (found !== undefined) {
    const { labels, predicted: dense } = found;
    await writePredictions(run.folder, { classNames: namesOfClasses(workload), labels, dense });
  }
  await writeSummary(run.folder, summary);
  return summary;
}

/** The training of the head before everything else, if one is asked for. */
async function headFirst(
  runner: Runner,
  start: TensorTree,
  common: Pick<TaskTraining, 'model' | 'task' | 'batches' | 'optimization' | 'microBatches'>,
  { freezeBackbone, headLearningRate, learningRate }: TrainOptions,
): Promise<{ params: TensorTree; ledger: LedgerEntry } | undefined> {
  if (stepsIn(freezeBackbone, common.batches.stepsPerEpoch) === 0) return undefined;
  return trainHead(runner, start, {
    ...common,
    duration: freezeBackbone,
    learningRate: headLearningRate ?? learningRate,
  });
}

const lending = <Result>(tree: TensorTree | undefined, use: () => Promise<Result>): Promise<Result> =>
  tree === undefined ? use() : lendTree(tree, use);

/** Tells which weights a training with patience came to. */
export const bestLine = (done: number, best: number, steps: number): string =>
  `${done < steps ? `stopped after step ${done} of ${steps}: no evaluation was better since` : 'trained to the end:'} the weights of step ${best} are kept, the best on the validation split`;

/** every, 2·every, … up to the last; none for 0. */
function multiplesOf(every: number, last: number): number[] {
  return every === 0
    ? []
    : Array.from({ length: Math.floor(last / every) }, (_, index) => (index + 1) * every);
}
