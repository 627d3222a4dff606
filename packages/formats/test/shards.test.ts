import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostTensor, anyModel, disposeTree, downloadTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { z } from 'zod';
import { FormatError, exportHuggingFace, importModel, readSafetensors, writeSafetensors } from '../src/index';
import { clipTexts, one, randomValues } from './random-model';

const INDEX = 'model.safetensors.index.json';
const config = one(clipTexts);
let folder: string;
/** As one file holds them. */
let whole: Map<string, HostTensor>;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
  const { model, params } = anyModel(config, randomValues(config, 1));
  await exportHuggingFace(folder, { model, params });
  disposeTree(params);
  whole = (await readSafetensors(join(folder, 'model.safetensors'))).tensors;
  await rm(join(folder, 'model.safetensors'));
});
afterEach(() => rm(folder, { recursive: true }));

const shardName = (number: number) => `model-0000${number}.safetensors`;

/** Writes every tensor where `shardOf` says, and the index. */
async function writeShards(shardOf: (name: string) => number): Promise<Record<string, string>> {
  const places = new Map([...whole.keys()].map((name) => [name, shardName(shardOf(name))]));
  for (const shard of new Set(places.values())) {
    const tensors = [...whole].filter(([name]) => places.get(name) === shard);
    await writeSafetensors(join(folder, shard), new Map(tensors), { format: 'pt' });
  }
  const weightMap = Object.fromEntries(places);
  await writeIndex(weightMap);
  return weightMap;
}

/** Sums the sizes of the files that the index names: others are left from another split. */
async function bytesOfShards(): Promise<number> {
  const { weight_map } = weightsIndex.parse(JSON.parse(await readFile(join(folder, INDEX), 'utf8')));
  const names = [...new Set(Object.values(weight_map))];
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((total, size) => total + size, 0);
}
const weightsIndex = z.object({ weight_map: z.record(z.string(), z.string()) });

const writeIndex = (weightMap: object) =>
  writeFile(join(folder, INDEX), JSON.stringify({ metadata: { total_size: 1 }, weight_map: weightMap }));

const halves = () => {
  const names = [...whole.keys()];
  return writeShards((name) => (names.indexOf(name) < names.length / 2 ? 1 : 2));
};

describe('weights in several files', () => {
  it('are the same as in one, however they are split', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 4 })), async (shards) => {
        await writeShards(() => shards.next().value);
        for (const place of [folder, join(folder, INDEX)]) {
          const { model, params, bytes, leftOut } = await importModel(place);
          expect(model.config).toEqual(config);
          expect(await downloadTree(params)).toEqual(randomValues(config, 1));
          expect(leftOut).toEqual([]);
          expect(bytes).toBe(await bytesOfShards());
          disposeTree(params);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('are refused with the name of a missing file', async () => {
    await halves();
    await rm(join(folder, shardName(2)));
    const failure = importModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(
      /expected 2 files of weights, got 1; missing:\n.*model-00002\.safetensors/,
    );
  });

  it('are refused with the names of tensors that are elsewhere, nowhere, or not in the index', async () => {
    const weightMap = await halves();
    const [first = '', second = ''] = Object.keys(weightMap);
    const others = Object.entries(weightMap).filter(([name]) => name !== second);
    await writeIndex({ ...Object.fromEntries(others), [first]: shardName(2), nowhere: shardName(1) });
    const failure = importModel(folder);
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(`${first}: expected in ${shardName(2)}, got in ${shardName(1)}`);
    await expect(failure).rejects.toThrow(`extra ${second} in ${shardName(1)}`);
    await expect(failure).rejects.toThrow(`missing nowhere in ${shardName(1)}`);
  });

  it('are refused where the index leads out of the folder, or is no index', async () => {
    await halves();
    await writeIndex({ a: '../a.safetensors' });
    await expect(importModel(folder)).rejects.toThrow(
      /at weight_map\.a: expected the name of a file beside the index/,
    );
    await writeFile(join(folder, INDEX), '{}');
    await expect(importModel(folder)).rejects.toThrow(
      /index\.json: not an index of weights\n {2}at weight_map/,
    );
  });

  it('are refused where one of the files is damaged or cut off', async () => {
    await halves();
    const file = join(folder, shardName(1));
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.byteLength - 4));
    await expect(importModel(folder)).rejects.toThrow(/model-00001\.safetensors: .*the file is cut off/);
    await writeFile(file, 'no');
    await expect(importModel(folder)).rejects.toThrow(
      /model-00001\.safetensors: expected a safetensors file/,
    );
  });
});
