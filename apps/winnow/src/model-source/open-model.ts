import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Decision,
  type TensorTree,
  UserError,
  type VisionTransformer,
  type VisionTransformerParams,
  downloadTree,
} from '@winnow/core';
import { importVisionTransformer, loadModel } from '@winnow/formats';
import { recordIfAny } from '../run-folder/record';
import { resumeCommand } from '../run-folder/run-folder';

/** A model from disk. */
export interface OpenedModel {
  readonly model: VisionTransformer;
  /** The caller owns them. */
  readonly params: VisionTransformerParams;
  readonly decision: Decision | undefined;
  /** Size of the weights file. */
  readonly bytes: number;
  /** What the reader of the file wants to be known, one line each. */
  readonly notes: readonly string[];
}

/**
 * Opens the model of a run folder, a model folder, or a Hugging Face or timm checkpoint.
 * @throws {UserError} when there is nothing, or the run has not finished.
 * @throws {FormatError} when the files are corrupt or describe another kind of model.
 */
export async function openModel(path: string): Promise<OpenedModel> {
  if (!existsSync(path)) throw new UserError(`there is no model or run at ${path}`);
  const saved = [join(path, 'model'), path].find((folder) => existsSync(join(folder, 'structure.json')));
  if (saved !== undefined) {
    const { kind, model, params, decision } = await loadModel(saved);
    if (kind !== 'vision-transformer')
      throw new UserError(`expected a vision transformer in ${saved}, got ${kind}`);
    return { model, params, decision, bytes: await weightBytes(saved), notes: [] };
  }
  const record = await recordIfAny(path);
  if (record !== undefined) {
    throw new UserError(`the run in ${path} has not finished: ${resumeCommand(record.command, path)}`);
  }
  const { model, params, leftOut } = await importVisionTransformer(path);
  return { model, params, decision: undefined, bytes: await weightBytes(path), notes: leftOut };
}

/** Size of the weights file in a model folder, or of the file itself. */
export async function weightBytes(path: string): Promise<number> {
  const inside = join(path, 'model.safetensors');
  const { size } = await stat(existsSync(inside) ? inside : path);
  return size;
}

/** SHA-256 of all parameters with their names. */
export async function digestOf(params: TensorTree): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, { shape, values }] of await downloadTree(params)) {
    hash.update(JSON.stringify([name, shape])).update(values);
  }
  return hash.digest('hex');
}
