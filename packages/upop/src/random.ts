import { type Compressed, type CompressionRun, pruneAtOnce, randomStream } from '@winnow/core';

/** Random units at the same budget: the control that every search must beat. */
export function pruneAtRandom(run: CompressionRun): Compressed {
  const random = randomStream(run.seed, 'random-units');
  const priorities = run.model.sites.map(({ id, units }): [string, Float64Array] => [
    id,
    Float64Array.from({ length: units }, () => random.uniform()),
  ]);
  return pruneAtOnce(run, Object.fromEntries(priorities));
}
