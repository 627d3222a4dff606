import { join } from 'node:path';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { visibly } from '../failure/visible';
import { readText } from '../file/read-text';
import { kindAt } from '../folder/entries';
import type { LabelledSplits } from '../labelled/classification';
import { divided, unusedShares } from '../labelled/divided';
import { type SetAside, completedSplits } from '../labelled/set-aside';
import { type BrokenReading, brokenAmong, refuseLostClasses, skippedNotes } from '../labelled/skipped';
import { type ShardFile } from './shard-files';
import { type ExampleInShard, folderOf, openShards } from './shards';

/** Names of classes that shards number, a line each, beside them. */
const CLASS_NAMES = 'classnames.txt';
const WHOLE_NUMBER = /^\d{1,9}$/;

interface Labelled extends ExampleInShard {
  readonly label: string;
}

/**
 * Pictures with classes in shards (WebDataset): `.cls`, or `label` in `.json`, is the name of a class, or its number. Splits are
 * those of the shards' names; without any, every class is divided.
 * @throws {DataError} when pictures have no class, there are fewer than two, or one has none to train on; and as `shardIndex` does.
 * @throws {RangeError} on options outside their range.
 */
export async function labelledShards(
  spec: string,
  shards: readonly ShardFile[],
  options: SetAside & BrokenReading,
): Promise<LabelledSplits> {
  const { name, examples, contents, files, notes, shardOf } = await openShards(
    spec,
    shards,
    options.pictureCache,
  );
  const without = examples.filter(({ label }) => label === undefined);
  if (without.length > 0) {
    throw new DataError({
      expected: `a class for every picture in ${spec}: a file of its name with .cls, or a label in .json`,
      found: `${counted(without.length, 'picture')} without:${firstTen(without.map(({ path }) => visibly(path)))}\n`,
      advice: 'Add them; shards with texts (.txt) are for --task retrieval.',
    });
  }
  const paths = examples.map(({ path }) => path);
  const skipped =
    options.broken === 'skip' ? await brokenAmong(paths, contents, options.pictureCache, files) : [];
  const out = new Set(skipped.map(({ picture }) => picture));
  const labelled = examples.flatMap((example): Labelled[] =>
    example.label === undefined || out.has(example.path) ? [] : [{ ...example, label: example.label }],
  );
  const labelsIn = (some: readonly { readonly label?: string | undefined }[]) =>
    some.flatMap(({ label }) => label ?? []);
  refuseLostClasses(labelsIn(examples), labelsIn(labelled), spec);
  const { classes, labelOf, note } = await classesOf(labelled, spec, folderOf(shards));
  const common = {
    name,
    classes,
    contents,
    files,
    shardOf,
    skipped,
  };
  const said = [...note, ...skippedNotes(folderOf(shards), skipped), ...notes];
  const pictures = labelled.map(({ path, label, shard: { split } }) => ({
    path,
    label: labelOf(label),
    split,
  }));
  if (pictures.every(({ split = 'train' }) => split === 'train')) {
    const named = pictures.map(({ path, label }) => ({
      path,
      label,
      name: path.slice(folderOf(shards).length),
    }));
    const found = divided(
      { pictures: named, classes, source: spec, missing: 'shard for validation or test' },
      options,
    );
    return { ...common, splits: found.splits, notes: [found.note, ...said] };
  }
  const part = (wanted: 'train' | 'validation' | 'test') =>
    pictures.flatMap(({ path, label, split }) => (split === wanted ? [{ path, label }] : []));
  const train = part('train');
  refuseUntrained(new Set(train.map(({ label }) => label)), classes, spec);
  const found = completedSplits({ train, validation: part('validation'), test: part('test') }, spec, options);
  return {
    ...common,
    splits: found.splits,
    notes: [...found.notes, ...unusedShares(options, found.notes.length === 0), ...said],
  };
}

interface Classes {
  readonly classes: readonly string[];
  labelOf(name: string): number;
  readonly note: readonly string[];
}

/** The classes in their order: numbers by their value, under the names beside the shards if there are some; names sorted. */
async function classesOf(pictures: readonly Labelled[], spec: string, folder: string): Promise<Classes> {
  const names = [...new Set(pictures.map(({ label }) => label))];
  if (names.length < 2) {
    throw new DataError({
      expected: `pictures of at least two classes in ${spec}`,
      found: names.length === 0 ? 'no pictures' : `one, ${visibly(names.join())}`,
      advice: 'With one class there is nothing to tell apart.',
    });
  }
  if (!names.every((name) => WHOLE_NUMBER.test(name))) {
    names.sort();
    return { classes: names, labelOf: placeIn(names), note: [] };
  }
  names.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
  const labelOf = placeIn(names);
  const path = join(folder, CLASS_NAMES);
  if ((await kindAt(path)) !== 'file') return { classes: names, labelOf, note: [] };
  return { classes: await namesIn(path, names), labelOf, note: [`classes are called as ${path} says`] };
}

/** The names of numbered classes. */
async function namesIn(path: string, numbers: readonly string[]): Promise<string[]> {
  const text = await readText(path, 'names of classes');
  const lines = text.split(/\r?\n/).map((line) => line.trim().normalize('NFC'));
  const classes = numbers.map((number) => lines[Number(number)] ?? '');
  if (new Set(classes).size === classes.length && !classes.includes('')) return classes;
  throw new DataError({
    expected: `a name of its own for each of the classes 0 to ${numbers.at(-1) ?? '0'} in ${path}, a line each`,
    found: `${counted(new Set(lines.filter((line) => line !== '')).size, 'different name')} in ${counted(lines.length, 'line')}`,
    advice: 'Complete them, or take the file away: classes are then called by their numbers.',
  });
}

function placeIn(classes: readonly string[]): (name: string) => number {
  const places = new Map(classes.map((name, place) => [name, place]));
  return (name) => places.get(name) ?? 0;
}

function refuseUntrained(trained: ReadonlySet<number>, classes: readonly string[], spec: string): void {
  const untrained = classes.filter((_, label) => !trained.has(label));
  if (untrained.length === 0) return;
  throw new DataError({
    expected: `pictures of every class in the training shards of ${spec}`,
    found: `none of ${counted(untrained.length, 'class', 'classes')}:${firstTen(untrained.map(visibly))}\n`,
    advice: 'Add some, or take these classes out.',
  });
}
