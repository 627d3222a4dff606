import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  type AnyModel,
  type Decision,
  type DenseConfig,
  type HostTensor,
  type Json,
  type ModelConfig,
  type ParameterMasks,
  type ParameterSpec,
  type TensorTree,
  type Tree,
  anyModel,
  denseConfigOf,
  entriesOf,
  identityDecision,
  isMasked,
  mismatches,
  uploadEach,
} from '@winnow/core';
import { FormatError } from '../file/format-error';
import type { OpenFile } from '../file/open-file';
import { type Companions, writeCompanions } from '../file/companions';
import { type JsonFileFormat, readJson, readJsonIfThere, writeJson } from '../file/json-file';
import { listed } from '../file/listing';
import { hashing, openHashedIfThere } from '../file/sha256';
import { clearTemporaryFiles, makeFolder, renameDurably, writeAtomically } from '../file/write-atomically';
import { leafReader } from '../safetensors/leaf-reader';
import { safetensorsIn } from '../safetensors/open-safetensors';
import { streamSafetensors } from '../safetensors/safetensors';
import { sparseLayout, sparseReading, sparseWriting } from '../sparse/sparse-tensors';
import { checkClassNames, classNamesInOrigin } from './class-names';
import { specsOf } from './specs';
import { type StructureFile, isStoredMasked, structureFile } from './structure-file';

const WEIGHTS = 'model.safetensors';
/** Where new weights wait until the structure file names them. */
const NEXT_WEIGHTS = 'model.next.safetensors';
const STRUCTURE = 'structure.json';

/** It may hold the masks of a decision, a bit for each weight. */
const structureFormat: JsonFileFormat<StructureFile> = {
  schema: structureFile,
  what: 'the structure of a model',
  mostBytes: 2 ** 28,
};

export interface SavedModel {
  readonly model: { readonly config: ModelConfig; readonly specs: Tree<ParameterSpec> };
  readonly params: TensorTree;
  /** Names of a classifier's classes, in the order of its logits. */
  readonly classNames?: readonly string[] | undefined;
  /** How the model was cut, if it was. */
  readonly decision?: Decision;
  /** Where it came from: plain data, kept as it is. */
  readonly origin?: Json;
  readonly companions?: Companions;
}

/** A model with its parameters, which the caller owns, and what else its folder says. */
export type LoadedModel = AnyModel & {
  readonly decision?: Decision;
  /** Names of its classes, in the order of its logits; undefined where nothing says them. */
  readonly classNames: readonly string[] | undefined;
  readonly origin?: Json;
};

/**
 * Writes a model as `model.safetensors` and `structure.json`, and makes the folder if need be.
 *
 * Two files cannot be replaced at once, so the structure file is the moment of truth: it holds the SHA-256 of its
 * weights. New weights are first written beside the old ones as `model.next.safetensors`, then the structure file is
 * replaced, then the weights take their place. `loadModel` takes whichever of the two weights files the structure file
 * names; so a crash before its replacement leaves the old model whole, and a crash after it the new one. Companions come
 * before the structure file: a model without them would be loaded, and be another one.
 * @throws {RangeError} when the parameters or the class names do not fit the model; nothing is written then.
 * @throws {FormatError} when the disk is full or the folder may not be written; the model in the folder stays whole.
 */
export async function saveModel(
  folder: string,
  { model, params, classNames, decision, origin, companions = {} }: SavedModel,
): Promise<void> {
  const leaves = new Map(entriesOf(params));
  const wrong = mismatches(entriesOf(model.specs), leaves);
  for (const [path, { dtype }] of leaves) {
    if (dtype !== 'float32') wrong.push(`${path}: expected float32, got ${dtype}`);
  }
  if (wrong.length > 0) throw new RangeError(`the tensors do not fit the model:\n  ${wrong.join('\n  ')}`);

  checkClassNames(denseConfigOf(model), classNames);

  await makeFolder(folder);
  await clearTemporaryFiles(folder);
  await settle(folder);
  await writeCompanions(folder, companions);
  const { config } = model;
  const masks = isMasked(config) ? config.masks : {};
  const weights = await writeWeights(join(folder, NEXT_WEIGHTS), params, masks);
  const structure: StructureFile = {
    version: 1,
    weights,
    model: isMasked(config) ? { kind: config.kind, model: config.model } : config,
    ...(classNames === undefined ? {} : { classNames }),
    ...(decision === undefined ? {} : decisionFields(config, decision)),
    ...(origin === undefined ? {} : { origin }),
  };
  try {
    await writeJson(join(folder, STRUCTURE), structure, structureFormat);
  } catch (error) {
    await settle(folder).catch(() => undefined); // What went wrong first is what there is to tell.
    throw error;
  }
  await renameDurably(join(folder, NEXT_WEIGHTS), join(folder, WEIGHTS));
}

/** One tensor after another is fetched and written; all of them at once would take the memory of the model again. */
async function writeWeights(
  file: string,
  params: TensorTree,
  masks: ParameterMasks,
): Promise<StructureFile['weights']> {
  const described = entriesOf(params).map(
    ([path, { shape }]) => [path, { dtype: 'float32', shape }] as const,
  );
  const writing = sparseWriting(described, leafReader(params), masks);
  const content = streamSafetensors(writing.described, writing.read, { format: 'winnow' });
  const hash = createHash('sha256');
  await writeAtomically(file, hashing(content, hash));
  return { sha256: hash.digest('hex'), bytes: content.bytes };
}

/**
 * Reads a model that `saveModel` wrote.
 * @throws {FormatError} naming the file: missing, corrupt, of another version, weights that belong to another
 * structure file, or tensors that are missing, extra or misshapen, by name.
 */
export async function loadModel(folder: string): Promise<LoadedModel> {
  const file = join(folder, STRUCTURE);
  const structure = await readJson(file, structureFormat);
  const classNames = classNamesIn(structure, file);
  const weights = await weightsOf(folder, structure);
  try {
    const { model } = structure;
    const dense = isStoredMasked(model) ? model.model : model;
    const stored = await safetensorsIn(weights);
    const specs = specsOf(dense, stored, file);
    // Only the matrices of a masked model may be stored sparse.
    const maskable = isStoredMasked(model) ? specs : [];
    const shapes = new Map(maskable.map(([path, { shape }]) => [path, shape]));
    const layout = sparseLayout(stored.entries, shapes);
    checkTensors(layout.described, specs, { file: weights.file, structure: file });
    const { masks, tensors } = await sparseReading(stored, layout);
    const config: ModelConfig = isStoredMasked(model) ? { ...model, masks } : model;
    return {
      ...anyModel(config, await uploadEach(tensors())),
      classNames,
      ...(structure.decision === undefined ? {} : { decision: decisionIn(structure, config) }),
      ...(structure.origin === undefined ? {} : { origin: structure.origin }),
    };
  } finally {
    await weights.close();
  }
}

/**
 * Which kind of model a folder holds, without its masks if it has some; only its structure file is read.
 * @throws {FormatError} when the structure file is missing or corrupt.
 */
export async function modelFolderKind(folder: string): Promise<DenseConfig['kind']> {
  const file = join(folder, STRUCTURE);
  const { model } = await readJson(file, structureFormat);
  return isStoredMasked(model) ? model.model.kind : model.kind;
}

/** @throws {FormatError} when there are not as many as classes. */
function classNamesIn(
  { model, classNames, origin }: StructureFile,
  file: string,
): readonly string[] | undefined {
  const config = isStoredMasked(model) ? model.model : model;
  try {
    checkClassNames(config, classNames);
  } catch (error) {
    throw new FormatError(`${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return classNames ?? classNamesInOrigin(config, origin);
}

/** A decision whose masks are those of the model stands without them: the weights file has them. */
function decisionFields(
  config: ModelConfig,
  { masks, ...rest }: Decision,
): Pick<StructureFile, 'decision' | 'decidedMasks'> {
  if (masks === undefined) return { decision: rest };
  const isStored = isMasked(config) && isDeepStrictEqual(masks, config.masks);
  return isStored ? { decision: rest, decidedMasks: 'as stored' } : { decision: { ...rest, masks } };
}

function decisionIn(
  { decision = identityDecision, decidedMasks }: StructureFile,
  config: ModelConfig,
): Decision {
  return decidedMasks !== undefined && isMasked(config) ? { ...decision, masks: config.masks } : decision;
}

function checkTensors(
  stored: ReadonlyMap<string, Pick<HostTensor, 'dtype' | 'shape'>>,
  specs: readonly (readonly [path: string, spec: ParameterSpec])[],
  { file, structure }: { readonly file: string; readonly structure: string },
): void {
  const wrong = mismatches(specs, stored);
  for (const [name, { dtype }] of stored) {
    if (dtype !== 'float32') wrong.push(`${name}: expected float32, got ${dtype}`);
  }
  if (wrong.length > 0) {
    throw new FormatError(`${file}: the tensors do not fit ${structure}:${listed(wrong)}`);
  }
}

/**
 * The weights that the structure file names, wherever a crash has left them; the caller closes them. They are read
 * through the handle that was checked: a save meanwhile puts another file in their place.
 */
async function weightsOf(folder: string, { weights }: StructureFile): Promise<OpenFile> {
  const places = [WEIGHTS, NEXT_WEIGHTS].map((name) => join(folder, name));
  const got: string[] = [];
  for (const place of places) {
    const found = await openHashedIfThere(place);
    if (found?.sha256 === weights.sha256) return found.opened;
    got.push(found === undefined ? 'no such file' : `${found.opened.size} bytes with ${found.sha256}`);
    await found?.opened.close();
  }
  throw new FormatError(
    `${places[0]}: expected the weights that ${STRUCTURE} names, ${weights.bytes} bytes with SHA-256 ${weights.sha256}, ` +
      `got ${got[0]}; the file is damaged or comes from another model: copy both files again`,
  );
}

/**
 * Ends a save that was cut short. Waiting weights that the structure file names take their place: they are the only
 * copy. Others never came to count and are removed.
 */
async function settle(folder: string): Promise<void> {
  const waiting = join(folder, NEXT_WEIGHTS);
  const found = await openHashedIfThere(waiting);
  if (found === undefined) return;
  await found.opened.close();
  const file = join(folder, STRUCTURE);
  const named = (await readJsonIfThere(file, structureFormat))?.weights.sha256;
  if (named === found.sha256) await renameDurably(waiting, join(folder, WEIGHTS));
  else await rm(waiting);
}
