import { basename, dirname, extname, resolve } from 'node:path';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { type TableColumns, csvRows, unusedNotes } from '../file/csv-table';
import { readText } from '../file/read-text';
import { contentsOfFiles } from '../identity/content-hashes';
import { grouped } from '../split/grouped';
import type { PairGroup } from './group';
import { refuseOutside } from '../file/locate';
import type { NamedPairs } from './splits';

const tableSplits = ['train', 'validation', 'test'] as const;
const columns: TableColumns = {
  required: ['image', 'caption'],
  optional: ['split'],
  otherwise: { label: 'Tables of labels are for --task classification.' },
  twice: 'Several captions of a picture are several rows.',
};

const tableRows = z.array(
  z.object({ image: z.string().min(1), caption: z.string(), split: z.enum(tableSplits).optional() }),
);
type TableRow = z.infer<typeof tableRows>[number];

interface Table {
  readonly rows: readonly TableRow[];
  /** Columns that there is no use for. */
  readonly unused: readonly string[];
}

function readTable(text: string, path: string): Table {
  const { rows, unused } = csvRows(text, path, columns);
  const parsed = tableRows.safeParse(rows);
  if (parsed.success) return { rows: parsed.data, unused };
  const problems = parsed.error.issues.map(
    ({ path: [row, column], message }) => `row ${Number(row) + 1}, column ${String(column)}: ${message}`,
  );
  throw new DataError(
    {
      expected: `an image, a caption and, in a column split, ${tableSplits.join(', ')} in each row of ${path}`,
      found: `${problems.length} fields that differ:${firstTen(problems)}\n`,
      advice: 'Mend these rows; the header is not counted.',
    },
    { cause: parsed.error },
  );
}

/** The split of all rows of one picture. */
function splitOf(picture: string, rows: readonly TableRow[], path: string): (typeof tableSplits)[number] {
  const splits = [...new Set(rows.map(({ split }) => split ?? 'train'))];
  const [split = 'train'] = splits;
  if (splits.length > 1) {
    throw new DataError({
      expected: `all captions of a picture in the same split in ${path}`,
      found: `${picture} in ${splits.join(' and ')}`,
      advice: 'A picture that is trained on cannot be tested on: choose one split for it.',
    });
  }
  return split;
}

/**
 * A table of pictures and captions: CSV with the columns `image` and `caption`, and if wanted `split` (train,
 * validation or test). Several rows of one picture are several captions. `images` is the folder below which the pictures
 * lie; by default that of the table.
 * @throws {DataError} when the file is not such a table.
 */
export async function captionTable(path: string, images: string | undefined): Promise<NamedPairs> {
  const { rows, unused } = readTable(await readText(path, 'a table of captions'), path);
  const folder = images ?? dirname(path);
  const pathOf = ({ image }: TableRow): string => resolve(folder, image);
  refuseOutside(
    folder,
    rows.map((row) => ({ name: row.image, path: pathOf(row) })),
    path,
  );
  const groups = [...grouped(rows, pathOf)].map(([picture, of]) => ({
    split: splitOf(picture, of, path),
    group: { pictures: [picture], texts: of.map(({ caption }) => caption.trim()) },
  }));
  const part = (wanted: (typeof tableSplits)[number]): PairGroup[] =>
    groups.filter(({ split }) => split === wanted).map(({ group }) => group);
  return {
    name: basename(path, extname(path)),
    notes: unusedNotes(unused, columns),
    splits: { train: part('train'), validation: part('validation'), test: part('test') },
    folders: [folder],
    contents: contentsOfFiles(resolve(path)),
  };
}
