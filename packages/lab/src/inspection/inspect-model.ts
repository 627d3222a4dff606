import {
  type Decision,
  type Model,
  UserError,
  disposeTree,
  parseOptions,
  visionTransformer,
  visionTransformerConfig,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { z } from 'zod';
import type { HubWatch } from '../hub/snapshot';
import { pinnedModel } from '../model-source/hub-model';
import { openModel } from '../model-source/open-model';
import { type GivenOptions, type OptionGroup, kebab } from '../options/group';
import { pictureSizeOption } from '../options/picture-size';
import { models } from '../workload/sizes';
import { type Inspection, inspectionOf } from './inspection';

const inspectOptions = z.object({
  imageSize: pictureSizeOption(Infinity)
    .default(224)
    .describe('Of a size by name: side of the pictures, in pixels, or height x width'),
  patchSize: z.int().positive().default(16).describe('Of a size by name: side of a patch, in pixels'),
  classes: z.int().positive().default(1000).describe('Of a size by name: how many classes'),
  distillation: z
    .enum(['none', 'token', 'head'])
    .default('none')
    .describe("Of a size by name: DeiT's distillation token, alone or with its own classifier"),
});
type InspectOptions = z.output<typeof inspectOptions>;

/** The options of an inspection. */
export const inspectGroup = {
  title: 'Options of inspect',
  schema: inspectOptions,
} as const satisfies OptionGroup;

/** A model without its parameters, and what there is to say of it. */
export interface InspectedModel {
  readonly model: Model;
  readonly inspection: Inspection;
  /** Notes on how a checkpoint of others was read, one line each. */
  readonly notes: readonly string[];
}

/**
 * Looks into a model: its parameters, multiply–accumulates and sites, and what a compression kept of it.
 * @param nameOrPath A run, a model folder, a checkpoint, a model of the Hub, or a size by name.
 * @param given Options of `inspectGroup`.
 * @throws {UserError} when there is no such model, or options are about a new one. @throws {FormatError} when its files are corrupt.
 */
export async function inspectModel(
  nameOrPath: string,
  given: GivenOptions = {},
  watch: HubWatch = {},
): Promise<InspectedModel> {
  const options = parseOptions(inspectOptions, given, inspectGroup.title);
  const [idle] = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (idle !== undefined && !models.some((name) => name === nameOrPath))
    throw new UserError(
      `--${kebab(idle)} is about a size by name (${models.join(', ')}), and ${nameOrPath} is a model that there is: leave it out`,
    );
  const { model, decision, notes } = await modelAt(nameOrPath, options, watch);
  return { model, inspection: inspectionOf(model, decision), notes };
}

async function modelAt(
  nameOrPath: string,
  options: InspectOptions,
  watch: HubWatch,
): Promise<{ model: Model; decision: Decision | undefined; notes: readonly string[] }> {
  const preset = models.find((name) => name === nameOrPath);
  if (preset !== undefined) {
    return { model: visionModel(preset, options), decision: undefined, notes: [] };
  }
  const pinned = await pinnedModel(nameOrPath, watch);
  // Weights are only checked here, not used: the engine that is always there will do.
  await startEngine('wasm');
  const { model, params, decision, notes } = await openModel(pinned);
  disposeTree(params);
  return { model, decision, notes };
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
