import type { Catalogue, Options, PlannedRun } from '@winnow/comparison';
import { toJson } from '@winnow/core';
import { z } from 'zod';
import { compressGroups, methodNamed } from '../options/compress-options';
import { trainGroups } from '../options/train-options';
import { packagesOf } from '../identity/identify';
import { EXPECTED, digestOfDataAndCode } from '../identity/run-identity';
import { type OptionGroup, resolveGroups } from '../options/group';
import { pathOptionsOf, withPaths, withoutPaths } from '../options/path-options';
import { controls, methods } from '../table';
import type { ComparisonIdentity, WorkloadPaths } from './comparison-identity';

const record: z.ZodType<Options> = z.record(z.string(), z.json());

type Command = Parameters<Catalogue['resolve']>[0];

function groupsOf(command: Command, options: Options): readonly OptionGroup[] {
  switch (command) {
    case 'train':
      return trainGroups(options);
    case 'compress':
      return compressGroups(options);
    default:
      return command satisfies never;
  }
}

/** The data, files and code that the runs of a comparison work on, and where they lie. */
export interface ComparisonGround {
  readonly identity: ComparisonIdentity;
  /** From the root of the file system on. */
  readonly paths: WorkloadPaths;
}

/**
 * Makes the catalogue of what a comparison may ask of this command line.
 * @param ground What its runs work on; of comparisons of earlier versions it is not known, and of new ones not yet.
 */
export const catalogueOn = (ground: ComparisonGround | undefined): Catalogue => ({
  controls,
  methods: methods.map(({ manifest }) => manifest.name),
  optionsOf: (method) => Object.keys(methodNamed(method).options.shape),
  resolve: (command, given) => record.parse(toJson(resolveGroups(given, groupsOf(command, given)))),
  runOf: (workload, command, options) =>
    ground === undefined ? { content: { options }, options } : runOn(ground, workload, command, options),
});

/** A run is known by contents, and started with the paths that lead to them. */
function runOn(
  { identity, paths }: ComparisonGround,
  workload: string,
  command: Command,
  options: Options,
): PlannedRun {
  const { data = {}, files = {} } = identity.workloads[workload] ?? {};
  const code = Object.fromEntries(
    packagesOf(command, options).flatMap((name): [string, string][] => {
      const known = identity.code[name];
      return known === undefined ? [] : [[name, known]];
    }),
  );
  return {
    content: {
      options: withoutPaths(options, pathOptionsOf(groupsOf(command, options))),
      identity: toJson({ data, files, code }),
    },
    options: {
      ...withPaths(options, paths[workload] ?? {}),
      [EXPECTED]: digestOfDataAndCode({ data, code }),
    },
  };
}
