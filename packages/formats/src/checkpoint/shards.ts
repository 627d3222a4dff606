import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { FormatError } from '../file/format-error';
import { readJson } from '../file/json-file';
import { listed } from '../file/listing';
import { type OpenSafetensors, openSafetensors } from '../safetensors/open-safetensors';

/** The content of `model.safetensors.index.json`: the file of every tensor. */
const shardIndex = z.object({
  weight_map: z.record(
    z.string(),
    z.string().regex(/^[^/\\]+$/, 'expected the name of a file beside the index'),
  ),
});

/**
 * Opens all files of weights that are split over several.
 * @throws {FormatError} listing by name the files that are missing, and the tensors that are missing, extra or in
 * another file than the index says.
 */
export async function openShards(index: string): Promise<OpenSafetensors[]> {
  const { weight_map: placeOf } = await readJson(index, { schema: shardIndex, what: 'an index of weights' });
  const names = [...new Set(Object.values(placeOf))].sort();
  const places = names.map((name) => join(dirname(index), name));
  // Looked up in one list: an index may name any number of files.
  const there = new Set(await readdir(dirname(index)));
  const missing = places.filter((_, i) => !there.has(names[i] ?? ''));
  if (missing.length > 0) {
    throw new FormatError(
      `${index}: expected ${names.length} files of weights, got ${names.length - missing.length}; missing:` +
        `${listed(missing)}\ncopy the whole checkpoint`,
    );
  }
  const shards: OpenSafetensors[] = [];
  try {
    for (const place of places) shards.push(await openSafetensors(place));
    checkPlaces(index, placeOf, new Map(names.map((name, i) => [name, shards[i]?.entries ?? []])));
    return shards;
  } catch (error) {
    await closeAll(shards);
    throw error;
  }
}

export async function closeAll(files: readonly OpenSafetensors[]): Promise<void> {
  await Promise.all(files.map((file) => file.close()));
}

function checkPlaces(
  index: string,
  placeOf: Readonly<Record<string, string>>,
  shards: ReadonlyMap<string, readonly { readonly name: string }[]>,
): void {
  const stated = new Map(Object.entries(placeOf));
  const found = new Set<string>();
  const wrong: string[] = [];
  for (const [file, entries] of shards) {
    for (const { name } of entries) {
      const expected = stated.get(name);
      if (expected === undefined) wrong.push(`extra ${name} in ${file}`);
      else if (expected !== file) wrong.push(`${name}: expected in ${expected}, got in ${file}`);
      found.add(name);
    }
  }
  for (const [name, file] of stated) {
    if (!found.has(name)) wrong.push(`missing ${name} in ${file}`);
  }
  if (wrong.length > 0) {
    throw new FormatError(`${index}: the files do not hold what the index says:${listed(wrong)}`);
  }
}
