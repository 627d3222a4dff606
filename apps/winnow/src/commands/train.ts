import {
  type ImageClassificationData,
  type Runner,
  type VisionTransformer,
  disposeTree,
  durationOption,
  parseOptions,
  stepsIn,
} from '@winnow/core';
import { saveModel } from '@winnow/formats';
import { z } from 'zod';
import { weightBytes } from '../model-source/open-model';
import {
  dataShape,
  denseTrainingShape,
  executionShape,
  modelShape,
  optimizationShape,
  outShape,
} from '../options/training';
import { progressOn } from '../progress/progress';
import { runReport } from '../report/run-report';
import { engineChoice } from '../run-folder/record';
import { type RunFolder, beginRun, planRun, shortName } from '../run-folder/run-folder';
import { type Summary, commonSummary, readSummary, writeSummary } from '../run-folder/summary';
import { print } from '../terminal/terminal';
import { batchesOf, openData, scoreOn, taskOn } from '../training/data';
import { newModel, trainDense } from '../training/dense';
import { latencyOn } from '../training/latency';
import { version } from '../version';
import type { Command, Invocation } from './command';
import { startChosen } from './engine';
import { inSession } from './run-session';

const trainOptions = z.object({
  ...dataShape,
  ...modelShape,
  ...denseTrainingShape,
  ...optimizationShape,
  evaluateEvery: durationOption
    .default('5ep')
    .describe('Steps between scores on the validation split; 0it for none'),
  ...executionShape,
  ...outShape,
});
type TrainOptions = z.output<typeof trainOptions>;

const title = 'Options of train';

const groups = () => [{ title, schema: trainOptions }];

export const trainCommand: Command = {
  name: 'train',
  summary: 'Train a DeiT on labelled pictures',
  startsRun: true,
  groups,
  run: async ({ given, resume, terminal }: Invocation) => {
    const plan = await planRun({
      command: 'train',
      groupsFor: groups,
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
    const options = parseOptions(trainOptions, plan.options, title);
    const engine = await startChosen(engineChoice(plan.record, options), terminal);
    const data = await openData(options, options.imageSize);
    const model = newModel(options, data);
    const { stepsPerEpoch } = batchesOf(data, options);
    const run = await beginRun(plan, { engine, version: version() });
    const summary = await inSession(
      run,
      {
        terminal,
        progress: progressOn(terminal),
        checkpointEvery: options.checkpointEvery,
        stepsPerEpoch,
      },
      (runner) => trainAndSave({ runner, run, options, data, model, startMs }),
    );
    print(terminal.stdout, runReport(summary, plan.folder));
  },
};

interface TrainJob {
  readonly runner: Runner;
  readonly run: RunFolder;
  readonly options: TrainOptions;
  readonly data: ImageClassificationData;
  readonly model: VisionTransformer;
  readonly startMs: number;
}

async function trainAndSave({ runner, run, options, data, model, startMs }: TrainJob): Promise<Summary> {
  const { batchSize, duration, learningRate, seed } = options;
  const batches = batchesOf(data, options);
  const task = taskOn(data, model, options.labelSmoothing);
  const validate = scoreOn(data.validation, batchSize);
  const { params, ledger, milestones } = await trainDense(runner, {
    phase: 'train',
    model,
    data,
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
  const scores = await scoreOn(data.test, batchSize)(task, params);
  runner.report({ kind: 'scores', phase: 'test', step: 0, scores });
  const origin = { run: run.record.hash, data: data.name, classes: data.classes };
  await saveModel(run.modelFolder, { model, params, origin });
  const summary: Summary = {
    command: 'train',
    ...commonSummary(run.record, data, task.metric),
    ledger: [ledger],
    model: {
      parameters: model.account.parameters,
      macs: model.account.macs,
      bytes: await weightBytes(run.modelFolder),
      latency: await latencyOn(data, model, params),
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
