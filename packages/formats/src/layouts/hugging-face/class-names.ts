import { z } from 'zod';
import { type ClassNameField, namesByNumber, placeholderName } from '../class-names';

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

/** `id2label` and `label2id` of a classifier; placeholders where its classes have no names. */
export function theirClassNames(
  classes: number,
  classNames: readonly string[] = Array.from({ length: classes }, (_, label) => placeholderName(label)),
) {
  return {
    id2label: Object.fromEntries(classNames.map((name, label) => [label, name])),
    label2id: Object.fromEntries(classNames.map((name, label) => [name, label])),
  };
}
