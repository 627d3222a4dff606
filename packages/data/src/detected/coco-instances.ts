import { basename, dirname, resolve } from 'node:path';
import { permutation, randomStream, counted } from '@winnow/core';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { refuse } from '../failure/refuse';
import { visibly } from '../failure/visible';
import { checkedJson, readJson } from '../file/read-json';
import { contentsOfFiles } from '../identity/content-hashes';
import { refuseEmptySplits } from '../split/filled';
import { annotatedSides } from '../picture/wanted';
import { grouped } from '../split/grouped';
import type { AnnotatedObject, AnnotatedPicture, FoundDetection } from './found-detection';
import {
  OVER_THE_EDGE,
  annotationTold,
  identifier,
  picturesOfImages,
  refuseNothingToLearn,
  refuseRepeated,
} from './instances-entries';
import { ANNOTATIONS, type SplitFile, chosenFiles, filesAt, picturesOf } from './instances-files';

const MOST_CLASSES = 10_000;
const LARGEST_SIDE = 1_000_000;
const side = z.int().positive().max(LARGEST_SIDE);

/** The part of an instances file that we read. Source: https://cocodataset.org/#format-data, sections 1 and 3. */
const instancesFile = z.object({
  images: z.array(z.object({ id: identifier, file_name: z.string().min(1), width: side, height: side })),
  annotations: z.array(
    z.object({
      id: identifier.optional(),
      image_id: identifier,
      category_id: identifier,
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      area: z.number().nonnegative().optional(),
      iscrowd: z.union([z.literal(0), z.literal(1)], 'expected 0, or 1 for a crowd').default(0),
    }),
  ),
  categories: z
    .array(z.object({ id: identifier, name: z.string().min(1) }))
    .min(1)
    .max(MOST_CLASSES),
});
type InstancesFile = z.output<typeof instancesFile>;
type Entry = InstancesFile['images'][number];
type Annotation = InstancesFile['annotations'][number];

/** The share of the training pictures, where there is a test and no validation. */
const SET_ASIDE = 0.1;

/** Whether a box of [left, top, width, height] lies in its picture. */
function isWithin({ bbox: [left, top, width, height] }: Annotation, picture: Entry): boolean {
  return (
    left >= -OVER_THE_EDGE &&
    top >= -OVER_THE_EDGE &&
    left + width <= picture.width + OVER_THE_EDGE &&
    top + height <= picture.height + OVER_THE_EDGE
  );
}

const hasSides = ({ bbox: [, , width, height] }: Annotation): boolean => width > 0 && height > 0;

/** Whether something of a box lies in its picture, once what reaches over the edge is cut. */
const hasArea = ({ box: [left, top, right, bottom] }: AnnotatedObject): boolean =>
  right > left && bottom > top;

function objectOf(
  { bbox: [left, top, width, height], area = width * height, iscrowd }: Annotation,
  picture: Entry,
  index: number,
): AnnotatedObject {
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  return {
    index,
    box: [
      within(left, picture.width),
      within(top, picture.height),
      within(left + width, picture.width),
      within(top + height, picture.height),
    ],
    area,
    isCrowd: iscrowd === 1,
  };
}

/** A split as its file has it. */
interface ReadSplit {
  readonly pictures: readonly AnnotatedPicture[];
  readonly categories: InstancesFile['categories'];
  /** Boxes without an area, which are left out. */
  readonly flat: number;
}

/**
 * Reads a split.
 * @param images The folder of its pictures.
 * @throws {DataError} for boxes that lie elsewhere, of images or of categories that are not listed, and for images or categories that
 * are listed twice, or share a picture; the first ten are named.
 */
async function splitOf({ path }: SplitFile, images: string): Promise<ReadSplit> {
  const file = checkedJson(instancesFile, await readJson(path), path, 'COCO instances');
  const known = new Map(file.images.map((entry) => [entry.id, entry]));
  const classes = new Map(file.categories.map(({ id }, index) => [id, index]));
  refuseRepeated(file, path);
  const told = (annotation: Annotation): string =>
    annotationTold(
      annotation,
      `[${annotation.bbox.join(', ')}] of ${visibly(known.get(annotation.image_id)?.file_name ?? `image ${annotation.image_id}`)}`,
    );
  const { annotations } = file;
  refuse(
    'boxes of images that are listed',
    path,
    annotations.filter(({ image_id }) => !known.has(image_id)).map(told),
  );
  refuse(
    'boxes of categories that are listed',
    path,
    annotations
      .filter(({ category_id }) => !classes.has(category_id))
      .map((annotation) => `category ${visibly(annotation.category_id)}: ${told(annotation)}`),
  );
  const solid = annotations.filter(hasSides);
  refuse(
    'boxes within their pictures',
    path,
    solid.flatMap((annotation) => {
      const entry = known.get(annotation.image_id);
      return entry === undefined || isWithin(annotation, entry)
        ? []
        : [`${told(annotation)}, which is ${entry.width}×${entry.height}`];
    }),
  );
  const found = await picturesOfImages(file.images, images, path);
  const boxes = grouped(solid, ({ image_id }) => image_id);
  const pictures = file.images.map((entry, place) => ({
    picture: found[place] ?? '',
    width: entry.width,
    height: entry.height,
    objects: (boxes.get(entry.id) ?? [])
      .map((annotation) => objectOf(annotation, entry, classes.get(annotation.category_id) ?? 0))
      .filter(hasArea),
  }));
  const kept = pictures.reduce((sum, { objects }) => sum + objects.length, 0);
  return { categories: file.categories, flat: annotations.length - kept, pictures };
}

/**
 * Pictures with boxes in COCO's format: by the path of a folder with `annotations/instances_train….json` and its kin, or of one of
 * these files. Pictures of `instances_train2017.json` lie in `train2017` beside `annotations`, or where `images` says. Without
 * a test the validation is the test, and a tenth of the training is set aside.
 * @throws {DataError} when a split is missing, or holds what it should not.
 */
export async function cocoInstances(spec: string, images: string | undefined): Promise<FoundDetection> {
  const files = chosenFiles(spec, await filesAt(spec));
  const read = async (file: SplitFile) => splitOf(file, await picturesOf(file, images));
  const [train, test] = [await read(files.train), await read(files.test)];
  const validation = files.validation === undefined ? undefined : await read(files.validation);
  const classes = train.categories.map(({ name }) => name);
  for (const other of [test, validation]) {
    const own = other?.categories.map(({ name }) => name) ?? classes;
    if (own.join('\n') === classes.join('\n')) continue;
    throw new DataError({
      expected: `the categories of ${basename(files.train.path)} in all splits, in one order`,
      found: `${own.slice(0, 5).map(visibly).join(', ')} … beside ${classes.slice(0, 5).map(visibly).join(', ')} …`,
      advice: 'List the same categories in every file.',
    });
  }
  const aside = validation === undefined ? setAside(train.pictures) : undefined;
  const splits = {
    train: aside?.kept ?? train.pictures,
    validation: validation?.pictures ?? aside?.heldOut ?? [],
    test: test.pictures,
  };
  refuseEmptySplits(splits, 'pictures', spec);
  refuseNothingToLearn(splits.train, ({ objects }) => objects.some(({ isCrowd }) => !isCrowd), {
    what: 'boxes',
    path: files.train.path,
  });
  const root = dirname(resolve(files.train.path));
  return {
    name: basename(basename(root) === ANNOTATIONS ? dirname(root) : files.train.path, '.json'),
    classes,
    notes: [
      ...(aside === undefined
        ? []
        : [
            `${basename(files.test.path)} is the test; set aside for validation: ${counted(aside.heldOut.length, 'picture')} of the training`,
          ]),
      ...Object.entries({ train, validation, test }).flatMap(([name, split]) =>
        split === undefined ? [] : notesOf(name, split),
      ),
    ],
    splits,
    contents: contentsOfFiles(root),
    annotated: annotatedSides(
      Object.values(splits).flatMap((pictures) => pictures.map((each) => [each.picture, each] as const)),
      root,
    ),
  };
}

function notesOf(name: string, { pictures, flat }: ReadSplit): string[] {
  const empty = pictures.filter(({ objects }) => objects.length === 0).length;
  const crowds = pictures.flatMap(({ objects }) => objects.filter(({ isCrowd }) => isCrowd)).length;
  return [
    ...(flat === 0 ? [] : [`${counted(flat, 'box', 'boxes')} of ${name} without an area: left out`]),
    ...(empty === 0
      ? []
      : [`${counted(empty, 'picture')} of ${name} without an object: kept, as nothing is to be found there`]),
    ...(crowds === 0
      ? []
      : [
          `${counted(crowds, 'box', 'boxes')} of ${name} around crowds: not learned from, and not missed in scores`,
        ]),
  ];
}

/** A tenth of some pictures, one at least, drawn by their number. */
export function setAside<Example>(pictures: readonly Example[]) {
  const count = Math.max(1, Math.round(SET_ASIDE * pictures.length));
  const out = new Set(permutation(pictures.length, randomStream(0, 'set aside')).subarray(0, count));
  return {
    kept: pictures.filter((_, index) => !out.has(index)),
    heldOut: pictures.filter((_, index) => out.has(index)),
  };
}
