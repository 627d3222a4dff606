import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { contentsOfFiles } from '../identity/content-hashes';
import type { PairGroup } from './group';
import { checkedJson } from '../file/read-json';
import { refuseOutside } from '../file/locate';
import type { NamedPairs } from './splits';

/** `restval` is what COCO's validation pictures beyond Karpathy's validation and test are called. */
const karpathySplits = ['train', 'restval', 'val', 'test'] as const;

/** The part of `dataset_coco.json` and `dataset_flickr30k.json` that we read (Karpathy and Fei-Fei, 2015). */
const karpathyFile = z.object({
  images: z.array(
    z.object({
      filename: z.string().min(1),
      filepath: z.string().optional(),
      split: z.enum(karpathySplits),
      sentences: z.array(z.object({ raw: z.string() })),
    }),
  ),
});

const nameOf = ({ filepath, filename }: { filepath?: string | undefined; filename: string }): string =>
  filepath === undefined ? filename : join(filepath, filename);

/**
 * Pictures in Karpathy's splits; `restval` counts as training. `images` is the folder below which the pictures lie; by
 * default that of the file.
 * @throws {DataError} when the JSON is not such a file.
 */
export function karpathyPairs(json: unknown, path: string, images: string | undefined): NamedPairs {
  const listed = checkedJson(karpathyFile, json, path, "captions with Karpathy's splits").images;
  const folder = images ?? dirname(path);
  refuseOutside(
    folder,
    listed.map(nameOf).map((name) => ({ name, path: join(folder, name) })),
    path,
  );
  const groups = (...splits: (typeof karpathySplits)[number][]): PairGroup[] =>
    listed
      .filter(({ split }) => splits.includes(split))
      .map(({ sentences, ...named }) => ({
        pictures: [join(folder, nameOf(named))],
        texts: sentences.map(({ raw }) => raw.trim()),
      }));
  return {
    name: basename(path, '.json'),
    notes: [],
    splits: { train: groups('train', 'restval'), validation: groups('val'), test: groups('test') },
    folders: [folder],
    contents: contentsOfFiles(resolve(path)),
  };
}
