import {
  type Decision,
  type DenseConfig,
  type Model,
  UserError,
  denseConfigOf,
  disposeTree,
  parseOptions,
  visionTransformer,
  visionTransformerConfig,
  familyOf,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type Inspection, inspectionOf, models, openModel } from '@winnow/lab';
import { z } from 'zod';
import { bytes, count } from '../terminal/report/format';
import { accountReport, keptReport, sitesReport, sparsityReport } from '../terminal/report/model-report';
import { print } from '../terminal/terminal';
import type { Command } from './command';

const inspectOptions = z.object({
  imageSize: z.int().positive().default(224).describe('Of a size by name: side of the pictures, in pixels'),
  patchSize: z.int().positive().default(16).describe('Of a size by name: side of a patch, in pixels'),
  classes: z.int().positive().default(1000).describe('Of a size by name: how many classes'),
  distillation: z
    .enum(['none', 'token', 'head'])
    .default('none')
    .describe("Of a size by name: DeiT's distillation token, alone or with its own classifier"),
  json: z.boolean().default(false).describe('For programs'),
});
type InspectOptions = z.output<typeof inspectOptions>;

const title = 'Options of inspect';

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Parameters, MACs and sites of a model, and what a compression kept of it',
  positional: {
    name: 'model',
    description: `A run, a model folder, a checkpoint, or a size: ${models.join(', ')}`,
    required: true,
  },
  startsRun: false,
  groups: () => [{ title, schema: inspectOptions }],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('inspect: expected a model');
    const options = parseOptions(inspectOptions, given, title);
    const { model, decision } = await modelAt(positional, options);
    const inspection = inspectionOf(model, decision);
    print(
      terminal.stdout,
      options.json ? JSON.stringify(inspection, undefined, 2) : inspectionText(model, inspection),
    );
  },
};

async function modelAt(
  nameOrPath: string,
  options: InspectOptions,
): Promise<{ model: Model; decision: Decision | undefined }> {
  const preset = models.find((name) => name === nameOrPath);
  if (preset !== undefined) {
    return { model: visionModel(preset, options), decision: undefined };
  }
  // Weights are only checked here, not used: the engine that is always there will do.
  await startEngine('wasm');
  const { model, params, decision } = await openModel(nameOrPath);
  disposeTree(params);
  return { model, decision };
}

function visionModel(preset: (typeof models)[number], options: InspectOptions): Model {
  const { imageSize, patchSize, classes, distillation } = options;
  try {
    return visionTransformer(
      visionTransformerConfig(preset, { imageSize, patchSize, classes, distillation }),
    );
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(error.message);
    throw error;
  }
}

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
