import { type Decision, type VisionTransformer, UserError, disposeTree, parseOptions } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { z } from 'zod';
import { type Inspection, inspectionOf } from '../inspection/inspection';
import { openModel } from '../model-source/open-model';
import { modelShape } from '../options/training';
import { count } from '../report/format';
import { accountReport, keptReport, sitesReport } from '../report/model-report';
import { models } from '../table';
import { print } from '../terminal/terminal';
import { newModel } from '../training/dense';
import type { Command } from './command';

const CHANNELS = 3;

const inspectOptions = z.object({
  imageSize: z.int().positive().default(224).describe('Of a size by name: side of the pictures, in pixels'),
  patchSize: z.int().positive().default(16).describe('Of a size by name: side of a patch, in pixels'),
  classes: z.int().positive().default(1000).describe('Of a size by name: how many classes'),
  distillation: modelShape.distillation,
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
): Promise<{ model: VisionTransformer; decision: Decision | undefined }> {
  const preset = models.find((name) => name === nameOrPath);
  if (preset !== undefined) {
    const classes = Array.from({ length: options.classes }, (_, index) => String(index));
    const model = newModel({ ...options, model: preset }, { channels: CHANNELS, classes });
    return { model, decision: undefined };
  }
  // Weights are only checked here, not used: the engine that is always there will do.
  await startEngine('wasm');
  const { model, params, decision } = await openModel(nameOrPath);
  disposeTree(params);
  return { model, decision };
}

function inspectionText(model: VisionTransformer, inspection: Inspection): string {
  const { imageSize, patchSize, classes, tower } = model.config;
  const sections = [
    `DeiT of ${tower.blocks.length} layers, width ${tower.embedDim}, ${tower.heads} heads; ` +
      `pictures of ${imageSize} px in patches of ${patchSize} px; ${classes} classes`,
    accountReport(model.account),
    `Sites, with ${count(inspection.compressibleParameters)} compressible parameters:`,
    sitesReport(model.sites),
    ...(inspection.kept.length === 0 ? [] : ['Kept of the dense model:', keptReport(inspection.kept)]),
  ];
  return sections.join('\n');
}
