import { basename, join, relative, resolve, sep } from 'node:path';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { visibly } from '../failure/visible';
import { contentsOfFiles } from '../identity/content-hashes';
import type { PictureContents } from '../identity/picture-contents';
import {
  type FoundImageClassificationData,
  type LabelledSplits,
  classificationData,
} from '../labelled/classification';
import { divided, unusedShares } from '../labelled/divided';
import type { LabelledPicture } from '../labelled/labelled-pictures';
import { type SetAside, setAsideOptions } from '../labelled/set-aside';
import { type BrokenReading, brokenAmong, skippedNotes } from '../labelled/skipped';
import type { ImageOptions } from '../picture/image-options';
import type { PictureCache } from '../picture/pack';
import { holdOut } from '../split/hold-out';
import type { BrokenPicture } from '../unlabelled/find-pictures';
import { type ClassFolder, type FolderReading, type SplitListing, classFolders } from './class-folders';
import { passedOverNotes, refuseUnusable } from './passed-over';
import { splitFolders } from './split-folders';

export interface ImageFolderOptions extends ImageOptions, SetAside, FolderReading, BrokenReading {
  readonly pictureCache?: PictureCache;
}

type LayoutReading = SetAside & FolderReading & BrokenReading;

const DIFFERENCES_NAMED = 10;

const someOf = (names: readonly string[]): string => {
  const more = names.length - DIFFERENCES_NAMED;
  return `${names.slice(0, DIFFERENCES_NAMED).map(visibly).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

/** @throws {DataError} when the classes of a split are not those of the training split. */
function checkClasses(
  folders: readonly ClassFolder[],
  splitPath: string,
  classes: readonly string[],
  trainPath: string,
): void {
  const known = new Set(classes);
  const extra = folders.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  const present = new Set(folders.map(({ name }) => name));
  const missing = classes.filter((name) => !present.has(name));
  if (extra.length === 0 && missing.length === 0) return;
  const differences = [
    ...(missing.length > 0 ? [`no ${someOf(missing)}`] : []),
    ...(extra.length > 0 ? [`also ${someOf(extra)}`] : []),
  ];
  throw new DataError({
    expected: `the same class folders in ${splitPath} as in ${trainPath}`,
    found: differences.join(' and '),
    advice: 'Add or rename folders so that both have the same classes.',
  });
}

/** Says why no picture is left: pictures that were skipped, or none. */
function nothingLeft(folder: string, skipped: readonly BrokenPicture[]): string {
  const broken = skipped.filter(({ picture }) => picture.startsWith(join(folder, sep))).length;
  if (broken === 0) return 'none';
  return broken === 1 ? 'its only picture broken' : `all its ${broken} pictures broken`;
}

/** Labels the pictures of a split, given the classes of the training split. */
function labelled(
  { classes: folders }: SplitListing,
  skipped: readonly BrokenPicture[],
  splitPath: string,
  classes: readonly string[],
  trainPath: string,
): LabelledPicture[] {
  checkClasses(folders, splitPath, classes, trainPath);
  const labels = new Map(classes.map((name, label) => [name, label]));
  const pictures = folders.flatMap(({ name, files }) => {
    const label = labels.get(name) ?? 0;
    return files.map((path) => ({ path, label }));
  });
  if (pictures.length === 0) {
    throw new DataError({
      expected: `pictures in ${splitPath}`,
      found: nothingLeft(splitPath, skipped),
      advice: 'Add pictures, or remove the folder.',
    });
  }
  return pictures;
}

/** The classes of the training split. @throws {DataError} when there are less than two, or one has no pictures. */
function classesOf(
  { classes, passedOver }: SplitListing,
  trainPath: string,
  skipped: readonly BrokenPicture[],
): string[] {
  const empty = classes.filter(({ files }) => files.length === 0);
  const [first] = empty;
  if (first !== undefined) {
    const deeper = passedOver.filter(
      ({ path, reason }) => reason === 'deeper' && path.startsWith(join(first.path, sep)),
    );
    const more = empty.length > 1 ? ` (and in ${empty.length - 1} more)` : '';
    const files = deeper.reduce((sum, item) => sum + item.files, 0);
    throw new DataError({
      expected: `pictures in the class folder ${first.path}`,
      found: `${nothingLeft(first.path, skipped)}${more}${files > 0 ? `, but ${files} files in folders below it (${someOf(deeper.map(({ path }) => basename(path)))})` : ''}`,
      advice:
        files > 0
          ? `Say --nested to take the pictures in folders below class folders, or move them up: class folders lie right in ${trainPath}.`
          : 'Add pictures, or remove the class from all splits.',
    });
  }
  if (classes.length < 2) {
    throw new DataError({
      expected: `folders of at least two classes in ${trainPath}`,
      found: `one, ${someOf(classes.map(({ name }) => name))}`,
      advice: 'Add a folder for what is not of this class: with one class there is nothing to tell apart.',
    });
  }
  return classes.map(({ name }) => name);
}

/** Class folders without splits, divided class by class. */
async function readClasses(root: string, options: LayoutReading): Promise<LabelledSplits> {
  const contents = contentsOfFiles(resolve(root));
  const listed = await classFolders(root, options);
  const {
    usable: [listing = listed],
    skipped,
  } = await usableOf(root, [listed], contents, options);
  const classes = classesOf(listing, root, skipped);
  const pictures = listing.classes.flatMap(({ name, path: folder, files }, label) =>
    files.map((path) => ({ path, label, name: `${name}/${relative(folder, path).split(sep).join('/')}` })),
  );
  const { splits, note } = divided({ pictures, classes, source: root, missing: 'train folder' }, options);
  const notes = [note, ...skippedNotes(root, skipped), ...passedOverNotes(root, listing.passedOver)];
  return { name: basename(resolve(root)), notes, classes, splits, contents, skipped };
}

/**
 * Listings without what cannot be used.
 * @throws {DataError} that lists what it is, unless it is to be skipped.
 */
async function usableOf(
  root: string,
  listings: readonly SplitListing[],
  contents: PictureContents,
  { broken, pictureCache }: BrokenReading,
): Promise<{ readonly usable: readonly SplitListing[]; readonly skipped: readonly BrokenPicture[] }> {
  const unusable = listings.flatMap((listing) => listing.unusable);
  if (broken !== 'skip') {
    refuseUnusable(root, unusable);
    return { usable: listings, skipped: [] };
  }
  const files = listings.flatMap(({ classes }) => classes.flatMap((folder) => folder.files));
  const undecoded = await brokenAmong(files, contents, pictureCache);
  const out = new Set(undecoded.map(({ picture }) => picture));
  return {
    usable: listings.map((listing) => ({
      ...listing,
      classes: listing.classes.map((folder) => ({
        ...folder,
        files: folder.files.filter((file) => !out.has(file)),
      })),
    })),
    skipped: [...unusable.map(({ path, reason }) => ({ picture: path, problem: reason })), ...undecoded],
  };
}

/** The pictures in folders, split and labelled; see {@link imageFolder}. */
export async function readLayout(root: string, options: LayoutReading): Promise<LabelledSplits> {
  const { validationShare, validationSeed } = setAsideOptions(options);
  const paths = await splitFolders(root, options);
  if (paths === undefined) return readClasses(root, options);
  const contents = contentsOfFiles(resolve(root));
  const listedTrain = await classFolders(paths.train, options);
  const listedTest = await classFolders(paths.test, options);
  const validation = paths.validation === undefined ? [] : [await classFolders(paths.validation, options)];
  const { usable: listings, skipped } = await usableOf(
    root,
    [listedTrain, listedTest, ...validation],
    contents,
    options,
  );
  const [trainListing = listedTrain, testListing = listedTest, validationListing] = listings;
  const classes = classesOf(trainListing, paths.train, skipped);
  const labels = (listing: SplitListing, path: string) =>
    labelled(listing, skipped, path, classes, paths.train);
  const train = labels(trainListing, paths.train);
  const test = labels(testListing, paths.test);
  const name = basename(resolve(root));
  const passedOver = [
    ...skippedNotes(root, skipped),
    ...unusedShares(options, paths.validation !== undefined),
    ...passedOverNotes(root, [...paths.passedOver, ...listings.flatMap((listing) => listing.passedOver)]),
  ];
  if (paths.validation !== undefined && validationListing !== undefined) {
    const splits = { train, validation: labels(validationListing, paths.validation), test };
    return { name, notes: passedOver, classes, splits, contents, skipped };
  }
  const { kept, heldOut } = holdOut(train, validationShare, validationSeed);
  if (heldOut.length === 0) {
    throw new DataError({
      expected: `at least two pictures of some class in ${paths.train}, to set one aside for validation`,
      found: `${train.length} of ${classes.length} classes`,
      advice: `Add pictures, or a folder ${join(root, 'validation')}.`,
    });
  }
  const set = `set aside for validation: ${counted(heldOut.length, 'picture')} of train`;
  const note =
    basename(paths.test) === 'test'
      ? `no validation folder; ${set}`
      : `no test folder: ${basename(paths.test)} is the test; ${set}`;
  return {
    name,
    notes: [note, ...passedOver],
    classes,
    splits: { train: kept, validation: heldOut, test },
    contents,
    skipped,
  };
}

/**
 * Opens pictures in folders: `root/{train,validation,test}/<class>/*` (`val` and `valid` are understood), or `root/<class>/*`,
 * which is divided class by class. The pictures of a class may lie in a folder `images` of it, or with `nested` anywhere below it. Classes are the sorted folder names of `train`. Without a validation split, a seeded share of
 * every training class is set aside. Without a test split, the validation split becomes the test and validation is set aside
 * from training.
 * Training pictures are varied by the preset `standard` unless told otherwise.
 * @throws {DataError} when the layout is not as described, or, with `preload`, when a picture cannot be decoded.
 * @throws {RangeError} on options outside their range.
 */
export async function imageFolder(
  root: string,
  options: ImageFolderOptions,
): Promise<FoundImageClassificationData> {
  return classificationData(await readLayout(root, options), options, 'standard');
}
