import { z } from 'zod';
import { type ClassNameField, namesByNumber, namesListed } from '../class-names';

const names = z.union([namesListed, namesByNumber]).nullish();

/** `label_names`, or `labels`, as it was called before. */
export const timmClassNames: ClassNameField = {
  field: 'label_names',
  schema: z
    .object({ label_names: names, labels: names })
    .transform(({ label_names, labels }) => label_names ?? labels ?? undefined),
};
