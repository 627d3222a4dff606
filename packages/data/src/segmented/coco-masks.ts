import { createHash } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';
import { IGNORED, type Sides, counted } from '@winnow/core';
import { z } from 'zod';
import { setAside } from '../detected/coco-instances';
import {
  OVER_THE_EDGE,
  annotationTold,
  identifier,
  picturesOfImages,
  refuseNothingToLearn,
  refuseRepeated,
} from '../detected/instances-entries';
import {
  ANNOTATIONS,
  type SplitFile,
  chosenFiles,
  filesAt,
  isInstances,
  picturesOf,
} from '../detected/instances-files';
import { DataError } from '../failure/data-error';
import { refuse } from '../failure/refuse';
import { visibly } from '../failure/visible';
import { checkedJson, readJson } from '../file/read-json';
import { contentsOfFiles } from '../identity/content-hashes';
import { grouped } from '../split/grouped';
import { refuseEmptySplits } from '../split/filled';
import { type Shape, areaOf, hasPixels, painted } from './coco-shapes';
import type { FoundSegmentation, SegmentedPicture } from './found-segmentation';
import type { Mask } from './index-png';
import { type Labels, labelsNamed } from './labels';

/** The most pixels of a mask, as of a PNG. */
const MOST_PIXELS = 2 ** 26;
const side = z
  .int()
  .positive()
  .max(2 ** 16);
const BACKGROUND = 'background';

const shape = z.union(
  [
    z
      .array(
        z
          .array(z.number())
          .min(6, 'expected polygons of three corners or more')
          .refine((corners) => corners.length % 2 === 0),
      )
      .min(1, 'expected polygons of three corners or more, not an empty list'),
    z.object({
      size: z.tuple([side, side]),
      counts: z.union([z.array(z.int().nonnegative()), z.string()]),
    }),
  ],
  'expected polygons of three corners or more, [x, y, x, y, …], or runs with size and counts',
);
/** The part of an instances file that masks are made of. Source: https://cocodataset.org/#format-data, section 1. */
const instancesFile = z.object({
  images: z.array(z.object({ id: identifier, file_name: z.string().min(1), width: side, height: side })),
  annotations: z.array(
    z.object({
      id: identifier.optional(),
      image_id: identifier,
      category_id: identifier,
      segmentation: shape,
      area: z.number().nonnegative().optional(),
      iscrowd: z.union([z.literal(0), z.literal(1)], 'expected 0, or 1 for a crowd').default(0),
    }),
  ),
  categories: z
    .array(z.object({ id: identifier, name: z.string().min(1) }))
    .min(1)
    .max(254),
});
type InstancesFile = z.output<typeof instancesFile>;

/** The objects of a picture, the largest first: smaller ones lie upon them. */
interface Outlines {
  readonly width: number;
  readonly height: number;
  readonly objects: readonly { readonly label: number; readonly shape: Shape }[];
}

interface ReadSplit {
  readonly examples: readonly SegmentedPicture[];
  readonly outlines: ReadonlyMap<string, Outlines>;
  readonly categories: readonly string[];
  /** Categories that count, behind the background. */
  readonly classes: readonly string[];
  readonly crowds: number;
  /** Outlines without a pixel, which are left out. */
  readonly bare: number;
}

/** Whether a path is that of pictures with outlines in COCO's format, by the names of its files. */
export const isCocoMasks = isInstances;

/** The labels of categories, the background first: those that are called void or ignored do not count. */
function labelsOf(categories: InstancesFile['categories'], path: string): Labels {
  refuse(
    `categories with another name than '${BACKGROUND}', as what nothing outlines is called,`,
    path,
    categories.flatMap(({ id, name }) => (name === BACKGROUND ? [`category ${visibly(id)}`] : [])),
    'Remove the category and its outlines.',
  );
  return labelsNamed([BACKGROUND, ...categories.map(({ name }) => name)], path);
}

/** Why an outline is none of a picture; undefined where it is one. */
function faultOf(shape: Shape, { width, height }: Sides): string | undefined {
  if ('counts' in shape) {
    const [rows, columns] = shape.size;
    return rows === height && columns === width
      ? undefined
      : `runs of ${columns}×${rows} pixels, of ${width}×${height}`;
  }
  const isBeyond = (value: number, place: number): boolean =>
    value < -OVER_THE_EDGE || value > (place % 2 === 0 ? width : height) + OVER_THE_EDGE;
  const polygon = shape.find((corners) => corners.some(isBeyond));
  if (polygon === undefined) return undefined;
  const place = polygon.findIndex(isBeyond);
  const corner = polygon.slice(place - (place % 2), place - (place % 2) + 2);
  return `a corner at ${corner.join(', ')} of ${width}×${height}`;
}

const sizeOf = ({ area, segmentation }: InstancesFile['annotations'][number]): number =>
  area ?? areaOf(segmentation);

async function splitOf({ path }: SplitFile, images: string): Promise<ReadSplit> {
  const file = checkedJson(instancesFile, await readJson(path), path, 'COCO instances with outlines');
  const classes = new Map(file.categories.map(({ id }, index) => [id, index]));
  const known = new Map(file.images.map((entry) => [entry.id, entry]));
  refuseRepeated(file, path);
  const { classes: names, meaning } = labelsOf(file.categories, path);
  const idOf = (annotation: InstancesFile['annotations'][number]): string =>
    annotationTold(
      annotation,
      `category ${visibly(annotation.category_id)} in image ${visibly(annotation.image_id)}`,
    );
  refuse(
    'outlines of images and categories that are listed',
    path,
    file.annotations
      .filter(({ image_id, category_id }) => !known.has(image_id) || !classes.has(category_id))
      .map(idOf),
  );
  refuse(
    `images of up to ${MOST_PIXELS} pixels`,
    path,
    file.images
      .filter(({ width, height }) => width * height > MOST_PIXELS)
      .map(({ file_name }) => visibly(file_name)),
  );
  refuse(
    'outlines within their pictures',
    path,
    file.annotations.flatMap((annotation) => {
      const entry = known.get(annotation.image_id);
      const wrong = entry === undefined ? undefined : faultOf(annotation.segmentation, entry);
      return wrong === undefined ? [] : [`${idOf(annotation)}: ${wrong}`];
    }),
  );
  const pictures = await picturesOfImages(file.images, images, path);
  const seen = file.annotations.filter(({ image_id, segmentation }) => {
    const entry = known.get(image_id);
    return entry !== undefined && hasPixels(segmentation, entry);
  });
  const ofImage = grouped(seen, ({ image_id }) => image_id);
  const outlines = new Map<string, Outlines>();
  const examples = file.images.map(({ id, width, height }, place): SegmentedPicture => {
    const mask = `${path}, image ${visibly(id)}`;
    const own = [...(ofImage.get(id) ?? [])].sort((one, other) => sizeOf(other) - sizeOf(one));
    // What stands for a crowd does not count, and lies below what is outlined by itself.
    const objects = [
      ...own.filter(({ iscrowd }) => iscrowd === 1),
      ...own.filter(({ iscrowd }) => iscrowd === 0),
    ];
    outlines.set(mask, {
      ...{ width, height },
      objects: objects.map(({ category_id, segmentation, iscrowd }) => ({
        label: iscrowd === 1 ? IGNORED : (meaning[(classes.get(category_id) ?? 0) + 1] ?? IGNORED),
        shape: segmentation,
      })),
    });
    return { picture: pictures[place] ?? '', mask };
  });
  return {
    examples,
    outlines,
    categories: file.categories.map(({ name }) => name),
    classes: names,
    crowds: seen.filter(({ iscrowd }) => iscrowd === 1).length,
    bare: file.annotations.length - seen.length,
  };
}

/** Paints the objects of a picture over its background. @throws {DataError} when runs are of another size. */
function maskOf({ width, height, objects }: Outlines, path: string): Mask {
  const labels = new Uint8Array(width * height);
  for (const { label, shape: own } of objects) {
    const wrong = painted(own, { width, height }, (row, from, to) =>
      labels.fill(label, row * width + from, row * width + to),
    );
    if (wrong === undefined) continue;
    throw new DataError({
      expected: `runs of ${width}×${height} pixels in ${path}, as the image is`,
      found: wrong,
      advice: 'Mend or remove this annotation.',
    });
  }
  return { width, height, labels };
}

/**
 * Pictures with outlines in COCO's format, polygons and runs: by the path of a folder with `annotations/instances_train….json` and its kin,
 * or of one of these files; pictures lie as for boxes. Every category is a class, behind the background; of objects that overlap the smaller
 * lies on top, and pixels of crowds do not count. Without a test the validation is the test, and a tenth of the training is set aside.
 * @throws {DataError} when a split is missing, or holds what it should not.
 */
export async function cocoMasks(spec: string, images: string | undefined): Promise<FoundSegmentation> {
  const files = chosenFiles(spec, await filesAt(spec));
  const read = async (file: SplitFile) => splitOf(file, await picturesOf(file, images));
  const [train, test] = [await read(files.train), await read(files.test)];
  const validation = files.validation === undefined ? undefined : await read(files.validation);
  for (const other of [test, validation]) {
    if (other === undefined || other.categories.join('\n') === train.categories.join('\n')) continue;
    throw new DataError({
      expected: `the categories of ${basename(files.train.path)} in all splits, in one order`,
      found: `${other.categories.slice(0, 5).map(visibly).join(', ')} …`,
      advice: 'List the same categories in every file.',
    });
  }
  const aside = validation === undefined ? setAside(train.examples) : undefined;
  const splits = {
    train: aside?.kept ?? train.examples,
    validation: validation?.examples ?? aside?.heldOut ?? [],
    test: test.examples,
  };
  refuseEmptySplits(splits, 'pictures', spec);
  refuseNothingToLearn(
    splits.train,
    ({ mask }) => train.outlines.get(mask)?.objects.some(({ label }) => label !== IGNORED) === true,
    { what: 'outlines', path: files.train.path },
  );
  const outlines = new Map([...train.outlines, ...test.outlines, ...(validation?.outlines ?? [])]);
  const root = dirname(resolve(files.train.path));
  const ofFiles = contentsOfFiles(root);
  const outlinesAt = (path: string): Outlines => {
    const found = outlines.get(path);
    if (found !== undefined) return found;
    throw new RangeError(`expected a mask of these data, got ${path}`);
  };
  const crowds = train.crowds + test.crowds + (validation?.crowds ?? 0);
  return {
    name: basename(basename(root) === ANNOTATIONS ? dirname(root) : files.train.path, '.json'),
    classes: train.classes,
    notes: [
      ...(aside === undefined
        ? []
        : [
            `${basename(files.test.path)} is the test; set aside for validation: ${counted(aside.heldOut.length, 'picture')} of the training`,
          ]),
      ...(crowds === 0 ? [] : [`pixels of ${counted(crowds, 'crowd')} do not count`]),
      ...Object.entries({ train, validation, test }).flatMap(([name, split]) =>
        split === undefined || split.bare === 0
          ? []
          : [`${counted(split.bare, 'outline')} of ${name} that cover no pixel: left out`],
      ),
    ],
    splits,
    contents: async (paths, cache) => {
      const onDisk = paths.filter((path) => !outlines.has(path));
      const hashes = await ofFiles(onDisk, cache);
      const known = new Map(onDisk.map((path, place) => [path, hashes[place] ?? '']));
      return paths.map((path) => known.get(path) ?? digestOf(outlinesAt(path)));
    },
    masks: { read: (path) => Promise.resolve().then(() => maskOf(outlinesAt(path), path)) },
  };
}

const digestOf = (outlines: Outlines): string =>
  createHash('sha256').update(JSON.stringify(outlines)).digest('hex');
