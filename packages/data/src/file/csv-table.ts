import { parse } from 'csv-parse/sync';
import { DataError } from '../failure/data-error';
import { visibly } from '../failure/visible';

/** The columns of a kind of table. */
export interface TableColumns {
  readonly required: readonly string[];
  /** The only others that are read. */
  readonly optional: readonly string[];
  /** Advice for a header that lacks a required column, by a column that tells another kind of table. */
  readonly otherwise: Readonly<Record<string, string>>;
  /** Advice for a column that is there twice. */
  readonly twice: string;
}

const listed = (names: readonly string[]): string => names.join(' and ');

/** Longest list of names in a message, in characters. */
const LONGEST_LIST = 200;

/** Column names, as the rows are to know them. */
function namesIn(path: string, header: readonly string[], columns: TableColumns): string[] {
  const { required, optional, otherwise } = columns;
  const names = header.map((name) => name.trim().toLowerCase());
  const missing = required.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const other = names.find((name) => Object.hasOwn(otherwise, name));
    throw new DataError({
      expected: `the columns ${listed(required)}, and if wanted ${listed(optional)}, in the first line of ${path}`,
      found: `no ${missing.join(' and no ')} among: ${header.join(', ')}`,
      advice: header.some((name) => /[;\t]/.test(name))
        ? 'Separate columns by commas, not by semicolons or tabs.'
        : ((other === undefined ? undefined : otherwise[other]) ?? 'Name the columns in the first line.'),
    });
  }
  const used = [...required, ...optional];
  const twice = names.find((name, place) => used.includes(name) && names.indexOf(name) !== place);
  if (twice !== undefined) {
    throw new DataError({
      expected: `one column ${twice} in the first line of ${path}`,
      found: `several among: ${header.join(', ')}`,
      advice: `Rename those that are not to be read. ${columns.twice}`,
    });
  }
  return names;
}

export interface TableRows {
  /** An array of records by column, not yet checked. */
  readonly rows: unknown;
  /** Columns that there is no use for. */
  readonly unused: readonly string[];
}

/**
 * The rows of a table as comma-separated values, quoted by RFC 4180, with the names of the columns in the first line.
 * @throws {DataError} when it is no such table, or lacks columns.
 */
export function csvRows(text: string, path: string, columns: TableColumns): TableRows {
  const used = [...columns.required, ...columns.optional];
  let unused: readonly string[] = [];
  try {
    const rows: unknown = parse(text, {
      skip_empty_lines: true,
      columns: (header: readonly string[]) => {
        const names = namesIn(path, header, columns);
        unused = names.filter((name) => !used.includes(name));
        return names;
      },
    });
    return { rows, unused };
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      {
        expected: `comma-separated values (RFC 4180) in ${path}`,
        found: `something else (${reason})`,
        advice: 'Quote fields that hold commas, quotes or line breaks, and double the quotes in them.',
      },
      { cause },
    );
  }
}

/** Names columns that are not read, a line if there are any. */
export const unusedNotes = (unused: readonly string[], { required, optional }: TableColumns): string[] =>
  unused.length === 0
    ? []
    : [
        `columns that are not read: ${unused.map(visibly).join(', ').slice(0, LONGEST_LIST)} ` +
          `(only ${[...required, ...optional].join(', ').replace(/, ([^,]*)$/, ' and $1')} are)`,
      ];
