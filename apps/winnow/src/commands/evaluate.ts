import {
  type Latency,
  type Scores,
  UserError,
  asDense,
  disposeTree,
  lendRunning,
  measureLatency,
  parseOptions,
} from '@winnow/core';
import {
  announceData,
  classOrderShape,
  type DataChoice,
  dataOfRun,
  engineShape,
  latencyOn,
  type OpenedModel,
  openModel,
  optimizationShape,
  pathOption,
  scoreOn,
  sizesOf,
  startChosen,
  workloadFor,
  zeroShotClassifier,
} from '@winnow/lab';
import { z } from 'zod';
import { count, milliseconds, scoreText, table } from '../terminal/report/format';
import { type Terminal, noteOn, print } from '../terminal/terminal';
import type { Command } from './command';

const evaluateOptions = z.object({
  data: pathOption('dataset')
    .optional()
    .describe('A dataset by name, or a folder; default: the data of the run'),
  images: pathOption('pictures')
    .min(1)
    .optional()
    .describe('Folder of the pictures that a captions file names'),
  split: z.enum(['test', 'validation', 'train']).default('test').describe('Which part of the data'),
  ...classOrderShape,
  batchSize: optimizationShape.batchSize,
  zeroShot: z
    .string()
    .optional()
    .describe('Of a dual encoder: tell classes apart by prompts like "a drawing of {}", separated by |'),
  ...engineShape,
  json: z.boolean().default(false).describe('For programs'),
});

const title = 'Options of evaluate';

export const evaluateCommand: Command = {
  name: 'evaluate',
  summary: 'Score a model on its task',
  positional: { name: 'model', description: 'A run, a model folder or a checkpoint', required: true },
  startsRun: false,
  groups: () => [{ title, schema: evaluateOptions }],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('evaluate: expected a model');
    const options = parseOptions(evaluateOptions, given, title);
    const { split, batchSize, json, zeroShot, classOrder } = options;
    const { data: spec, images } = options.data === undefined ? await dataOfRun(positional) : options;
    if (spec === undefined) throw new UserError(`evaluate: say with --data what to score ${positional} on`);
    await startChosen(options, noteOn(terminal));
    const opened = await openModel(positional);
    try {
      const choice = { data: spec, augmentation: 'none', preload: false } as const;
      const scoring = { split, batchSize, terminal };
      const result =
        zeroShot === undefined
          ? await onOwnTask(choice, opened, scoring, { images, classOrder })
          : await onClassNames(choice, opened, scoring, zeroShot);
      print(terminal.stdout, json ? JSON.stringify(result, undefined, 2) : evaluationText(result));
    } finally {
      disposeTree(opened.params);
    }
  },
};

interface Scoring {
  readonly split: 'test' | 'validation' | 'train';
  readonly batchSize: number;
  readonly terminal: Terminal;
}

async function onOwnTask(
  choice: DataChoice,
  opened: OpenedModel,
  { split, batchSize, terminal }: Scoring,
  options: unknown,
): Promise<Evaluation> {
  const { model, params } = opened;
  const workload = await workloadFor(asDense(opened).kind).open(choice, opened, options);
  announceData(workload, noteOn(terminal), [split]);
  workload.checkFit(model);
  const { parameters, macs } = model.account;
  return {
    data: workload.facts.name,
    split,
    examples: workload[split].size,
    scores: await lendRunning(model, params, (running, own) =>
      scoreOn(workload[split], batchSize)(workload.taskOf(running), own),
    ),
    parameters,
    macs,
    latency: await latencyOn(workload, model, params),
  };
}

async function onClassNames(
  choice: DataChoice,
  opened: OpenedModel,
  { split, batchSize, terminal }: Scoring,
  templates: string,
): Promise<Evaluation> {
  const { data, task, params } = await zeroShotClassifier(choice, opened, templates);
  announceData(
    { facts: { ...data, classes: data.classes.length, ...sizesOf(data) }, notesOn: () => data.notes },
    noteOn(terminal),
  );
  try {
    const { parameters, macs } = opened.model.account;
    return {
      data: data.name,
      split,
      examples: data[split].size,
      scores: await scoreOn(data[split], batchSize)(task, params),
      parameters,
      macs,
      latency: await measureLatency(task, params, await data.test.batch([0])),
    };
  } finally {
    disposeTree(params);
  }
}

interface Evaluation {
  readonly data: string;
  readonly split: string;
  readonly examples: number;
  readonly scores: Scores;
  readonly parameters: number;
  readonly macs: number;
  readonly latency: Latency;
}

function evaluationText({ data, split, examples, scores, parameters, macs, latency }: Evaluation): string {
  return table(
    ['', `${data}, ${split}`],
    [
      ['examples', String(examples)],
      ...Object.entries(scores).map(([name, value]) => [name, scoreText(name, value)]),
      ['parameters', count(parameters)],
      ['MACs', count(macs)],
      ['latency p50', milliseconds(latency.p50Ms)],
      ['latency p95', milliseconds(latency.p95Ms)],
    ],
  );
}
