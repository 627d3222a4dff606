import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostTensors, Json, Snapshot, SnapshotStore } from '@winnow/core';
import { z } from 'zod';
import { FormatError } from '../file/format-error';
import { checkJson, jsonText, parseJson } from '../file/json';
import { readBytesIfThere } from '../file/read-file';
import { clearTemporaryFiles, makeFolder } from '../file/write-atomically';
import { decodeSafetensors, writeSafetensors } from '../safetensors/safetensors';

/** Names become file names: nothing that a file system could read as something else. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/i;

const snapshotHeader = z.strictObject({
  winnow: z.literal('snapshot/1'),
  meta: z.string(),
  sha256: z.string(),
});

/**
 * Keeps every snapshot as one safetensors file `<folder>/<name>.safetensors`; `meta` stands as JSON in its header, beside
 * a checksum. The folder is made when the first snapshot is saved and belongs to one run at a time: what a killed run
 * left half-written is cleared away.
 *
 * The store's functions throw `RangeError` for a name that is no file name, and `FormatError` for a corrupt file or one
 * that cannot be written.
 */
export function fileSnapshotStore(folder: string): SnapshotStore {
  const fileOf = (name: string) => {
    if (!NAME.test(name)) {
      throw new RangeError(
        `expected a snapshot name of letters, digits, '.', '_' and '-', got ${JSON.stringify(name)}`,
      );
    }
    return join(folder, `${name}.safetensors`);
  };
  return {
    async load(name) {
      const file = fileOf(name);
      const bytes = await readBytesIfThere(file);
      return bytes === undefined ? undefined : decodeSnapshot(bytes, file);
    },
    async save(name, { tensors, meta }) {
      const file = fileOf(name);
      await makeFolder(folder);
      await clearTemporaryFiles(folder);
      const json = jsonText(file, meta, 'compact');
      await writeSafetensors(file, tensors, {
        winnow: 'snapshot/1',
        meta: json,
        sha256: checksum(tensors, json),
      });
    },
    async remove(name) {
      await rm(fileOf(name), { force: true });
    },
    whereIs: fileOf,
  };
}

function decodeSnapshot(bytes: Uint8Array, file: string): Snapshot {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const { meta, sha256 } = checkJson(`${file}: the header of a snapshot`, metadata, snapshotHeader);
  const found = checksum(tensors, meta);
  if (found !== sha256) {
    throw new FormatError(
      `${file}: expected the checksum ${sha256}, got ${found}; the snapshot is corrupt: remove it to start over`,
    );
  }
  const json: Json = parseJson(`${file}: meta`, new TextEncoder().encode(meta), z.json());
  return { tensors, meta: json };
}

/** Over names, shapes and values: a format without checksums of its own would not notice a flipped bit. */
function checksum(tensors: HostTensors, meta: string): string {
  const hash = createHash('sha256').update(meta);
  for (const [name, { dtype, shape, values }] of tensors) {
    hash.update(JSON.stringify([name, dtype, shape])).update(values);
  }
  return hash.digest('hex');
}
