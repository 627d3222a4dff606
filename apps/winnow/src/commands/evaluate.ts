import { UserError, parseOptions } from '@winnow/core';
import { type Evaluation, evaluateGroup, evaluateModel } from '@winnow/lab';
import { count, milliseconds, scoreText, table } from '../terminal/report/format';
import { noteOn, print } from '../terminal/terminal';
import type { Command } from './command';
import { jsonShape } from './json';

const { title } = evaluateGroup;
const evaluateOptions = evaluateGroup.schema.extend(jsonShape);

export const evaluateCommand: Command = {
  name: 'evaluate',
  summary: 'Score a model on its task',
  positional: {
    name: 'model',
    description: 'A run, a model folder or a checkpoint, or hf:owner/name',
    required: true,
  },
  startsRun: false,
  groups: () => [{ title, schema: evaluateOptions }],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('evaluate: expected a model');
    const { json } = parseOptions(evaluateOptions, given, title);
    const { json: _, ...options } = given;
    const result = await evaluateModel(positional, options, noteOn(terminal), terminal.signal);
    print(terminal.stdout, json ? JSON.stringify(result, undefined, 2) : evaluationText(result));
  },
};

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
