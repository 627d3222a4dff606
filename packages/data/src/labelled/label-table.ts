import { basename, dirname, extname, relative, resolve, sep } from 'node:path';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { visibly } from '../failure/visible';
import { unusedNotes } from '../file/csv-table';
import { located, refuseMissing, refuseOutside } from '../file/locate';
import { readText } from '../file/read-text';
import { readHead } from '../file/regular-file';
import { contentsOfFiles } from '../identity/content-hashes';
import { grouped } from '../split/grouped';
import type { LabelledSplits } from './classification';
import { divided, unusedShares } from './divided';
import { type LabelRow, type LabelRows, labelColumns, labelRows } from './label-rows';
import { type SetAside, completedSplits } from './set-aside';
import { type BrokenReading, brokenAmong, refuseLostClasses, skippedNotes } from './skipped';

/** Formats of tables of labels, by the extension of the file. */
const formats: Readonly<Record<string, 'csv' | 'jsonl'>> = {
  '.csv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

/** The format of a table of labels by its name; undefined for a file that is none. */
export const labelFormat = (path: string): 'csv' | 'jsonl' | undefined =>
  formats[extname(path).toLowerCase()];

/** Longest first line of a table that is looked at, in bytes. */
const HEADER_BYTES = 64 * 1024;

/**
 * Whether a file is a table of labels, and not of captions, by its name and its first line.
 * @throws {DataError} when it cannot be read.
 */
export async function isLabelTable(path: string): Promise<boolean> {
  const format = labelFormat(path);
  if (format !== 'csv') return format === 'jsonl';
  const head = await readHead(path, HEADER_BYTES, 'a table of labels');
  const [header = ''] = head.toString('utf8').split(/[\r\n]/, 1);
  const names = header
    .replace('\uFEFF', '')
    .split(',')
    .map((name) => name.replaceAll('"', '').trim().toLowerCase());
  return names.includes('label') && !names.includes('caption');
}

interface ListedPicture {
  readonly path: string;
  /** The path from the folder of the pictures on, with slashes. */
  readonly name: string;
  readonly label: string;
  readonly split: LabelRow['split'];
}

/**
 * Joins rows that say the same of a picture.
 * @throws {DataError} that lists pictures with several labels or splits.
 */
function joined(rows: readonly ListedPicture[], source: string): ListedPicture[] {
  const byPicture = [...grouped(rows, ({ path }) => path).values()];
  const refuseSeveral = (of: 'label' | 'split', advice: string): void => {
    const several = byPicture.flatMap((same) => {
      const values = [...new Set(same.map((row) => row[of]))];
      const [first] = same;
      if (values.length < 2 || first === undefined) return [];
      return [`${visibly(first.name)}: ${values.map((value) => visibly(value ?? 'none')).join(' and ')}`];
    });
    if (several.length === 0) return;
    throw new DataError({
      expected: `one ${of} for every picture in ${source}`,
      found: `${counted(several.length, 'picture')} with several:${firstTen(several)}\n`,
      advice,
    });
  };
  refuseSeveral('label', 'Choose one of them, or take the picture out.');
  refuseSeveral('split', 'A picture that is trained on cannot be tested on: choose one split for it.');
  return byPicture.flatMap(([first]) => (first === undefined ? [] : [first]));
}

/** The pictures that rows name, as they are called on the disk, in the order of their names. */
async function listedPictures({ rows }: LabelRows, folder: string, source: string): Promise<ListedPicture[]> {
  const pathOf = ({ image }: LabelRow): string => resolve(folder, image);
  refuseOutside(
    folder,
    rows.map((row) => ({ name: row.image, path: pathOf(row) })),
    source,
  );
  const onDisk = await located(folder, rows.map(pathOf), source);
  refuseMissing(
    [...new Set(rows.map(pathOf))].filter((path) => !onDisk.has(path)),
    source,
  );
  const listed = rows.map((row) => {
    const path = onDisk.get(pathOf(row)) ?? pathOf(row);
    const name = relative(folder, path).split(sep).join('/').normalize('NFC');
    return { path, name, label: row.label, split: row.split };
  });
  return joined(listed, source).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/**
 * Classes of a table: the sorted labels.
 * @throws {DataError} when there are less than two.
 */
function classesOf(pictures: readonly ListedPicture[], source: string): string[] {
  const classes = [...new Set(pictures.map(({ label }) => label))].sort();
  if (classes.length >= 2) return classes;
  throw new DataError({
    expected: `pictures of at least two classes in ${source}`,
    found: classes.length === 0 ? 'no rows' : `one, ${visibly(classes.join())}`,
    advice: 'With one class there is nothing to tell apart.',
  });
}

/** @throws {DataError} when some rows say a split and others do not. */
function refuseSomeSplits(pictures: readonly ListedPicture[], source: string): void {
  const without = pictures.filter(({ split }) => split === undefined);
  if (without.length === 0 || without.length === pictures.length) return;
  throw new DataError({
    expected: `a split in every row of ${source}, or in none`,
    found: `${counted(without.length, 'picture')} without:${firstTen(without.map(({ name }) => visibly(name)))}\n`,
    advice: 'Add it to them, or leave all splits out.',
  });
}

/** @throws {DataError} that lists classes without pictures to train on. */
function refuseUntrained(
  pictures: readonly ListedPicture[],
  classes: readonly string[],
  source: string,
): void {
  const trained = new Set(pictures.flatMap(({ label, split }) => (split === 'train' ? [label] : [])));
  const untrained = classes.filter((name) => !trained.has(name));
  if (untrained.length === 0) return;
  throw new DataError({
    expected: `pictures of every class in the split train of ${source}`,
    found: `none of ${counted(untrained.length, 'class', 'classes')}:${firstTen(untrained.map(visibly))}\n`,
    advice: 'Add some, or take these classes out.',
  });
}

/**
 * A table of pictures and labels: CSV with the columns `image` and `label` and if wanted `split` (train, validation or test), or
 * a JSON object with these keys on each line. Labels are the names of the classes. Without splits every class is divided; where one
 * held-out split is missing, validation is set aside from training. The order of the rows does not matter.
 * @param images The folder below which the pictures lie; by default that of the table.
 * @throws {DataError} when the file is not such a table, or pictures are not there or have several labels.
 * @throws {RangeError} on options outside their range.
 */
export async function labelTable(
  path: string,
  format: 'csv' | 'jsonl',
  { images, ...options }: SetAside & BrokenReading & { readonly images?: string },
): Promise<LabelledSplits> {
  const read = labelRows(await readText(path, 'a table of labels'), path, format);
  const folder = images ?? dirname(path);
  const listed = await listedPictures(read, folder, path);
  const contents = contentsOfFiles(resolve(path));
  const listedPaths = listed.map(({ path: at }) => at);
  const skipped =
    options.broken === 'skip' ? await brokenAmong(listedPaths, contents, options.pictureCache) : [];
  const out = new Set(skipped.map(({ picture }) => picture));
  const pictures = listed.filter(({ path: at }) => !out.has(at));
  const labelsIn = (some: readonly ListedPicture[]) => some.map(({ label }) => label);
  refuseLostClasses(labelsIn(listed), labelsIn(pictures), path);
  const classes = classesOf(pictures, path);
  refuseSomeSplits(pictures, path);
  const repeated = read.rows.length - listed.length;
  const notes = [
    ...skippedNotes(folder, skipped),
    ...(repeated === 0
      ? []
      : [`${counted(repeated, 'row')} that ${repeated === 1 ? 'says' : 'say'} again what another says`]),
    ...unusedNotes(read.unused, labelColumns),
  ];
  const labels = new Map(classes.map((name, label) => [name, label]));
  const labelled = pictures.map(({ label, ...rest }) => ({ ...rest, label: labels.get(label) ?? 0 }));
  const common = {
    name: basename(path, extname(path)),
    classes,
    contents,
    skipped,
  };
  if (pictures.every(({ split }) => split === undefined)) {
    const found = divided({ pictures: labelled, classes, source: path, missing: 'column split' }, options);
    return { ...common, splits: found.splits, notes: [found.note, ...notes] };
  }
  refuseUntrained(pictures, classes, path);
  const part = (wanted: LabelRow['split']) =>
    labelled.filter(({ split }) => split === wanted).map(({ path: at, label }) => ({ path: at, label }));
  const found = completedSplits(
    { train: part('train'), validation: part('validation'), test: part('test') },
    path,
    options,
  );
  return {
    ...common,
    splits: found.splits,
    notes: [...found.notes, ...unusedShares(options, found.notes.length === 0), ...notes],
  };
}
