import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AnyModel,
  type Decision,
  type Json,
  type ModelConfig,
  type ParameterSpec,
  type TensorTree,
  type Tree,
  anyModel,
  downloadTree,
  entriesOf,
  mismatches,
  modelOf,
} from '@winnow/core';
import { FormatError } from '../file/format-error';
import { parseJson, readBytes, readBytesIfThere } from '../file/read-file';
import { makeFolder, renameDurably, writeAtomically } from '../file/write-atomically';
import { decodeSafetensors, safetensorsPieces } from '../safetensors/safetensors';
import { type StructureFile, structureFile } from './structure-file';

const WEIGHTS = 'model.safetensors';
/** Where new weights wait until the structure file names them. */
const NEXT_WEIGHTS = 'model.next.safetensors';
const STRUCTURE = 'structure.json';

export interface SavedModel {
  readonly model: { readonly config: ModelConfig; readonly specs: Tree<ParameterSpec> };
  readonly params: TensorTree;
  /** How the model was cut, if it was. */
  readonly decision?: Decision;
  /** Where it came from: plain data, kept as it is. */
  readonly origin?: Json;
}

/** A model with its parameters, which the caller owns, and what else its folder says. */
export type LoadedModel = AnyModel & {
  readonly decision?: Decision;
  readonly origin?: Json;
};

/**
 * Writes a model as `model.safetensors` and `structure.json`, and makes the folder if need be.
 *
 * Two files cannot be replaced at once, so the structure file is the moment of truth: it holds the SHA-256 of its
 * weights. New weights are first written beside the old ones as `model.next.safetensors`, then the structure file is
 * replaced, then the weights take their place. `loadModel` takes whichever of the two weights files the structure file
 * names; so a crash before its replacement leaves the old model whole, and a crash after it the new one.
 * @throws {RangeError} when the parameters do not fit the model; nothing is written then.
 * @throws {FormatError} when the disk is full or the folder may not be written; the model in the folder stays whole.
 */
export async function saveModel(
  folder: string,
  { model, params, decision, origin }: SavedModel,
): Promise<void> {
  const tensors = await downloadTree(params);
  const wrong = mismatches(entriesOf(model.specs), tensors);
  if (wrong.length > 0) throw new RangeError(`the tensors do not fit the model:\n  ${wrong.join('\n  ')}`);

  const pieces = safetensorsPieces(tensors, { format: 'winnow' });
  const structure: StructureFile = {
    version: 1,
    weights: {
      sha256: sha256(pieces),
      bytes: pieces.reduce((total, { byteLength }) => total + byteLength, 0),
    },
    model: model.config,
    ...(decision === undefined ? {} : { decision }),
    ...(origin === undefined ? {} : { origin }),
  };
  const text = `${JSON.stringify(structure, undefined, 2)}\n`;
  await makeFolder(folder);
  await settle(folder);
  await writeAtomically(join(folder, NEXT_WEIGHTS), pieces);
  try {
    await writeAtomically(join(folder, STRUCTURE), text);
  } catch (error) {
    await settle(folder).catch(() => undefined); // What went wrong first is what there is to tell.
    throw error;
  }
  await renameDurably(join(folder, NEXT_WEIGHTS), join(folder, WEIGHTS));
}

/**
 * Reads a model that `saveModel` wrote.
 * @throws {FormatError} naming the file: missing, corrupt, of another version, weights that belong to another
 * structure file, or tensors that are missing, extra or misshapen, by name.
 */
export async function loadModel(folder: string): Promise<LoadedModel> {
  const file = join(folder, STRUCTURE);
  const structure = parseJson(file, await readBytes(file), structureFile);
  const weights = await weightsOf(folder, structure);
  const { tensors } = decodeSafetensors(weights.bytes, weights.file);

  const wrong = mismatches(entriesOf(modelOf(structure.model).specs), tensors);
  for (const [name, { dtype }] of tensors) {
    if (dtype !== 'float32') wrong.push(`${name}: expected float32, got ${dtype}`);
  }
  if (wrong.length > 0) {
    throw new FormatError(`${weights.file}: the tensors do not fit ${file}:\n  ${wrong.join('\n  ')}`);
  }
  return {
    ...anyModel(structure.model, tensors),
    ...(structure.decision === undefined ? {} : { decision: structure.decision }),
    ...(structure.origin === undefined ? {} : { origin: structure.origin }),
  };
}

/** The weights that the structure file names, wherever a crash has left them. */
async function weightsOf(
  folder: string,
  { weights }: StructureFile,
): Promise<{ file: string; bytes: Uint8Array }> {
  const place = join(folder, WEIGHTS);
  const found = await readBytesIfThere(place);
  if (found !== undefined && sha256([found]) === weights.sha256) return { file: place, bytes: found };

  const nextPlace = join(folder, NEXT_WEIGHTS);
  const next = await readBytesIfThere(nextPlace);
  if (next !== undefined && sha256([next]) === weights.sha256) return { file: nextPlace, bytes: next };

  const got = found === undefined ? 'no such file' : `${found.byteLength} bytes with ${sha256([found])}`;
  throw new FormatError(
    `${place}: expected the weights that ${STRUCTURE} names, ${weights.bytes} bytes with SHA-256 ${weights.sha256}, ` +
      `got ${got}; the file is damaged or comes from another model: copy both files again`,
  );
}

/**
 * Ends a save that was cut short. Waiting weights that the structure file names take their place: they are the only
 * copy. Others never came to count and are removed.
 */
async function settle(folder: string): Promise<void> {
  const waiting = join(folder, NEXT_WEIGHTS);
  const weights = await readBytesIfThere(waiting);
  if (weights === undefined) return;
  const file = join(folder, STRUCTURE);
  const bytes = await readBytesIfThere(file);
  const named = bytes && parseJson(file, bytes, structureFile).weights.sha256;
  if (named === sha256([weights])) await renameDurably(waiting, join(folder, WEIGHTS));
  else await rm(waiting);
}

function sha256(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
