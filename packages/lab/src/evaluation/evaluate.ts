import {
  type Latency,
  type Scores,
  UserError,
  asDense,
  disposeTree,
  lendRunning,
  measureLatency,
  parseOptions,
  segmenterFamily,
} from '@winnow/core';
import { z } from 'zod';
import { imageSizeShape, mergingChoices, mergingShape } from '../model-source/checkpoint-choices';
import { pinnedModel } from '../model-source/hub-model';
import { type OpenedModel, openModel } from '../model-source/open-model';
import type { GivenOptions, OptionGroup } from '../options/group';
import { pathOption } from '../options/path';
import { type DataChoice, engineShape, optimizationShape } from '../options/training';
import { regionsShape } from '../regions/options';
import { startChosen } from '../run/engine';
import { choicesOfRun } from '../run-folder/record';
import { type RunData, dataOfRun, dividedOtherwise, readingOfRun } from '../run-folder/run-data';
import { scoreOn } from '../training/data';
import { latencyOn } from '../training/latency';
import { announceData } from '../workload/announce';
import { workloadFor } from '../workload/choice';
import { classOrderShape } from '../workload/class-order';
import type { PictureChoice } from '../workload/classification';
import { labelledOf, labelledShape } from '../workload/pictures-read';
import { refuseIdle } from '../workload/idle-options';
import { looksShape } from '../workload/segmentation';
import { type WorkloadKind, sizesOf } from '../workload/workload';
import { zeroShotClassifier } from '../workload/zero-shot';

const evaluateOptions = z.object({
  data: pathOption('dataset')
    .optional()
    .describe('A dataset by name, or a folder or a table; default: the data of the run'),
  ...labelledShape,
  split: z.enum(['test', 'validation', 'train']).default('test').describe('Which part of the data'),
  ...classOrderShape,
  ...looksShape,
  ...regionsShape,
  ...imageSizeShape,
  ...mergingShape,
  batchSize: optimizationShape.batchSize,
  zeroShot: z
    .string()
    .optional()
    .describe('Of a dual encoder: tell classes apart by prompts like "a drawing of {}", separated by |'),
  ...engineShape,
});

/** The options of an evaluation. */
export const evaluateGroup = {
  title: 'Options of evaluate',
  schema: evaluateOptions,
} as const satisfies OptionGroup;

/** The scores of a model on a split of its data, with its sizes and how long one example takes. */
export interface Evaluation {
  readonly data: string;
  readonly split: string;
  readonly examples: number;
  readonly scores: Scores;
  readonly parameters: number;
  readonly macs: number;
  readonly latency: Latency;
}

/**
 * Scores a model on its task, or as a classifier by the names of the classes.
 * @param named A run, a model folder or a checkpoint, or a model of the Hub.
 * @param given Options of `evaluateGroup`.
 * @param note Told a line at a time what is found.
 * @param signal Stops the fetching of a model.
 * @throws {UserError} when nothing says which data, or they do not fit the model.
 */
export async function evaluateModel(
  named: string,
  given: GivenOptions = {},
  note: (line: string) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const options = parseOptions(evaluateOptions, given, evaluateGroup.title);
  const { split, batchSize, zeroShot, classOrder, multiScale, imageSize } = options;
  const path = await pinnedModel(named, { note, signal });
  const own: RunData | undefined =
    options.data === undefined ? await dataOfRun(path) : await readingOfRun(path, options.data);
  const { data: spec, ...read } = { ...own, ...options };
  if (spec === undefined) throw new UserError(`evaluate: say with --data what to score ${path} on`);
  for (const line of own === undefined ? [] : dividedOtherwise(path, own, options)) note(line);
  await startChosen(options, note);
  const opened = await openModel(path, {
    ...mergingChoices(options),
    ...(imageSize === undefined ? {} : { imageSize }),
  });
  for (const line of opened.notes) note(`${path}: ${line}`);
  try {
    if (multiScale === true && !segmenterFamily.holds(asDense(opened)))
      throw new UserError(`--multi-scale is for models that segment, and ${path} does not`);
    const choice = { data: spec, augmentation: 'none', preload: 'never' } as const;
    const scoring = { split, batchSize, note };
    const { task } = await choicesOfRun(path);
    const kind = workloadFor(asDense(opened).kind, task);
    refuseIdle(zeroShot === undefined ? kind : zeroShotKind, given);
    return zeroShot === undefined
      ? await onOwnTask(kind, choice, opened, scoring, { ...read, classOrder, multiScale })
      : await onClassNames({ ...choice, ...labelledOf(read) }, opened, scoring, zeroShot);
  } finally {
    disposeTree(opened.params);
  }
}

interface Scoring {
  readonly split: 'test' | 'validation' | 'train';
  readonly batchSize: number;
  note(line: string): void;
}

/** Classes by their names are read as a classifier's, and found by no order. */
const zeroShotKind = { name: '--zero-shot', dataShape: labelledShape, givenShape: {} };

async function onOwnTask(
  kind: WorkloadKind,
  choice: DataChoice,
  opened: OpenedModel,
  { split, batchSize, note }: Scoring,
  options: unknown,
): Promise<Evaluation> {
  const { model, params } = opened;
  const workload = await kind.open(choice, opened, options);
  await announceData(workload, note, [split]);
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
  choice: PictureChoice,
  opened: OpenedModel,
  { split, batchSize, note }: Scoring,
  templates: string,
): Promise<Evaluation> {
  const { data, task, params } = await zeroShotClassifier(choice, opened, templates);
  await announceData(
    {
      facts: { ...data, classes: data.classes.length, ...sizesOf(data) },
      notesOn: () => Promise.resolve(data.notes),
    },
    note,
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
