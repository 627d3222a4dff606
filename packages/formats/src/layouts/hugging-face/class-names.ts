import { z } from 'zod';
import { type ClassNameField, namesByNumber } from '../class-names';

/** The same the other way round, where both are written. */
const numbersByName = z.record(z.string(), z.union([z.int(), z.string().transform(Number)])).nullish();

/** `id2label`. The number that `label2id` has for one of its names must be one of that name. */
export const huggingFaceClassNames: ClassNameField = {
  field: 'id2label',
  schema: z
    .object({ id2label: namesByNumber.nullish(), label2id: numbersByName })
    .superRefine(({ id2label, label2id }, context) => {
      const names = id2label ?? {};
      const known = new Set(Object.values(names));
      const other = Object.entries(label2id ?? {}).find(
        ([name, index]) => known.has(name) && names[String(index)] !== name,
      );
      if (other === undefined) return;
      const [name, index] = other;
      context.addIssue({
        code: 'custom',
        path: ['label2id'],
        message: `expected the number that ${JSON.stringify(name)} has in id2label, got ${index}, which is ${JSON.stringify(names[String(index)] ?? null)} there`,
      });
    })
    .transform(({ id2label }) => id2label ?? undefined),
};
