import { z } from 'zod';
import { type ClassNameField, namesByNumber } from '../class-names';

/** `id2label`. */
export const huggingFaceClassNames: ClassNameField = {
  field: 'id2label',
  schema: z.object({ id2label: namesByNumber.nullish() }).transform(({ id2label }) => id2label ?? undefined),
};
