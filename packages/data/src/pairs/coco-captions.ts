import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import { contentsOfFiles } from '../identity/content-hashes';
import { grouped } from '../split/grouped';
import type { PairGroup } from './group';
import { checkedJson, readJson } from './read-json';
import type { FoundPairs } from './splits';

const identifier = z.union([z.number(), z.string()]);

/** The part of a captions file that we read. Source: https://cocodataset.org/#format-data, section 5. */
const captionsFile = z.object({
  images: z.array(z.object({ id: identifier, file_name: z.string().min(1) })),
  annotations: z.array(z.object({ image_id: identifier, caption: z.string() })),
});

const ANNOTATIONS = 'annotations';
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
  const known = new Set(listed.map(({ id }) => id));
  if (known.size < listed.length) {
    throw new DataError({
      expected: `images with an id of their own in ${path}`,
      found: `${listed.length} images with ${known.size} ids`,
      advice: 'Remove the repeated entries.',
    });
  }
  if (listed.length === 0) {
    throw new DataError({ expected: `images in ${path}`, found: 'none', advice: 'Fetch the file anew.' });
  }
  const stray = annotations.find(({ image_id }) => !known.has(image_id));
  if (stray !== undefined) {
    throw new DataError({
      expected: `captions of images that ${path} lists`,
      found: `a caption of the image ${stray.image_id}, which it does not list: '${stray.caption}'`,
      advice: 'Add the image, or remove the caption.',
    });
  }
  const captions = grouped(annotations, ({ image_id }) => image_id);
  return listed.map(({ id, file_name }) => ({
    pictures: [join(images, file_name)],
    texts: (captions.get(id) ?? []).map(({ caption }) => caption.trim()),
  }));
}

/**
 * One captions file, of which everything is for training until some is set aside.
 * `images` is the folder of its pictures; by default the one where COCO keeps them, else the folder of the file.
 */
export function cocoFile(json: unknown, path: string, images: string | undefined): FoundPairs {
  const folder = images ?? picturesBeside(path) ?? dirname(path);
  return {
    name: basename(path, '.json'),
    splits: { train: cocoGroups(json, path, folder), validation: [], test: [] },
    contents: contentsOfFiles(resolve(path)),
  };
}

/** The captions files in `root/annotations`, by the split that they are of: `train2017`, `val2017`. */
async function captionsFiles(root: string): Promise<{ path: string; split: string }[]> {
  const folder = join(root, ANNOTATIONS);
  const names = await readdir(folder).catch((): string[] => []);
  return names.sort().flatMap((name) => {
    const split = CAPTIONS_NAME.exec(name)?.[1];
    return split === undefined ? [] : [{ path: join(folder, name), split }];
  });
}

/**
 * A folder laid out as COCO: `annotations/captions_train2017.json`, `annotations/captions_val2017.json`, `train2017/*`
 * and `val2017/*`, or another year. The official validation split is the test.
 * `images` is the folder that holds `train2017` and `val2017`; by default `root`.
 * @throws {DataError} when it is not laid out so.
 */
export async function cocoFolder(root: string, images: string | undefined): Promise<FoundPairs> {
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
      found: 'no such captions file',
      advice: 'Check the path, or give that of a captions JSON, a Karpathy JSON or a CSV table.',
    });
  }
  const groups = async (file: { path: string; split: string }) =>
    cocoGroups(await readJson(file.path), file.path, join(images ?? root, file.split));
  return {
    name: basename(resolve(root)),
    splits: {
      train: await groups(train),
      validation: [],
      test: test === undefined ? [] : await groups(test),
    },
    contents: contentsOfFiles(resolve(root)),
  };
}
