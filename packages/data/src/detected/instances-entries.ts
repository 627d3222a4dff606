import { join } from 'node:path';
import { z } from 'zod';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { refuse } from '../failure/refuse';
import { visibly } from '../failure/visible';
import { located, refuseMissing, refuseOutside } from '../file/locate';
import { grouped } from '../split/grouped';

/** Numbers and strings are the same name: tools that export COCO mix 7 and "7". */
export const identifier = z.union([z.number(), z.string()]).transform(String);
/** Pixels by which something may reach over the picture: some tools round up. */
export const OVER_THE_EDGE = 1;

/** Entries that boxes and outlines have in common. */
interface Entries {
  readonly images: readonly { readonly id: string; readonly file_name: string }[];
  readonly annotations: readonly { readonly id?: string | undefined }[];
  readonly categories: readonly { readonly id: string; readonly name: string }[];
}

/** Names an annotation by its id, where it has one, in front of what it is. */
export const annotationTold = ({ id }: { readonly id?: string | undefined }, text: string): string =>
  id === undefined ? text : `annotation ${visibly(id)}, ${text}`;

/** The names that occur more than once. */
export const repeatedIn = (names: readonly string[]): string[] =>
  [...grouped(names, (name) => name)].flatMap(([name, all]) => (all.length > 1 ? [visibly(name)] : []));

/**
 * Refuses what one could be taken for another.
 * @throws {DataError} for images, categories and annotations that share an id, and categories that share a name.
 */
export function refuseRepeated({ images, annotations, categories }: Entries, path: string): void {
  const ids = (all: readonly { readonly id?: string | undefined }[]) =>
    repeatedIn(all.flatMap(({ id }) => (id === undefined ? [] : [id])));
  refuse('images with an id of their own', path, ids(images));
  refuse('categories with an id of their own', path, ids(categories));
  refuse('annotations with an id of their own', path, ids(annotations));
  refuse('categories with a name of their own', path, repeatedIn(categories.map(({ name }) => name)));
}

/**
 * Where the pictures of images really lie, one each in their order.
 * @param folder The folder that their names are below.
 * @throws {DataError} when one is not there, lies elsewhere, or is that of two images: what is in it would be known by halves.
 */
export async function picturesOfImages(
  images: Entries['images'],
  folder: string,
  path: string,
): Promise<readonly string[]> {
  const named = images.map(({ file_name }) => ({ name: file_name, path: join(folder, file_name) }));
  refuseOutside(folder, named, path);
  const paths = named.map((each) => each.path);
  const onDisk = await located(folder, paths, path);
  refuseMissing([...new Set(paths.filter((each) => !onDisk.has(each)))], path);
  const found = paths.map((each) => onDisk.get(each) ?? each);
  refuse(
    'images with a picture of their own',
    path,
    [...grouped([...found.keys()], (place) => found[place] ?? '')].flatMap(([, places]) =>
      places.length > 1
        ? [
            `${visibly(named[places[0] ?? 0]?.name ?? '')}, of ${places.map((place) => visibly(images[place]?.id ?? '')).join(' and ')}`,
          ]
        : [],
    ),
    'List every picture once, with all that is annotated in it.',
  );
  return found;
}

/**
 * Refuses pictures in which nothing can be learned.
 * @param isLearned Whether a picture has something to learn.
 * @param what What that is, for the message: 'boxes'.
 */
export function refuseNothingToLearn<Example>(
  pictures: readonly Example[],
  isLearned: (picture: Example) => boolean,
  { what, path }: { readonly what: string; readonly path: string },
): void {
  if (pictures.some(isLearned)) return;
  throw new DataError({
    expected: `${what} to learn from in ${path}`,
    found: `none with an area that is not around a crowd in ${counted(pictures.length, 'picture')} for training`,
    advice: 'List the objects among its annotations.',
  });
}
