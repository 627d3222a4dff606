import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, disposeTree, parseOptions } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { saveModel } from '@winnow/formats';
import { z } from 'zod';
import type { GivenOptions, OptionGroup } from '../options/group';
import { pathOption } from '../options/path';
import { checkpointShape } from './checkpoint-choices';
import { preprocessorOf, tokenizerFiles } from './companions';
import type { HubWatch } from '../hub/snapshot';
import { pinnedModel } from './hub-model';
import { type OpenedModel, openModel } from './open-model';
import { writeWhole } from './write-whole';

const importOptions = z.object({
  out: pathOption('output').min(1).optional().describe('The folder to write the model to'),
  ...checkpointShape,
});

/** The options of an import. */
export const importGroup = {
  title: 'Options of import',
  schema: importOptions,
} as const satisfies OptionGroup;

/** A checkpoint of others that has become a model folder. */
export interface ImportedCheckpoint extends Pick<OpenedModel, 'kind' | 'notes'> {
  readonly parameters: number;
  /** The model's folder. */
  readonly out: string;
}

/**
 * Turns a Hugging Face, timm or open_clip checkpoint into a model folder.
 * @param named A folder, a safetensors file, or a model of the Hub.
 * @param given Options of `importGroup`; `out` must be among them.
 * @throws {UserError} when there is no checkpoint, or the folder is taken. @throws {FormatError} when it cannot be read.
 */
export async function importCheckpoint(
  named: string,
  given: GivenOptions,
  watch: HubWatch = {},
): Promise<ImportedCheckpoint> {
  const { out, ...checkpoint } = parseOptions(importOptions, given, importGroup.title);
  if (out === undefined) throw new UserError('import: say with --out where the model should go');
  if (existsSync(join(out, 'structure.json')))
    throw new UserError(`${out} already holds a model: choose another folder with --out, or remove it`);
  const path = await pinnedModel(named, watch);
  // Weights only pass through: the engine that is always there will do.
  await startEngine('wasm');
  const opened = await openModel(path, checkpoint);
  const { kind, model, params, classNames, notes } = opened;
  try {
    const companions = { ...(await tokenizerFiles(opened)), ...preprocessorOf(opened) };
    const origin = { from: path };
    await writeWhole(out, (folder) => saveModel(folder, { model, params, classNames, origin, companions }));
  } finally {
    disposeTree(params);
  }
  return { kind, notes, parameters: model.account.parameters, out };
}
