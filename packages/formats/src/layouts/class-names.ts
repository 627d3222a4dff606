import { type ZodType, z } from 'zod';
import type { JsonFile } from '../checkpoint/checkpoint';
import { FormatError } from '../file/format-error';
import { checkJson } from '../file/json';

/** A name, whatever it is written as, is read as text. */
const name = z.union([z.string(), z.number().transform(String)]);

/** Names of classes by their number, or as a list. */
export const namesByNumber = z.record(z.string().regex(/^\d+$/, 'expected the number of a class'), name);
export const namesListed = z.array(name);

type Names = Readonly<Record<string, string>> | readonly string[];

/** Where a source writes the names of classes. */
export interface ClassNameField {
  /** For errors. */
  readonly field: string;
  readonly schema: ZodType<Names | undefined>;
}

/**
 * Names a class of a model whose classes have no names: `LABEL_0`, `LABEL_1`, … This is what `transformers` writes.
 */
export const placeholderName = (index: number): string => `LABEL_${index}`;

/** Whether names say nothing more than the number of each class. */
export const arePlaceholders = (names: readonly string[]): boolean =>
  names.every((name, index) => name === placeholderName(index));

/**
 * Names of the classes of a checkpoint, in the order of the classifier's rows; undefined where its configuration has none.
 * They may be placeholders.
 * @throws {FormatError} when they are not one name for each class.
 */
export function classNamesIn(
  { file, json }: JsonFile,
  classes: number,
  { field, schema }: ClassNameField,
): readonly string[] | undefined {
  const found = checkJson(file, json, schema);
  if (found === undefined) return undefined;
  const names = new Map(Object.entries(found).map(([index, name]) => [Number(index), name]));
  const ordered = Array.from({ length: names.size }, (_, index) => names.get(index));
  const complete = ordered.filter((name) => name !== undefined);
  if (complete.length === classes && ordered.length === classes) return complete;
  // The default of two labels is also written for models of more.
  if ([...names].every(([index, name]) => name === placeholderName(index))) return undefined;
  throw new FormatError(
    `${file}: expected a name for each of the ${classes} classes of the classifier in ${field}, numbered from 0, got ${names.size}`,
  );
}
