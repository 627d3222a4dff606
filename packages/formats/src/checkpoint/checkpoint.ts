import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostTensor } from '@winnow/core';
import { z } from 'zod';
import { FormatError } from '../file/format-error';
import { readJsonIfThere } from '../file/json-file';
import { typeInMemory } from '../safetensors/element';
import { openSafetensors } from '../safetensors/open-safetensors';
import { closeAll, openShards } from './shards';

const WEIGHTS = 'model.safetensors';
const SHARD_INDEX = 'model.safetensors.index.json';
const OPEN_CLIP_WEIGHTS = 'open_clip_model.safetensors';

/** A tensor that is still in its file. */
export interface StoredTensor {
  readonly dtype: HostTensor['dtype'];
  readonly shape: readonly number[];
}

export interface JsonFile {
  readonly file: string;
  readonly json: unknown;
}

/** The parts of a checkpoint of others. Whoever opened it closes it. */
export interface Checkpoint {
  /** The weights file, or the index of several: names the checkpoint in errors. */
  readonly file: string;
  /** Size of all files of weights. */
  readonly bytes: number;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** `config.json`: of Hugging Face or timm. */
  readonly config?: JsonFile;
  /** `open_clip_config.json`. */
  readonly openClipConfig?: JsonFile;
  /**
   * The values of a tensor that there is.
   * @throws {FormatError} when the file cannot be read.
   */
  read(name: string): Promise<HostTensor>;
  close(): Promise<void>;
}

/**
 * Opens a folder, a safetensors file, or the index of a sharded one; nothing but headers and JSON is read yet. In a
 * folder the first that there is of `model.safetensors`, `model.safetensors.index.json` and `open_clip_model.safetensors`
 * holds the weights.
 * @throws {FormatError} when a file is missing or corrupt.
 */
export async function openCheckpoint(folderOrFile: string): Promise<Checkpoint> {
  const file = await weightsIn(folderOrFile);
  const shards = file.endsWith('.index.json') ? await openShards(file) : [await openSafetensors(file)];
  try {
    const places = new Map(
      shards.flatMap((shard) => shard.entries.map((entry) => [entry.name, { shard, entry }] as const)),
    );
    const config = await jsonBeside(file, 'config.json');
    const openClipConfig = await jsonBeside(file, 'open_clip_config.json');
    return {
      file,
      bytes: shards.reduce((total, { size }) => total + size, 0),
      tensors: new Map(
        [...places].map(([name, { entry }]) => [
          name,
          { dtype: typeInMemory[entry.type], shape: entry.shape },
        ]),
      ),
      ...(config === undefined ? {} : { config }),
      ...(openClipConfig === undefined ? {} : { openClipConfig }),
      read: (name) => {
        const place = places.get(name);
        if (place === undefined) throw new RangeError(`${file}: there is no tensor ${name}`);
        return place.shard.read(place.entry);
      },
      close: () => closeAll(shards),
    };
  } catch (error) {
    await closeAll(shards);
    throw error;
  }
}

async function weightsIn(folderOrFile: string): Promise<string> {
  if (!(await isA('folder', folderOrFile))) return folderOrFile;
  for (const name of [WEIGHTS, SHARD_INDEX, OPEN_CLIP_WEIGHTS]) {
    if (await isA('file', join(folderOrFile, name))) return join(folderOrFile, name);
  }
  throw new FormatError(
    `${join(folderOrFile, WEIGHTS)}: there is no such file, nor ${SHARD_INDEX} or ${OPEN_CLIP_WEIGHTS} beside it; ` +
      'weights are read from safetensors files only',
  );
}

const isA = (kind: 'file' | 'folder', path: string): Promise<boolean> =>
  stat(path).then(
    (found) => (kind === 'folder' ? found.isDirectory() : found.isFile()),
    () => false,
  );

async function jsonBeside(file: string, name: string): Promise<JsonFile | undefined> {
  const beside = join(dirname(file), name);
  const json = await readJsonIfThere(beside, { schema: z.unknown(), what: 'a configuration' });
  return json === undefined ? undefined : { file: beside, json };
}

/** Writes a shape as errors show it. */
export const shown = (tensor: Pick<StoredTensor, 'shape'> | undefined): string =>
  tensor === undefined ? 'none' : `[${tensor.shape.join(', ')}]`;

/**
 * An extent of a tensor that must be there.
 * @throws {FormatError} when the tensor or the axis is not.
 */
export function extentOf(
  { file, tensors }: Pick<Checkpoint, 'file' | 'tensors'>,
  name: string,
  axis: number,
): number {
  const tensor = tensors.get(name);
  const extent = tensor?.shape[axis];
  if (extent !== undefined && extent > 0) return extent;
  throw new FormatError(`${file}: expected a tensor ${name} with an axis ${axis}, got ${shown(tensor)}`);
}

/** Patches along one side, of so many in a square. */
export function gridOf(file: string, name: string, patches: number): number {
  const grid = Math.sqrt(patches);
  if (Number.isInteger(grid) && grid >= 1) return grid;
  throw new FormatError(
    `${file}: ${name}: expected positions for a square picture, or a configuration that says both sides of it, got ${patches} patches`,
  );
}
