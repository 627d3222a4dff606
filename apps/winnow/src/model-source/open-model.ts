import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AnyModel,
  type Decision,
  type DenseConfig,
  type TensorTree,
  UserError,
  downloadTensor,
  entriesOf,
} from '@winnow/core';
import {
  type PictureNormalisation,
  checkpointKind,
  clipNormalisation,
  importModel,
  loadModel,
  modelFolderKind,
  readNormalisation,
} from '@winnow/formats';
import { recordIfAny } from '../run-folder/record';
import { resumeCommand } from '../run-folder/run-folder';

/** A model from disk; the caller owns its parameters. */
export type OpenedModel = AnyModel & {
  readonly decision: Decision | undefined;
  /** Names of its classes, in the order of its logits; undefined where nothing says them. */
  readonly classNames: readonly string[] | undefined;
  /** Size of the weights file. */
  readonly bytes: number;
  /** What the reader of the file wants to be known, one line each. */
  readonly notes: readonly string[];
  /** Of the tokenizer that stands beside it. */
  readonly tokenizerPath: string | undefined;
  /** What its pictures are normalised with; the data's own way where nothing says it. */
  readonly normalisation: PictureNormalisation | undefined;
};

/**
 * Opens the model of a run folder, a model folder, or a Hugging Face, timm or open_clip checkpoint.
 * @throws {UserError} when there is nothing, or the run has not finished.
 * @throws {FormatError} when the files are corrupt or describe another kind of model.
 */
export async function openModel(path: string): Promise<OpenedModel> {
  const saved = savedModelIn(path);
  if (saved !== undefined) {
    const { decision, ...loaded } = await loadModel(saved);
    return {
      ...loaded,
      decision,
      bytes: await weightBytes(saved),
      notes: [],
      tokenizerPath: tokenizerIn(saved),
      normalisation: await readNormalisation(saved),
    };
  }
  const record = await recordIfAny(path);
  if (record !== undefined) {
    throw new UserError(`the run in ${path} has not finished: ${resumeCommand(record.command, path)}`);
  }
  const { notes, leftOut, ...imported } = await importModel(path);
  const normalisation =
    (await readNormalisation(path)) ?? (imported.kind === 'dual-encoder' ? clipNormalisation : undefined);
  return {
    ...imported,
    decision: undefined,
    notes: [...notes, ...leftOut],
    tokenizerPath: tokenizerIn(path),
    normalisation,
  };
}

/**
 * Which kind of model there is at a path, told without reading its weights.
 * @throws {UserError} when there is nothing. @throws {FormatError} when the files are corrupt.
 */
export async function modelKindAt(path: string): Promise<DenseConfig['kind']> {
  const saved = savedModelIn(path);
  return saved === undefined ? checkpointKind(path) : modelFolderKind(saved);
}

/** The folder of a model that we saved, at a path or in a run's folder. @throws {UserError} when there is nothing. */
function savedModelIn(path: string): string | undefined {
  if (!existsSync(path)) throw new UserError(`there is no model or run at ${path}`);
  return [join(path, 'model'), path].find((folder) => existsSync(join(folder, 'structure.json')));
}

/** What a Hugging Face tokenizer may be made of. */
function tokenizerIn(folder: string): string | undefined {
  const file = join(folder, 'tokenizer.json');
  if (existsSync(file)) return file;
  return existsSync(join(folder, 'vocab.json')) ? folder : undefined;
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
  for (const [name, leaf] of entriesOf(params)) {
    const { shape, values } = await downloadTensor(leaf, name);
    hash.update(JSON.stringify([name, shape])).update(values);
  }
  return hash.digest('hex');
}
