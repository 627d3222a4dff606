import { type Latency, type Scores, UserError, disposeTree, parseOptions } from '@winnow/core';
import { z } from 'zod';
import { openModel } from '../model-source/open-model';
import { engineShape, optimizationShape } from '../options/training';
import { count, milliseconds, scoreText, table } from '../report/format';
import { recordIfAny } from '../run-folder/record';
import { print } from '../terminal/terminal';
import { checkFit, openData, scoreOn, taskOn } from '../training/data';
import { latencyOn } from '../training/latency';
import type { Command } from './command';
import { startChosen } from './engine';

const evaluateOptions = z.object({
  data: z.string().optional().describe('A dataset by name, or a folder; default: the data of the run'),
  split: z.enum(['test', 'validation', 'train']).default('test').describe('Which part of the data'),
  batchSize: optimizationShape.batchSize,
  ...engineShape,
  json: z.boolean().default(false).describe('For programs'),
});

const title = 'Options of evaluate';
const recordedOptions = z.looseObject({ data: z.string().optional() });

export const evaluateCommand: Command = {
  name: 'evaluate',
  summary: 'Score a model on labelled pictures',
  positional: { name: 'model', description: 'A run, a model folder or a checkpoint', required: true },
  startsRun: false,
  groups: () => [{ title, schema: evaluateOptions }],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('evaluate: expected a model');
    const options = parseOptions(evaluateOptions, given, title);
    const { data: named, split, batchSize, json } = options;
    const spec = named ?? (await dataOfRun(positional));
    if (spec === undefined) throw new UserError(`evaluate: say with --data what to score ${positional} on`);
    await startChosen(options, terminal);
    const { model, params } = await openModel(positional);
    try {
      const data = await openData(
        { data: spec, augmentation: 'none', preload: false },
        model.config.imageSize,
      );
      checkFit(model, data);
      const scores = await scoreOn(data[split], batchSize)(taskOn(data, model), params);
      const latency = await latencyOn(data, model, params);
      const { parameters, macs } = model.account;
      const result = {
        data: data.name,
        split,
        examples: data[split].size,
        scores,
        parameters,
        macs,
        latency,
      };
      print(terminal.stdout, json ? JSON.stringify(result, undefined, 2) : evaluationText(result));
    } finally {
      disposeTree(params);
    }
  },
};

async function dataOfRun(path: string): Promise<string | undefined> {
  const record = await recordIfAny(path);
  return record === undefined ? undefined : recordedOptions.parse(record.options).data;
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
      ['pictures', String(examples)],
      ...Object.entries(scores).map(([name, value]) => [name, scoreText(name, value)]),
      ['parameters', count(parameters)],
      ['MACs', count(macs)],
      ['latency p50', milliseconds(latency.p50Ms)],
      ['latency p95', milliseconds(latency.p95Ms)],
    ],
  );
}
