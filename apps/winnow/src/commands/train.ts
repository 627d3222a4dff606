import { type Model, type Runner, disposeTree, durationOption, stepsIn } from '@winnow/core';
import { z } from 'zod';
import type { FlagGroup } from '../arguments/flag';
import { weightBytes } from '../model-source/open-model';
import { saveTrained } from '../model-source/save-trained';
import type { GivenOptions } from '../options/group';
import {
  adversaryOf,
  dataShape,
  denseTrainingShape,
  executionShape,
  optimizationShape,
  outShape,
} from '../options/training';
import { progressOn } from '../progress/progress';
import { runReport } from '../report/run-report';
import { engineChoice } from '../run-folder/record';
import { type RunFolder, beginRun, planRun, shortName } from '../run-folder/run-folder';
import { type Summary, commonSummary, readSummary, writeSummary } from '../run-folder/summary';
import { print } from '../terminal/terminal';
import { batchesOf, scoreOn } from '../training/data';
import { trainDense } from '../training/dense';
import { latencyOn } from '../training/latency';
import { version } from '../version';
import { taskShape, workloadIn, workloadNamed } from '../workload/choice';
import { created } from '../workload/created';
import type { Workload, WorkloadKind } from '../workload/workload';
import type { Command, Invocation } from './command';
import { startChosen } from './engine';
import { inSession } from './run-session';

const shapeFor = ({ defaultData }: WorkloadKind) => ({
  ...taskShape,
  ...dataShape(defaultData),
  ...denseTrainingShape,
  ...optimizationShape,
  evaluateEvery: durationOption
    .default('5ep')
    .describe('Steps between scores on the validation split; 0it for none'),
  ...executionShape,
  ...outShape,
});
/** Those that every task has. */
const trainOptions = (kind: WorkloadKind) => z.object(shapeFor(kind));
type TrainOptions = z.output<ReturnType<typeof trainOptions>>;

const title = 'Options of train';

const groupsOf = (kind: WorkloadKind): FlagGroup[] => [
  {
    title,
    schema: z.object({ ...shapeFor(kind), ...kind.dataShape, ...kind.modelShape, ...kind.trainingShape }),
  },
];

/** @throws {UserError} when the options name no task that there is. */
export const trainGroups = (options: GivenOptions): readonly FlagGroup[] => groupsOf(workloadIn(options));

export const trainCommand: Command = {
  name: 'train',
  summary: 'Train a DeiT on labelled pictures, or with a text tower on pictures and texts',
  startsRun: true,
  groups: ({ task }) => groupsOf(workloadNamed(task)),
  run: async ({ given, resume, terminal }: Invocation) => {
    const plan = await planRun({
      command: 'train',
      groupsFor: trainGroups,
      given,
      resume,
      nameOf: ({ data, model }) => `train-${shortName(String(data))}-${String(model)}`,
    });
    const finished = await readSummary(plan.folder);
    if (finished !== undefined) {
      print(terminal.stdout, runReport(finished, plan.folder));
      return;
    }
    const startMs = performance.now();
    const kind = workloadIn(plan.options);
    const options = trainOptions(kind).parse(plan.options);
    adversaryOf(options); // refuses what does not fit together
    const engine = await startChosen(engineChoice(plan.record, options), terminal);
    const { workload, model } = await created(kind, options, plan.options);
    const { stepsPerEpoch } = batchesOf(workload, options);
    const run = await beginRun(plan, { engine, version: version() });
    const summary = await inSession(
      run,
      {
        terminal,
        progress: progressOn(terminal),
        checkpointEvery: options.checkpointEvery,
        stepsPerEpoch,
      },
      (runner) => trainAndSave({ runner, run, options, training: plan.options, workload, model, startMs }),
    );
    print(terminal.stdout, runReport(summary, plan.folder));
  },
};

interface TrainJob {
  readonly runner: Runner;
  readonly run: RunFolder;
  readonly options: TrainOptions;
  /** Options of every training on the task, others beside them. */
  readonly training: unknown;
  readonly workload: Workload;
  readonly model: Model;
  readonly startMs: number;
}

async function trainAndSave({
  runner,
  run,
  options,
  training,
  workload,
  model,
  startMs,
}: TrainJob): Promise<Summary> {
  const { batchSize, duration, learningRate, seed } = options;
  const batches = batchesOf(workload, options);
  const task = workload.taskOf(model, training);
  const validate = scoreOn(workload.validation, batchSize);
  const { params, ledger, milestones } = await trainDense(runner, {
    phase: 'train',
    model,
    task,
    batches,
    optimization: options,
    duration,
    learningRate,
    seed,
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
  const summary: Summary = {
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
  disposeTree(params);
  await writeSummary(run.folder, summary);
  return summary;
}

/** every, 2·every, … up to the last; none for 0. */
function multiplesOf(every: number, last: number): number[] {
  return every === 0
    ? []
    : Array.from({ length: Math.floor(last / every) }, (_, index) => (index + 1) * every);
}
