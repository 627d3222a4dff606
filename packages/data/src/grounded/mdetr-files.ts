import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { refuse } from '../failure/refuse';
import { visibly } from '../failure/visible';
import { located, refuseMissing, refuseOutside } from '../file/locate';
import { checkedJson, readJson } from '../file/read-json';
import { kindAt } from '../folder/entries';
import { contentsOfFiles } from '../identity/content-hashes';
import { refuseEmptySplits } from '../split/filled';
import { annotatedSides } from '../picture/wanted';
import { grouped } from '../split/grouped';
import type { FoundGroundings, GroundedExample, GroundedObject } from './grounded-example';

/**
 * The part that we read of what MDETR's scripts make of RefCOCO, RefCOCO+, RefCOCOg and Flickr30k (`finetune_refcoco_train.json` and its
 * kin): COCO's format, with an image for each text, and the characters that name each box.
 */
const groundingFile = z.object({
  images: z.array(
    z.object({
      id: z.union([z.number(), z.string()]).transform(String),
      file_name: z.string().min(1),
      height: z.number().positive(),
      width: z.number().positive(),
      caption: z.string(),
    }),
  ),
  annotations: z.array(
    z.object({
      image_id: z.union([z.number(), z.string()]).transform(String),
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      tokens_positive: z.array(z.tuple([z.int().nonnegative(), z.int().nonnegative()])).min(1),
    }),
  ),
});
type GroundingFile = z.output<typeof groundingFile>;
type Entry = GroundingFile['images'][number];
type Annotation = GroundingFile['annotations'][number];

const TRAIN = /_train\.json$/;
/** Names of splits for the test, of which the first that is there is taken. */
const TESTS = ['test', 'testA', 'testB'] as const;
/** Pixels by which a box may reach over the picture: some tools round up. */
const OVER_THE_EDGE = 1;

/** Whether a path is that of the training split of such data, by its name. */
export const isGroundingFile = async (spec: string): Promise<boolean> =>
  TRAIN.test(spec) && (await kindAt(spec)) === 'file';

const shareOf = (length: number, whole: number): number => Math.min(1, Math.max(0, length / whole));

/** Why a box of [left, top, width, height] in pixels cannot be one of a picture; undefined where it can. */
function faultOf({ bbox: [left, top, width, height] }: Annotation, picture: Entry): string | undefined {
  const within = (length: number, start: number, whole: number): boolean =>
    shareOf(start + length, whole) > shareOf(start, whole);
  if (!(width > 0 && height > 0)) return 'has no area';
  const inside =
    left >= -OVER_THE_EDGE &&
    top >= -OVER_THE_EDGE &&
    left + width <= picture.width + OVER_THE_EDGE &&
    top + height <= picture.height + OVER_THE_EDGE;
  if (!inside) return `is not within ${picture.width}×${picture.height}`;
  const remains = within(width, left, picture.width) && within(height, top, picture.height);
  return remains ? undefined : `has no area within ${picture.width}×${picture.height}`;
}

function objectOf(
  { bbox: [left, top, width, height], tokens_positive: spans }: Annotation,
  picture: Entry,
): GroundedObject {
  return {
    box: [
      shareOf(left, picture.width),
      shareOf(top, picture.height),
      shareOf(left + width, picture.width),
      shareOf(top + height, picture.height),
    ],
    spans: spans.map(([start, end]) => ({ start, end })),
  };
}

const isSpanOf =
  (text: string) =>
  ([start, end]: readonly [number, number]): boolean =>
    start < end && end <= text.length;

/**
 * Reads a split.
 * @throws {DataError} for boxes that lie elsewhere or have no area, empty texts, characters that a text does not have, and boxes of
 * images that are not listed; the first ten are named.
 */
async function splitOf(
  path: string,
  images: string,
): Promise<{ examples: GroundedExample[]; sides: [path: string, sides: Entry][]; without: number }> {
  const file = checkedJson(groundingFile, await readJson(path), path, 'texts with boxes, as MDETR has them');
  const known = new Map(file.images.map((entry) => [entry.id, entry]));
  const pictures = file.images.map(({ file_name }) => ({ name: file_name, path: join(images, file_name) }));
  refuseOutside(images, pictures, path);
  const told = (entry: Entry | undefined, annotation: Annotation): string =>
    `[${annotation.bbox.join(', ')}] of ${visibly(entry?.file_name ?? `image ${annotation.image_id}`)}`;
  const withEntry = file.annotations.map((annotation) => ({
    annotation,
    entry: known.get(annotation.image_id),
  }));
  refuse(
    'images with an id of their own',
    path,
    [...grouped(file.images, ({ id }) => id)].flatMap(([id, all]) => (all.length > 1 ? [visibly(id)] : [])),
  );
  refuse(
    'boxes of images that are listed',
    path,
    withEntry.flatMap(({ annotation, entry }) => (entry === undefined ? [told(entry, annotation)] : [])),
  );
  refuse(
    'boxes with an area within their pictures',
    path,
    withEntry.flatMap(({ annotation, entry }) => {
      const fault = entry === undefined ? undefined : faultOf(annotation, entry);
      return fault === undefined ? [] : [`${told(entry, annotation)} ${fault}`];
    }),
  );
  refuse(
    'characters of the texts',
    path,
    withEntry.flatMap(({ annotation, entry }) =>
      entry !== undefined && !annotation.tokens_positive.every(isSpanOf(entry.caption))
        ? [`${annotation.tokens_positive.join(' ')} of '${visibly(entry.caption)}'`]
        : [],
    ),
  );
  refuse(
    'texts',
    path,
    file.images.flatMap(({ caption, file_name }) => (caption.trim() === '' ? [visibly(file_name)] : [])),
  );
  const boxes = grouped(file.annotations, ({ image_id }) => image_id);
  const examples = file.images.flatMap((entry): GroundedExample[] => {
    const own = boxes.get(entry.id) ?? [];
    return own.length === 0
      ? []
      : [
          {
            picture: join(images, entry.file_name),
            text: entry.caption,
            objects: own.map((annotation) => objectOf(annotation, entry)),
          },
        ];
  });
  const onDisk = await located(
    images,
    examples.map(({ picture }) => picture),
    path,
  );
  refuseMissing(
    [...new Set(examples.map(({ picture }) => picture).filter((picture) => !onDisk.has(picture)))],
    path,
  );
  const found = (picture: string): string => onDisk.get(picture) ?? picture;
  return {
    examples: examples.map((example) => ({ ...example, picture: found(example.picture) })),
    sides: file.images.map((entry) => [found(join(images, entry.file_name)), entry]),
    without: file.images.length - examples.length,
  };
}

/**
 * Texts with boxes in MDETR's files, by the path of the training split; the others lie beside it under the same name.
 * @param images The folder of the pictures; by default that of the file.
 * @throws {DataError} when a split is missing, or holds what it should not.
 */
export async function mdetrFiles(spec: string, images: string | undefined): Promise<FoundGroundings> {
  const beside = (split: string) => spec.replace(TRAIN, `_${split}.json`);
  const present: (typeof TESTS)[number][] = [];
  for (const name of TESTS) if ((await kindAt(beside(name))) === 'file') present.push(name);
  const [test, ...others] = present;
  if (test === undefined || (await kindAt(beside('val'))) !== 'file') {
    throw new DataError({
      expected: `${basename(beside('val'))}, and ${TESTS.map((name) => basename(beside(name))).join(' or ')}, beside ${spec}`,
      found: test === undefined ? 'no test' : 'no validation',
      advice: 'Put them there: nothing is set aside from training.',
    });
  }
  const folder = images ?? dirname(spec);
  const splits = {
    train: await splitOf(spec, folder),
    validation: await splitOf(beside('val'), folder),
    test: await splitOf(beside(test), folder),
  };
  refuseEmptySplits(
    Object.fromEntries(Object.entries(splits).map(([name, { examples }]) => [name, examples])),
    'texts with boxes',
    spec,
  );
  const notes = Object.entries(splits).flatMap(([name, { without }]) =>
    without === 0 ? [] : [`${counted(without, 'text')} of ${name} without a box: left out`],
  );
  return {
    name: basename(spec, '_train.json'),
    notes: [
      ...notes,
      ...(others.length === 0 ? [] : [`the test is ${test}; ${others.join(' and ')} are there and not used`]),
    ],
    splits: {
      train: splits.train.examples,
      validation: splits.validation.examples,
      test: splits.test.examples,
    },
    contents: contentsOfFiles(resolve(spec)),
    annotated: annotatedSides(
      Object.values(splits).flatMap(({ sides }) => sides),
      dirname(spec),
    ),
  };
}
