import { type Model, type Runner, type TensorTree, disposeTree, initialize, stepsIn } from '@winnow/core';
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
import { trainOnTask } from './on-task';

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
  note(`${from}: ${fateOfHead(origin, head)}; nothing is frozen`);
  const start = await startFrom(origin, { seed, head });
  return { ...start, source: { sourceWeights: await digestOf(start.params) } };
}

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
  const { batchSize, duration, learningRate } = options;
  const batches = batchesOf(workload, options);
  const task = workload.taskOf(model, training);
  const validate = scoreOn(workload.validation, batchSize);
  const { params, ledger, milestones } = await trainOnTask(runner, start, {
    phase: 'train',
    model,
    task,
    batches,
    optimization: options,
    duration,
    learningRate,
    milestones: {
      at: multiplesOf(
        stepsIn(options.evaluateEvery, batches.stepsPerEpoch),
        stepsIn(duration, batches.stepsPerEpoch),
      ),
      score: (params) => validate(task, params),
    },
  });
  const scores = await scoreOn(workload.test, batchSize)(task, params);
  runner.report({ kind: 'scores', phase: 'test', step: 0, scores });
  const origin = { run: run.record.hash, ...workload.origin };
  await saveTrained(run.modelFolder, workload, { model, params, origin });
  const summary: TrainSummary = {
    command: 'train',
    ...commonSummary(run.record, workload.facts, task.metric),
    ledger: [ledger],
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

/** every, 2·every, … up to the last; none for 0. */
function multiplesOf(every: number, last: number): number[] {
  return every === 0
    ? []
    : Array.from({ length: Math.floor(last / every) }, (_, index) => (index + 1) * every);
}
