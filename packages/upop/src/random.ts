import { type Compressed, type CompressionRun, pruneAtOnce, randomStream, sitesOf } from '@winnow/core';
import type { RandomOptions } from './options';

/** Random units at the same budget: the control that every search must beat. */
export function pruneAtRandom(run: CompressionRun, { units: grain }: RandomOptions): Compressed {
  const random = randomStream(run.seed, 'random-units');
  const sites = sitesOf(run.model, grain);
  const priorities = sites.map(({ id, units }): [string, Float64Array] => [
    id,
    Float64Array.from({ length: units }, () => random.uniform()),
  ]);
  return pruneAtOnce(run, Object.fromEntries(priorities), sites);
}
