import { type DenseConfig, type Model, UserError, denseConfigOf, familyOf, parseOptions } from '@winnow/core';
import { type Inspection, inspectGroup, inspectModel, models } from '@winnow/lab';
import { bytes, count } from '../terminal/report/format';
import { accountReport, keptReport, sitesReport, sparsityReport } from '../terminal/report/model-report';
import { print, watchOn } from '../terminal/terminal';
import type { Command } from './command';
import { jsonShape } from './json';

const { title } = inspectGroup;
const inspectOptions = inspectGroup.schema.extend(jsonShape);

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Parameters, MACs and sites of a model, and what a compression kept of it',
  positional: {
    name: 'model',
    description: `A run, a model folder, a checkpoint, hf:owner/name, or a size: ${models.join(', ')}`,
    required: true,
  },
  startsRun: false,
  groups: () => [{ title, schema: inspectOptions }],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('inspect: expected a model');
    const { json } = parseOptions(inspectOptions, given, title);
    const { json: _, ...own } = given;
    const { model, inspection, notes } = await inspectModel(positional, own, watchOn(terminal));
    for (const note of notes) print(terminal.stderr, `${positional}: ${note}`);
    print(
      terminal.stdout,
      json ? JSON.stringify(inspection, undefined, 2) : inspectionText(model, inspection),
    );
  },
};

const summaryOf = (config: DenseConfig): string => familyOf(config).summary(config);

function inspectionText(model: Model, inspection: Inspection): string {
  const sections = [
    `${inspection.masks.length === 0 ? '' : 'Single weights are masked: '}${summaryOf(denseConfigOf(model))}`,
    accountReport(model.account),
    ...(model.sites.length === 0
      ? []
      : [
          `Sites, with ${count(inspection.compressibleParameters)} compressible parameters:`,
          sitesReport(model.sites),
        ]),
    ...(inspection.kept.length === 0 ? [] : ['Kept of the dense model:', keptReport(inspection.kept)]),
    ...(inspection.masks.length === 0
      ? []
      : [
          `Weights left of each matrix; stored in ${bytes(inspection.storedBytes)}, computed as the dense model:`,
          sparsityReport(inspection.masks),
        ]),
  ];
  return sections.join('\n');
}
