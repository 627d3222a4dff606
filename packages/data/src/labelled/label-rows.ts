import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { type TableColumns, type TableRows, csvRows } from '../file/csv-table';

export const labelColumns: TableColumns = {
  required: ['image', 'label'],
  optional: ['split'],
  otherwise: { caption: 'Tables of captions are for --task retrieval.' },
  twice: 'A picture has one label.',
};
const USED_KEYS: readonly string[] = [...labelColumns.required, ...labelColumns.optional];

/** Longest name of a class, in characters: longer ones are texts, which are for another task. */
const LONGEST_LABEL = 200;
/** Longest path in a table, in characters: what file systems take. */
const LONGEST_PATH = 4096;

const splits = {
  train: 'train',
  validation: 'validation',
  val: 'validation',
  valid: 'validation',
  test: 'test',
} as const;
const splitNames = [
  'train',
  'validation',
  'val',
  'valid',
  'test',
] as const satisfies readonly (keyof typeof splits)[];

const labelRow = z.object({
  image: z.string().min(1).max(LONGEST_PATH),
  label: z
    .union([z.string(), z.number().transform(String)])
    .transform((label) => label.trim().normalize('NFC'))
    .pipe(z.string().min(1, 'expected a label, got a blank one').max(LONGEST_LABEL)),
  split: z
    .enum(splitNames)
    .transform((name) => splits[name])
    .optional(),
});
export type LabelRow = z.output<typeof labelRow>;

export interface LabelRows {
  readonly rows: readonly LabelRow[];
  /** Columns, or keys, that there is no use for. */
  readonly unused: readonly string[];
}

/** Objects of JSON, one a line; lines of nothing but spaces are passed over. */
function jsonLines(text: string, path: string): TableRows {
  const unused = new Set<string>();
  const rows = text.split('\n').flatMap((line, at): unknown[] => {
    if (line.trim() === '') return [];
    const row = jsonLine(line, at + 1, path);
    for (const key of Object.keys(row)) if (!USED_KEYS.includes(key)) unused.add(key);
    return [row];
  });
  return { rows, unused: [...unused] };
}

function jsonLine(line: string, number: number, path: string): object {
  const reject = (found: string, cause?: unknown) =>
    new DataError(
      {
        expected: `a JSON object on each line of ${path}, like {"image": "a.jpg", "label": "cat"}`,
        found: `${found} on line ${number}`,
        advice: 'Mend this line, or write the table as CSV.',
      },
      { cause },
    );
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (cause) {
    throw reject('no JSON', cause);
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw reject('no object');
  return row;
}

/**
 * The rows of a table of pictures and labels.
 * @param format 'csv', or 'jsonl' for a JSON object on each line.
 * @throws {DataError} when it is no such table, or that names the first ten fields that are not as they should be.
 */
export function labelRows(text: string, path: string, format: 'csv' | 'jsonl'): LabelRows {
  const { rows, unused } = format === 'csv' ? csvRows(text, path, labelColumns) : jsonLines(text, path);
  const parsed = z.array(labelRow).safeParse(rows);
  if (parsed.success) return { rows: parsed.data, unused };
  const problems = parsed.error.issues.map(
    ({ path: [row, column], message }) => `row ${Number(row) + 1}, column ${String(column)}: ${message}`,
  );
  throw new DataError(
    {
      expected: `an image, a label of at most ${LONGEST_LABEL} characters and, in a column split, ${splitNames.join(', ')} in each row of ${path}`,
      found: `${problems.length} fields that differ:${firstTen(problems)}\n`,
      advice: 'Mend these rows; the header is not counted, nor are empty lines.',
    },
    { cause: parsed.error },
  );
}
