import type { Catalogue, Options } from '@winnow/comparison';
import { toJson } from '@winnow/core';
import { z } from 'zod';
import { compressGroups, methodNamed } from '../commands/compress-options';
import { trainGroups } from '../commands/train';
import { resolveGroups } from '../options/group';
import { controls, methods } from '../table';

const record: z.ZodType<Options> = z.record(z.string(), z.json());

/** What a comparison may ask of this command line. */
export const catalogue: Catalogue = {
  controls,
  methods: methods.map(({ manifest }) => manifest.name),
  optionsOf: (method) => Object.keys(methodNamed(method).options.shape),
  resolve: (command, given) => {
    switch (command) {
      case 'train':
        return record.parse(toJson(resolveGroups(given, trainGroups(given))));
      case 'compress':
        return record.parse(toJson(resolveGroups(given, compressGroups(given))));
      default:
        return command satisfies never;
    }
  },
};
