import { type CompressionRun, type Duration, UserError, stepsIn } from '@winnow/core';
import type { StructureOptions } from './options';

/** The length of the hypernetwork's training in all: the passes over D_sub of every epoch, in the unit of the search. */
export function structureDuration({
  search,
  subset,
  passes,
}: Pick<StructureOptions, 'search' | 'subset' | 'passes'>): Duration {
  // Whole iterations as they are, epochs per single one.
  const factor = subset * passes;
  if (search.endsWith('it')) return `${Math.round(stepsIn(search, 1) * factor)}it`;
  return `${Number((Number.parseFloat(search) * factor).toFixed(6))}ep`;
}

/** Steps of both phases at the end of each epoch, counted from the start. */
export interface Epoch {
  readonly weightSteps: number;
  readonly structureSteps: number;
}

/**
 * The alternation of Algorithm 1 in steps: epochs of the weights, and the structure's steps spread evenly over them.
 * @throws {UserError} when there is nothing to learn the structure in.
 */
export function epochsOf(
  run: Pick<CompressionRun, 'stepsIn'>,
  options: Pick<StructureOptions, 'search' | 'subset' | 'passes'>,
): { readonly epochs: readonly Epoch[]; readonly subsetSteps: number } {
  const perEpoch = run.stepsIn('1ep');
  const weightSteps = run.stepsIn(options.search);
  const duration = structureDuration(options);
  const structureSteps = run.stepsIn(duration);
  if (structureSteps === 0) {
    throw new UserError(
      `the structure would be learned in ${duration}, not a single step of this data: search longer, or raise subset or passes`,
    );
  }
  const count = Math.max(1, Math.ceil(weightSteps / perEpoch));
  const epochs = Array.from({ length: count }, (_, epoch) => ({
    weightSteps: Math.min(weightSteps, (epoch + 1) * perEpoch),
    structureSteps: Math.round(((epoch + 1) * structureSteps) / count),
  }));
  return { epochs, subsetSteps: Math.max(1, Math.round(perEpoch * options.subset)) };
}
