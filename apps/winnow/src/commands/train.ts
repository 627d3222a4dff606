import {
  type Model,
  type Runner,
  type TensorTree,
  disposeTree,
  durationOption,
  initialize,
  stepsIn,
} from '@winnow/core';
import { z } from 'zod';
import { checkpointChoices, checkpointShape } from '../model-source/checkpoint-choices';
import { withChoicesOfModel } from '../model-source/choices';
import { digestOf, weightBytes } from '../model-source/open-model';
import { saveTrained } from '../model-source/save-trained';
import { type Start, fateOfHead, originOn, startFrom } from '../model-source/start';
import type { GivenOptions, OptionGroup } from '../options/group';
import { pathOption } from '../options/path';
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
import { planRun, shortName } from '../run-folder/plan-run';
import { type RunFolder, beginRun } from '../run-folder/run-folder';
import { type Summary, commonSummary, finishedSummary, writeSummary } from '../run-folder/summary';
import { remarked } from '../report/remarks';
import { type Terminal, print } from '../terminal/terminal';
import { batchesOf, scoreOn } from '../training/data';
import { latencyOn } from '../training/latency';
import { trainOnTask } from '../training/on-task';
import { version } from '../version';
import { announceData } from '../workload/announce';
import { taskShape, workloadIn, workloadNamed } from '../workload/choice';
import { created } from '../workload/created';
import { type Workload, type WorkloadKind, headChoices } from '../workload/workload';
import type { Command, Invocation } from './command';
import { startChosen } from './engine';
import { inSession } from './run-session';

const shapeFor = ({ defaultData }: WorkloadKind) => ({
  from: pathOption('model')
    .min(1)
    .optional()
    .describe('Train on from a model that there is: run, model or checkpoint; without it, a new one'),
  ...taskShape,
  ...dataShape(defaultData, 'with --from a run: by default its data'),
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

/** Options of a training that starts from a model; the others have options that say what the new model is like. */
const givenShape = {
  head: z
    .enum(headChoices)
    .default('kept')
    .describe('Of the model of --from: its head goes on where it fits the data, or is drawn anew'),
  ...checkpointShape,
};
const givenOptions = z.object(givenShape);

const groupsOf = (kind: WorkloadKind, title: string, own: z.ZodRawShape): OptionGroup[] => [
  { title, schema: z.object({ ...shapeFor(kind), ...kind.dataShape, ...own, ...kind.trainingShape }) },
];

/** @throws {UserError} when the options name no task that there is. */
export function trainGroups(options: GivenOptions): readonly OptionGroup[] {
  const kind = workloadIn(options);
  return options['from'] === undefined
    ? groupsOf(kind, 'Options of train', kind.modelShape)
    : groupsOf(kind, 'Options of train --from', { ...givenShape, ...kind.givenShape });
}

export const trainCommand: Command = {
  name: 'train',
  summary: 'Train a DeiT on labelled pictures, or with a text tower on pictures and texts',
  startsRun: true,
  takesModelFor: 'any',
  groups: ({ task }) => {
    const kind = workloadNamed(task);
    return groupsOf(kind, 'Options of train', { ...givenShape, ...kind.givenShape, ...kind.modelShape });
  },
  run: async ({ given: asked, resume, terminal }: Invocation) => {
    const given = resume ? asked : await withChoicesOfModel('train', asked, 'any');
    const plan = await planRun({
      command: 'train',
      groupsFor: trainGroups,
      given,
      resume,
      nameOf: ({ data, model, from }) =>
        `train-${shortName(String(data))}-${shortName(String(from ?? model))}`,
    });
    const finished = await finishedSummary(plan.folder, (text) => {
      print(terminal.stderr, text);
    });
    if (finished !== undefined) {
      print(terminal.stdout, remarked(runReport(finished, plan.folder), plan.remarks));
      return;
    }
    for (const remark of plan.remarks) print(terminal.stderr, remark);
    const startMs = performance.now();
    const kind = workloadIn(plan.options);
    const options = trainOptions(kind).parse(plan.options);
    adversaryOf(options); // refuses what does not fit together
    const engine = await startChosen(engineChoice(plan.record, options), terminal);
    const start = await startOf(kind, options, plan.options, terminal);
    try {
      announceData(start.workload, terminal);
      const { stepsPerEpoch } = batchesOf(start.workload, options);
      const run = await beginRun(plan, { engine, version: version(), ...start.source });
      const { checkpointEvery } = options;
      const session = { terminal, progress: progressOn(terminal), checkpointEvery, stepsPerEpoch };
      const summary = await inSession(run, session, (runner) =>
        trainAndSave({ runner, run, options, training: plan.options, ...start, startMs }),
      );
      print(terminal.stdout, runReport(summary, plan.folder));
    } finally {
      disposeTree(start.params);
    }
  },
};

/** Loads what the training starts from: the seed's parameters, or those of a model; the caller owns them. */
async function startOf(
  kind: WorkloadKind,
  options: TrainOptions,
  own: GivenOptions,
  terminal: Terminal,
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
    terminal,
    checkpoint: checkpointChoices(own),
  });
  print(terminal.stderr, `${from}: ${fateOfHead(origin, head)}; nothing is frozen`);
  const start = await startFrom(origin, { seed, head });
  return { ...start, source: { sourceWeights: await digestOf(start.params) } };
}

interface TrainJob {
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

async function trainAndSave({
  runner,
  run,
  options,
  training,
  workload,
  model,
  params: start,
  startMs,
}: TrainJob): Promise<Summary> {
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
