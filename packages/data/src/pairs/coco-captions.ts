import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';
import { explained, isAbsence } from '../failure/system-failure';
import { entriesOf } from '../folder/entries';
import { contentsOfFiles } from '../identity/content-hashes';
import { grouped } from '../split/grouped';
import type { PairGroup } from './group';
import { checkedJson, readJson } from '../file/read-json';
import { refuseOutside } from '../file/locate';
import type { NamedPairs } from './splits';

/** Numbers and strings are the same name of an image: tools that export COCO mix 7 and "7". */
const identifier = z.union([z.number(), z.string()]).transform(String);

/** The part of a captions file that we read. Source: https://cocodataset.org/#format-data, section 5. */
const captionsFile = z.object({
  images: z.array(z.object({ id: identifier, file_name: z.string().min(1) })),
  annotations: z.array(z.object({ image_id: identifier, caption: z.string() })),
});

/** The folder that makes a folder one of COCO's. */
export const ANNOTATIONS = 'annotations';
/** Folders looked into for captions that were expected elsewhere. */
const MOST_LOOKED_INTO = 20;
const CAPTIONS_NAME = /^captions_((?:train|val).*)\.json$/;

/** Where COCO keeps the pictures of `annotations/captions_<split>.json`; undefined for a file of another name. */
function picturesBeside(path: string): string | undefined {
  const split = CAPTIONS_NAME.exec(basename(path))?.[1];
  const folder = dirname(resolve(path));
  return split !== undefined && basename(folder) === ANNOTATIONS ? join(dirname(folder), split) : undefined;
}

/**
 * One group for each picture of a captions file, in the file's order.
 * @throws {DataError} when the JSON is not a captions file, or its parts do not fit each other.
 */
export function cocoGroups(json: unknown, path: string, images: string): PairGroup[] {
  const { images: listed, annotations } = checkedJson(captionsFile, json, path, 'COCO captions');
  const known = grouped(listed, ({ id }) => id);
  if (known.size < listed.length) {
    const repeated = [...known].filter(([, images]) => images.length > 1);
    throw new DataError({
      expected: `images with an id of their own in ${path}`,
      found: `${listed.length} images with ${known.size} ids:${firstTen(
        repeated.map(
          ([id, images]) =>
            `${id}: ${images
              .slice(0, 3)
              .map(({ file_name }) => file_name)
              .join(', ')}`,
        ),
      )}\n`,
      advice: 'Give each image an id of its own; numbers and texts of the same digits count as the same.',
    });
  }
  if (listed.length === 0) {
    throw new DataError({ expected: `images in ${path}`, found: 'none', advice: 'Fetch the file anew.' });
  }
  const stray = annotations.filter(({ image_id }) => !known.has(image_id));
  if (stray.length > 0) {
    throw new DataError({
      expected: `captions of images that ${path} lists`,
      found: `${stray.length} of images that it does not list:${firstTen(
        stray.map(({ image_id, caption }) => `image ${image_id}: '${caption}'`),
      )}\n`,
      advice: 'Add the images, or remove the captions.',
    });
  }
  const pictures = listed.map(({ file_name }) => ({ name: file_name, path: join(images, file_name) }));
  refuseOutside(images, pictures, path);
  const captions = grouped(annotations, ({ image_id }) => image_id);
  return listed.map(({ id }, place) => ({
    pictures: [pictures[place]?.path ?? ''],
    texts: (captions.get(id) ?? []).map(({ caption }) => caption.trim()),
  }));
}

/**
 * One captions file, of which everything is for training until some is set aside.
 * `images` is the folder of its pictures; by default the one where COCO keeps them, else the folder of the file.
 */
export function cocoFile(json: unknown, path: string, images: string | undefined): NamedPairs {
  const folder = images ?? picturesBeside(path) ?? dirname(path);
  return {
    name: basename(path, '.json'),
    notes: [],
    splits: { train: cocoGroups(json, path, folder), validation: [], test: [] },
    folders: [folder],
    contents: contentsOfFiles(resolve(path)),
  };
}

/** The captions files in `root/annotations`, by the split that they are of: `train2017`, `val2017`. */
async function captionsFiles(root: string): Promise<{ path: string; split: string }[]> {
  const folder = join(root, ANNOTATIONS);
  const names = await readdir(folder).catch((cause: unknown): string[] => {
    if (isAbsence(cause)) return [];
    throw explained(cause, `COCO's captions in the folder ${folder}`);
  });
  return names.sort().flatMap((name) => {
    const split = CAPTIONS_NAME.exec(name)?.[1];
    return split === undefined ? [] : [{ path: join(folder, name), split }];
  });
}

/** Finds out what lies in a folder that has no captions file, and what to do about it. */
async function insteadOfCaptions(root: string): Promise<{ found: string; advice: string }> {
  const folders = (await entriesOf(root)).filter(({ kind }) => kind === 'folder');
  for (const { path } of folders.slice(0, MOST_LOOKED_INTO)) {
    if ((await captionsFiles(path)).length > 0)
      return { found: `it one level down, in ${path}`, advice: `Give that folder: --data ${path}` };
  }
  if (folders.some(({ name }) => name === 'train'))
    return { found: 'folders of classes', advice: 'Classes without texts are for --task classification.' };
  return {
    found: 'no such captions file',
    advice: 'Check the path, or give that of a captions JSON, a Karpathy JSON or a CSV table.',
  };
}

/**
 * A folder laid out as COCO: `annotations/captions_train2017.json`, `annotations/captions_val2017.json`, `train2017/*`
 * and `val2017/*`, or another year. The official validation split is the test.
 * `images` is the folder that holds `train2017` and `val2017`; by default `root`.
 * @throws {DataError} when it is not laid out so.
 */
export async function cocoFolder(root: string, images: string | undefined): Promise<NamedPairs> {
  const files = await captionsFiles(root);
  const only = (kind: string) => {
    const [file, ...others] = files.filter(({ split }) => split.startsWith(kind));
    if (file !== undefined && others.length > 0) {
      throw new DataError({
        expected: `one file captions_${kind}<year>.json in ${join(root, ANNOTATIONS)}`,
        found: [file, ...others].map(({ path }) => basename(path)).join(' and '),
        advice: 'Keep one of them.',
      });
    }
    return file;
  };
  const [train, test] = [only('train'), only('val')];
  if (train === undefined) {
    throw new DataError({
      expected: `COCO's layout in ${root}: annotations/captions_train<year>.json, train<year>/*, and the same for val`,
      ...(await insteadOfCaptions(root)),
    });
  }
  const folderOf = ({ split }: { split: string }) => join(images ?? root, split);
  const groups = async (file: { path: string; split: string }) =>
    cocoGroups(await readJson(file.path), file.path, folderOf(file));
  return {
    name: basename(resolve(root)),
    notes: test === undefined ? [] : [`${basename(test.path)} is the test`],
    splits: {
      train: await groups(train),
      validation: [],
      test: test === undefined ? [] : await groups(test),
    },
    folders: [train, ...(test === undefined ? [] : [test])].map(folderOf),
    contents: contentsOfFiles(resolve(root)),
  };
}
