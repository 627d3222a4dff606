import { basename, join, resolve } from 'node:path';
import type { ImageClassificationData } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { contentsOfFiles } from '../identity/content-hashes';
import { type LabelledSplits, classificationData } from '../labelled/classification';
import type { LabelledPicture } from '../labelled/labelled-pictures';
import type { ImageOptions } from '../picture/image-options';
import { holdOut } from '../split/hold-out';
import { type ClassFolder, classFolders, kindAt } from './class-folders';

const VALIDATION_FOLDERS = ['validation', 'val', 'valid'] as const;
const DEFAULT_VALIDATION_SHARE = 0.1;

export interface SetAside {
  /**
   * Without a validation split: the share of each class's training pictures to set aside for validation. Default 0.1.
   */
  readonly validationShare?: number;
  /** Decides which pictures are set aside. Default 0; two runs that are to be compared need the same. */
  readonly validationSeed?: number;
}

export interface ImageFolderOptions extends ImageOptions, SetAside {}

const LAYOUT = 'train/<class>/*, test/<class>/* and, if there is one, validation/<class>/*';

interface SplitFolders {
  readonly train: string;
  readonly validation: string | undefined;
  readonly test: string;
}

async function splitFolders(root: string): Promise<SplitFolders> {
  const kind = await kindAt(root);
  if (kind !== 'folder') {
    throw new DataError({
      expected: `an image folder at ${root} with ${LAYOUT}`,
      found: kind === undefined ? 'nothing there' : 'something that is not a folder',
      advice: 'Check the path.',
    });
  }
  const present = async (name: string) =>
    (await kindAt(join(root, name))) === 'folder' ? [join(root, name)] : [];
  const [train] = await present('train');
  if (train === undefined) {
    throw new DataError({
      expected: `the folder ${join(root, 'train')} with one folder of pictures per class`,
      found: 'no such folder',
      advice: `Lay the dataset out as ${LAYOUT}.`,
    });
  }
  const [validation, ...others] = (await Promise.all(VALIDATION_FOLDERS.map(present))).flat();
  if (validation !== undefined && others.length > 0) {
    throw new DataError({
      expected: 'one validation folder',
      found: [validation, ...others].join(' and '),
      advice: 'Keep one of them.',
    });
  }
  const [test] = await present('test');
  // A test on the pictures that also chose the model would flatter it: a lone held-out split is for the test alone.
  if (test === undefined && validation !== undefined)
    return { train, validation: undefined, test: validation };
  if (test === undefined) {
    throw new DataError({
      expected: `held-out pictures in ${join(root, 'test')}, or in ${join(root, 'validation')} to be tested on`,
      found: 'neither folder',
      advice: 'Move some pictures of each class there; they must not be trained on.',
    });
  }
  return { train, validation, test };
}

/** Labels the pictures of a split, given the classes of the training split. */
function labelled(
  folders: readonly ClassFolder[],
  splitPath: string,
  classes: readonly string[],
  trainPath: string,
): LabelledPicture[] {
  const known = new Set(classes);
  const extra = folders.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  const present = new Set(folders.map(({ name }) => name));
  const missing = classes.filter((name) => !present.has(name));
  if (extra.length > 0 || missing.length > 0) {
    const differences = [
      ...(missing.length > 0 ? [`no ${missing.join(', ')}`] : []),
      ...(extra.length > 0 ? [`also ${extra.join(', ')}`] : []),
    ];
    throw new DataError({
      expected: `the same class folders in ${splitPath} as in ${trainPath}`,
      found: differences.join(' and '),
      advice: 'Add or rename folders so that both have the same classes.',
    });
  }
  const pictures = folders.flatMap(({ name, files }) => {
    const label = classes.indexOf(name);
    return files.map((path) => ({ path, label }));
  });
  if (pictures.length === 0) {
    throw new DataError({
      expected: `pictures in ${splitPath}`,
      found: 'none',
      advice: 'Add pictures, or remove the folder.',
    });
  }
  return pictures;
}

/** The pictures in folders, split and labelled; see {@link imageFolder}. */
export async function readLayout(root: string, options: SetAside): Promise<LabelledSplits> {
  const { validationShare = DEFAULT_VALIDATION_SHARE, validationSeed = 0 } = options;
  if (!(validationShare > 0 && validationShare < 1)) {
    throw new RangeError(`expected validationShare between 0 and 1, got ${validationShare}`);
  }
  const paths = await splitFolders(root);
  const trainFolders = await classFolders(paths.train);
  const empty = trainFolders.find(({ files }) => files.length === 0);
  if (empty !== undefined) {
    throw new DataError({
      expected: `pictures in the class folder ${empty.path}`,
      found: 'none',
      advice: 'Add pictures, or remove the class from all splits.',
    });
  }
  const classes = trainFolders.map(({ name }) => name);
  const read = async (path: string) => labelled(await classFolders(path), path, classes, paths.train);
  const train = labelled(trainFolders, paths.train, classes, paths.train);
  const test = await read(paths.test);
  const name = basename(resolve(root));
  const contents = contentsOfFiles(resolve(root));
  if (paths.validation !== undefined) {
    return { name, classes, splits: { train, validation: await read(paths.validation), test }, contents };
  }
  const { kept, heldOut } = holdOut(train, validationShare, validationSeed);
  if (heldOut.length === 0) {
    throw new DataError({
      expected: `at least two pictures of some class in ${paths.train}, to set one aside for validation`,
      found: `${train.length} of ${classes.length} classes`,
      advice: `Add pictures, or a folder ${join(root, 'validation')}.`,
    });
  }
  return { name, classes, splits: { train: kept, validation: heldOut, test }, contents };
}

/**
 * Opens pictures in folders: `root/{train,validation,test}/<class>/*` (`val` and `valid` are understood). Classes are the
 * sorted folder names of `train`. Without a validation split, a seeded share of every training class is set aside.
 * Without a test split, the validation split becomes the test and validation is set aside from training.
 * Training pictures are varied by the preset `standard` unless told otherwise.
 * @throws {DataError} when the layout is not as described, or, with `preload`, when a picture cannot be decoded.
 * @throws {RangeError} on options outside their range.
 */
export async function imageFolder(
  root: string,
  options: ImageFolderOptions,
): Promise<ImageClassificationData> {
  return classificationData(await readLayout(root, options), options, 'standard');
}
