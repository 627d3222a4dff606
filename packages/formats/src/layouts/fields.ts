import { type PictureSize, pictureSizeOf } from '@winnow/core';
import { z } from 'zod';

export const count = z.int().positive();

/** The fields of a configuration, by what becomes of them; any other that says something (is not null) is refused by its name. */
export interface Fields<Understood extends z.ZodRawShape, Refused extends z.ZodRawShape> {
  /** Are used. */
  readonly understood: Understood;
  /** Would make the model another function than ours, but for the value that their schema has. */
  readonly refused: Refused;
  /** Change nothing of what the model computes. */
  readonly immaterial: readonly string[];
}

/** The schema of a configuration that is read whole. */
export function wholeObject<Understood extends z.ZodRawShape, Refused extends z.ZodRawShape>({
  understood,
  refused,
  immaterial,
}: Fields<Understood, Refused>) {
  const shape = { ...understood, ...refused };
  const known = new Set([...Object.keys(shape), ...immaterial]);
  return z.looseObject(shape).superRefine((fields: Readonly<Record<string, unknown>>, context) => {
    for (const [name, value] of Object.entries(fields)) {
      if (known.has(name) || name.startsWith('_') || value === null || value === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        message:
          'expected a field that Winnow knows: this one may change what the model computes; if it does not, remove it',
      });
    }
  });
}

/** A field with which a model is another function than ours, unless it has this value. */
export const only = <Value extends string | number | boolean | null>(value: Value, because: string) =>
  z.literal(value, `expected ${String(value)}: ${because}`).nullish();

/** The side of a square: a number, or the same number twice. */
export const side = (what: 'pictures' | 'patches') =>
  z.preprocess(
    (value) => (Array.isArray(value) && value.length === 2 && value[0] === value[1] ? value[0] : value),
    z.int(`expected one number, or the same one twice: only square ${what} are supported`).positive(),
  );

/** The size of pictures: the side of squares, or height and width. */
export const pictureSize = z.union(
  [
    count,
    z.tuple([count, count]).transform(([height, width]): PictureSize => pictureSizeOf({ height, width })),
  ],
  'expected a number of pixels, or height and width',
);
