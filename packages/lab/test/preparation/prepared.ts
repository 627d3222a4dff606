import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pictureSizeSchema } from '@winnow/core';
import { unlabelledPictures } from '@winnow/data';
import { readPreparation } from '@winnow/formats';
import { z } from 'zod';
import { picturesOf } from '../../src/workload/prepared';

/** The configuration of a checkpoint, and the size of the pictures that its model takes. */
export const preparationCase = z.object({
  name: z.string(),
  file: z.string(),
  imageSize: pictureSizeSchema,
  config: z.unknown(),
});
export type PreparationCase = z.infer<typeof preparationCase>;

/** Normalised values of a black and a white pixel. */
export const ends = z.object({ black: z.array(z.number()), white: z.array(z.number()) });
export type Ends = z.infer<typeof ends>;

/** Normalised pictures, as they come out of a checkpoint whose configuration is written into a folder. */
export async function preparedBy(
  { name, file, imageSize, config }: PreparationCase,
  folder: string,
  paths: readonly string[],
): Promise<Float32Array> {
  const checkpoint = join(folder, name.replace(/\W/g, '-'));
  await mkdir(checkpoint, { recursive: true });
  await writeFile(join(checkpoint, file), JSON.stringify(config));
  const preparation = await readPreparation(checkpoint, imageSize);
  if (preparation === undefined) throw new Error(`${name}: nothing says how pictures are prepared`);
  const pictures = unlabelledPictures(paths, { imageSize, ...picturesOf(preparation) });
  const { images, broken } = await pictures.dataset.batch(paths.map((_, place) => place));
  if (broken.length > 0) throw new Error(broken[0]?.problem);
  return images;
}

/** The largest difference of normalised values from levels, in levels: 1 is 1/255 of the way from black to white. */
export function difference(images: Float32Array, levels: Uint8Array, { black, white }: Ends): number {
  if (images.length !== levels.length) throw new Error(`${images.length} values, not ${levels.length}`);
  let largest = 0;
  images.forEach((value, at) => {
    const [low, high] = [black[at % 3] ?? 0, white[at % 3] ?? 0];
    const apart = Math.abs(((value - low) / (high - low)) * 255 - (levels[at] ?? 0));
    largest = Math.max(largest, apart);
  });
  return largest;
}
