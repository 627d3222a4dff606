import { type ZodType, z } from 'zod';
import { FormatError } from '../file/format-error';
import { checkJson } from '../file/json';
import type { JsonFile } from './checkpoint';

/** Names by index, as a list or by number. Whatever a name is written as, it is read as text. */
const name = z.union([z.string(), z.number().transform(String)]);
const byNumber = z.record(z.string().regex(/^\d+$/, 'expected the number of a class'), name);
const listed = z.array(name);

type Names = Readonly<Record<string, string>> | readonly string[];

const huggingFace: ZodType<Names | undefined> = z
  .object({ id2label: byNumber.nullish() })
  .transform(({ id2label }) => id2label ?? undefined);
/** `labels` is what `label_names` was called before. */
const timm: ZodType<Names | undefined> = z
  .object({
    label_names: z.union([listed, byNumber]).nullish(),
    labels: z.union([listed, byNumber]).nullish(),
  })
  .transform(({ label_names, labels }) => label_names ?? labels ?? undefined);

/**
 * Names a class of a model whose classes have no names: `LABEL_0`, `LABEL_1`, … This is what `transformers` writes.
 */
export const placeholderName = (index: number): string => `LABEL_${index}`;

/** Whether names say nothing more than the number of each class. */
export const arePlaceholders = (names: readonly string[]): boolean =>
  names.every((name, index) => name === placeholderName(index));

/**
 * Names of the classes of a checkpoint of Hugging Face, in the order of the classifier's rows; undefined where its
 * configuration has none. They may be placeholders.
 * @throws {FormatError} when they are not one name for each class.
 */
export const huggingFaceClassNames = (config: JsonFile, classes: number): readonly string[] | undefined =>
  inOrder(config.file, 'id2label', checkJson(config.file, config.json, huggingFace), classes);

/** Like `huggingFaceClassNames`, of timm: `label_names`. */
export const timmClassNames = (config: JsonFile, classes: number): readonly string[] | undefined =>
  inOrder(config.file, 'label_names', checkJson(config.file, config.json, timm), classes);

function inOrder(
  file: string,
  field: string,
  found: Names | undefined,
  classes: number,
): readonly string[] | undefined {
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
