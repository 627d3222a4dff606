import { UserError, parseOptions } from '@winnow/core';
import { checkWritable } from '@winnow/formats';
import {
  type PlannedModel,
  type PlannedPoint,
  planFileShape,
  planGroup,
  planModel,
  writePlan,
} from '@winnow/lab';
import { count, milliseconds, percent, table, times } from '../terminal/report/format';
import { noteOn, print } from '../terminal/terminal';
import type { Command } from './command';
import { jsonShape } from './json';

const { title } = planGroup;
const planOptions = planGroup.schema.extend({ ...jsonShape, ...planFileShape });

export const planCommand: Command = {
  name: 'plan',
  summary:
    'How small a model can be made without training: sizes, latencies and expected scores of every budget',
  positional: {
    name: 'model',
    description: 'A run, a model folder or a checkpoint, or hf:owner/name',
    required: true,
  },
  startsRun: false,
  groups: () => [{ title, schema: planOptions }],
  run: async ({ given, positional, resume, commandLine, terminal }) => {
    if (positional === undefined) throw new UserError('plan: expected a model');
    const { json, page } = parseOptions(planOptions, given, title);
    const { json: _json, page: _page, ...options } = given;
    if (page !== undefined) await checkWritable(page);
    const { signal } = terminal;
    const plan = await planModel(positional, { ...options, resume }, { note: noteOn(terminal), signal });
    print(terminal.stdout, json ? JSON.stringify(plan, undefined, 2) : planText(plan));
    if (page === undefined) return;
    await writePlan(page, plan, commandLine);
    print(terminal.stderr, `The page is ${page}`);
  },
};

function planText(plan: PlannedModel): string {
  const { dense, front, built, metric, split, examples, budgetUnit, latencyOff } = plan;
  const score = (scores: Readonly<Record<string, number>>): string =>
    (scores[metric] ?? Number.NaN).toFixed(2);
  const latency = (value: number | null): string => (value === null ? '' : milliseconds(value));
  const lines = [
    table(
      [`kept of ${budgetUnit}`, 'parameters', 'smaller', 'MACs', 'latency', `expected ${metric}`],
      front.map((point) => [
        percent(point.keep),
        count(point.parameters),
        times(dense.parameters / point.parameters),
        count(point.macs),
        latency(point.latencyMs),
        expectedText(point),
      ]),
    ),
    `Built, reconstructed and scored on ${split} (${examples} examples), without training:`,
    table(
      ['', 'parameters', 'MACs', 'latency', 'measured', 'dense beside it', metric],
      [
        [
          'dense',
          count(dense.parameters),
          count(dense.macs),
          latency(dense.latencyMs),
          '',
          '',
          score(dense.scores),
        ],
        ...built.map(({ keep, parameters, macs, latencyMs, measuredMs, denseMs, scores }) => [
          percent(keep),
          count(parameters),
          count(macs),
          latency(latencyMs),
          latency(measuredMs),
          latency(denseMs),
          score(scores),
        ]),
      ],
    ),
    ...(latencyOff === null
      ? []
      : [`Predicted latencies are up to ${(100 * latencyOff).toFixed(0)} % off those measured.`]),
  ];
  return lines.join('\n');
}

/** Nothing where no model as small was built. */
const expectedText = ({ expected }: PlannedPoint): string =>
  expected === null ? '' : `${expected.score.toFixed(1)} ± ${expected.plusMinus.toFixed(1)}`;
