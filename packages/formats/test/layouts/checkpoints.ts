import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostTensor, entriesOf, modelOf, sizeOf } from '@winnow/core';
import type { DenseConfig, ParameterSpec } from '@winnow/core';
import { correspondences, toTheirs } from '../../src/layouts/correspondence';
import type { Naming } from '../../src/layouts/naming';
import { writeSafetensors } from '../../src/index';

/** Values by our paths where every one is another, so that any mix-up shows. */
export function countedValues(config: DenseConfig): Map<string, HostTensor> {
  let next = 0;
  return new Map(
    entriesOf<ParameterSpec>(modelOf(config).specs).map(([path, { shape }]) => [
      path,
      { dtype: 'float32', shape, values: Float32Array.from({ length: sizeOf({ shape }) }, () => next++) },
    ]),
  );
}

/** Values under the names of others. */
export const theirsOf = (
  config: DenseConfig,
  naming: Naming,
  values: ReadonlyMap<string, HostTensor> = countedValues(config),
): Map<string, HostTensor> =>
  toTheirs(correspondences({ specs: modelOf(config).specs, config }, naming), values);

export const zeros = (...shape: number[]): HostTensor => ({
  dtype: 'float32',
  shape,
  values: new Float32Array(sizeOf({ shape })),
});

/** Writes a checkpoint with the files of configuration that lie beside it, by their names. */
export async function writeCheckpoint(
  folder: string,
  tensors: ReadonlyMap<string, HostTensor>,
  configurations: Readonly<Record<string, object>> = {},
): Promise<void> {
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  for (const [name, json] of Object.entries(configurations)) {
    await writeFile(join(folder, name), JSON.stringify(json));
  }
}
