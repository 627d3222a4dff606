import { z } from 'zod';
import { chosenIn } from '../options/given';
import type { GivenOptions } from '../options/group';
import { pathOption } from '../options/path';

/** The subject of a comparison, whatever its config says. */
export const comparedOnShape = {
  data: pathOption('dataset')
    .min(1)
    .optional()
    .describe('The data of every workload, instead of those that the comparison names'),
  from: pathOption('model')
    .min(1)
    .optional()
    .describe(
      'The model that every dense training goes on from, instead of the one that the comparison names',
    ),
};
export type ComparedOn = Readonly<z.output<z.ZodObject<typeof comparedOnShape>>>;

const options = z.record(z.string(), z.unknown());
const workloadsIn = z.looseObject({
  workloads: z.array(z.looseObject({ shared: options.optional(), dense: options.optional() })),
});

/**
 * The config of a comparison with other data, or another model to start from, in all its workloads.
 * @throws {UserError} when it has no workloads.
 */
export function comparingOn(config: GivenOptions, { data, from }: ComparedOn): GivenOptions {
  if (data === undefined && from === undefined) return config;
  const { workloads, ...rest } = chosenIn(workloadsIn, config);
  return {
    ...rest,
    workloads: workloads.map(({ shared, dense, ...workload }) => ({
      ...workload,
      shared: { ...shared, ...(data === undefined ? {} : { data }) },
      dense: { ...dense, ...(from === undefined ? {} : { from }) },
    })),
  };
}
