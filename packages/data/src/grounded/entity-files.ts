import { basename, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { refuse } from '../failure/refuse';
import { visibly } from '../failure/visible';
import { checkedJson } from '../file/read-json';
import { readText } from '../file/read-text';
import { readXml } from '../file/read-xml';
import { AT_A_TIME, kindAt } from '../folder/entries';
import { contentsOfFiles } from '../identity/content-hashes';
import { OVER_THE_EDGE, repeatedIn } from '../detected/instances-entries';
import { annotatedSides } from '../picture/wanted';
import { refuseEmptySplits } from '../split/filled';
import { type EntitySentence, entitySentence } from './entity-sentences';
import type { FoundGroundings, GroundedExample } from './grounded-example';
import { picturesBelow } from './told-pictures';

const whole = z
  .string()
  .regex(/^\d{1,6}$/, 'expected a whole number')
  .transform(Number);
const pixels = z.tuple([whole]);
/** The part of an annotation that we read; an object without a box is a scene, or cannot be seen. */
const annotationFile = z.object({
  size: z.tuple([z.object({ width: pixels, height: pixels })]),
  object: z
    .array(
      z.object({
        name: z.array(z.string().regex(/^\d+$/, 'expected the number of an entity')).min(1),
        bndbox: z.tuple([z.object({ xmin: pixels, ymin: pixels, xmax: pixels, ymax: pixels })]).optional(),
      }),
    )
    .default([]),
});
type Annotation = z.output<typeof annotationFile>;
type Corners = readonly [left: number, top: number, right: number, bottom: number];

const SPLITS = { train: 'train.txt', validation: 'val.txt', test: 'test.txt' } as const;
const NAME = /^[\w-]{1,100}$/;
/** Where pictures lie by themselves. */
const PICTURES = 'flickr30k-images';

/** Whether a path is that of a folder with Flickr30k Entities, by what is in it. */
export async function isEntityFolder(spec: string): Promise<boolean> {
  if ((await kindAt(spec)) !== 'folder') return false;
  const [sentences, annotations, list] = [
    await kindAt(join(spec, 'Sentences')),
    await kindAt(join(spec, 'Annotations')),
    await kindAt(join(spec, SPLITS.train)),
  ];
  return sentences === 'folder' && annotations === 'folder' && list === 'file';
}

const linesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** The boxes of each entity, in pixels from 0; in the files they are from 1. */
function boxesOf({ object }: Annotation): ReadonlyMap<string, readonly Corners[]> {
  const boxes = new Map<string, Corners[]>();
  for (const { name, bndbox } of object) {
    if (bndbox === undefined) continue;
    const [{ xmin, ymin, xmax, ymax }] = bndbox;
    const corners: Corners = [xmin[0] - 1, ymin[0] - 1, xmax[0] - 1, ymax[0] - 1];
    for (const entity of name) {
      const own = boxes.get(entity);
      if (own === undefined) boxes.set(entity, [corners]);
      else own.push(corners);
    }
  }
  return boxes;
}

interface Described {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<string, readonly Corners[]>;
  readonly lines: readonly { readonly said: string; readonly sentence: EntitySentence | undefined }[];
}

async function described(folder: string, name: string): Promise<Described> {
  const path = join(folder, 'Annotations', `${name}.xml`);
  const annotation = checkedJson(
    annotationFile,
    await readXml(path, 'annotation'),
    path,
    'boxes, as Flickr30k Entities has them',
  );
  const lines = linesOf(await readText(join(folder, 'Sentences', `${name}.txt`), 'sentences'));
  const [{ width, height }] = annotation.size;
  return {
    name,
    width: width[0],
    height: height[0],
    boxes: boxesOf(annotation),
    lines: lines.map((said) => ({ said, sentence: entitySentence(said) })),
  };
}

/** Cuts a box to its picture, in shares of the sides. */
function sharesOf([left, top, right, bottom]: Corners, { width, height }: Described) {
  const share = (length: number, whole: number): number => Math.min(1, Math.max(0, length / whole));
  return [share(left, width), share(top, height), share(right, width), share(bottom, height)] as const;
}

/** Why a box cannot be one of a picture; undefined where it can. */
function faultOf(box: Corners, picture: Described): string | undefined {
  const [left, top, right, bottom] = box;
  const { width, height } = picture;
  if (!(right > left && bottom > top)) return 'has no area';
  const isWithin =
    Math.min(left, top) >= -OVER_THE_EDGE &&
    right <= width + OVER_THE_EDGE &&
    bottom <= height + OVER_THE_EDGE;
  if (!isWithin) return `is not within ${width}×${height}`;
  const [x1, y1, x2, y2] = sharesOf(box, picture);
  return x2 > x1 && y2 > y1 ? undefined : `has no area within ${width}×${height}`;
}

interface ReadSplit {
  readonly pictures: readonly Described[];
  readonly examples: readonly GroundedExample[];
  /** Sentences without a box. */
  readonly without: number;
}

/** @throws {DataError} for boxes that lie elsewhere, and sentences that are none; the first ten are named. */
async function splitOf(folder: string, list: string, images: string): Promise<ReadSplit> {
  const source = join(folder, list);
  const names = linesOf(await readText(source, 'names of pictures'));
  refuse(
    'names of pictures without their ending',
    source,
    names.filter((name) => !NAME.test(name)).map(visibly),
  );
  refuse('names of pictures, each once,', source, repeatedIn(names));
  const limit = pLimit(AT_A_TIME);
  const pictures = await Promise.all(names.map((name) => limit(() => described(folder, name))));
  refuse(
    'boxes with an area within their pictures',
    join(folder, 'Annotations'),
    pictures.flatMap((picture) =>
      [...new Set([...picture.boxes.values()].flat())].flatMap((box) => {
        const fault = faultOf(box, picture);
        return fault === undefined ? [] : [`[${box.join(', ')}] of ${picture.name} ${fault}`];
      }),
    ),
  );
  refuse(
    'sentences whose phrases are marked [/EN#number/kind words]',
    join(folder, 'Sentences'),
    pictures.flatMap(({ name, lines }) =>
      lines.flatMap(({ said, sentence }) => (sentence === undefined ? [`${name}: ${visibly(said)}`] : [])),
    ),
  );
  const fileOf = (name: string): string => `${name}.jpg`;
  const pathOf = await picturesBelow(images, names.map(fileOf), source);
  const examples = pictures.flatMap((picture) =>
    picture.lines.flatMap(({ sentence }): GroundedExample[] => {
      if (sentence === undefined) return [];
      const objects = sentence.phrases.flatMap(({ entity, span }) =>
        (picture.boxes.get(entity) ?? []).map((box) => ({ box: sharesOf(box, picture), spans: [span] })),
      );
      const { text } = sentence;
      return objects.length === 0 ? [] : [{ picture: pathOf(fileOf(picture.name)), text, objects }];
    }),
  );
  const sentences = pictures.reduce((sum, { lines }) => sum + lines.length, 0);
  return { pictures, examples, without: sentences - examples.length };
}

/**
 * Sentences with the boxes of their phrases in the files of Flickr30k Entities (Plummer et al., 2015), by the path of their folder:
 * `train.txt`, `val.txt` and `test.txt` with names of pictures, `Sentences/<name>.txt` and `Annotations/<name>.xml`. Phrases without a
 * box (scenes, and what is not visible) have none here.
 * @param images The folder of the pictures; by default `flickr30k-images` in the folder, if it is there, or the folder.
 * @throws {DataError} when a file is missing, or holds what it should not.
 */
export async function entityFiles(spec: string, images: string | undefined): Promise<FoundGroundings> {
  const missing: string[] = [];
  for (const name of Object.values(SPLITS))
    if ((await kindAt(join(spec, name))) !== 'file') missing.push(name);
  if (missing.length > 0) {
    throw new DataError({
      expected: `${Object.values(SPLITS).join(', ')} in ${spec}`,
      found: `no ${missing.join(', ')}`,
      advice: 'Put them there: nothing is set aside from training.',
    });
  }
  const apart = join(spec, PICTURES);
  const folder = images ?? ((await kindAt(apart)) === 'folder' ? apart : spec);
  const splits = {
    train: await splitOf(spec, SPLITS.train, folder),
    validation: await splitOf(spec, SPLITS.validation, folder),
    test: await splitOf(spec, SPLITS.test, folder),
  };
  const examples = {
    train: splits.train.examples,
    validation: splits.validation.examples,
    test: splits.test.examples,
  };
  refuseEmptySplits(examples, 'sentences with boxes', spec);
  const sides = Object.values(splits).flatMap(({ pictures }) =>
    pictures.map(({ name, ...size }) => [join(folder, `${name}.jpg`), size] as const),
  );
  return {
    name: basename(resolve(spec)),
    notes: Object.entries(splits).flatMap(([name, { without }]) =>
      without === 0 ? [] : [`${counted(without, 'sentence')} of ${name} without a box: left out`],
    ),
    splits: examples,
    contents: contentsOfFiles(resolve(spec)),
    annotated: annotatedSides(sides, spec),
  };
}
