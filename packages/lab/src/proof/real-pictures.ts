import { asDense, denseConfigOf, familyOf } from '@winnow/core';
import type { Examples, ModelPart } from '@winnow/onnx';
import { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import { choicesOfRun } from '../run-folder/record';
import { dataOfRun, readingOfRun } from '../run-folder/run-data';
import { workloadFor } from '../workload/choice';
import type { Workload } from '../workload/workload';

/** Pictures that a proof asks the file and the engine about, in the layout of the files; or why there are none. */
export type RealPictures =
  | {
      readonly pictures: Examples;
      readonly classes: number;
      /** The class of each, where the data say it. */
      readonly labels?: Int32Array;
    }
  | { readonly pictures?: undefined; readonly why: string };

const withImages = z.object({
  images: z.instanceof(Float32Array),
  size: z.int(),
  labels: z.instanceof(Int32Array).optional(),
});
const AT_A_TIME = 32;

/**
 * The data of a model's run, or those that are named; undefined where none are known.
 * @throws {UserError} when they do not fit the model, or those of the run are gone.
 */
export async function dataOf(
  path: string,
  opened: OpenedModel,
  data: string | undefined,
): Promise<Workload | undefined> {
  const own = data === undefined ? await dataOfRun(path) : await readingOfRun(path, data);
  const read = { ...own, ...(data === undefined ? {} : { data }) };
  if (read.data === undefined) return undefined;
  const { task } = await choicesOfRun(path);
  const choice = { data: read.data, augmentation: 'none', preload: 'never' } as const;
  const workload = await workloadFor(asDense(opened).kind, task).open(choice, opened, read);
  workload.checkFit(opened.model);
  return workload;
}

/**
 * The first pictures of the test split.
 * @param path The model's.
 * @param options Those of the command that say which data, and how they are read.
 * @throws {UserError} when they do not fit the model, or those of the run are gone.
 */
export async function realPictures(
  path: string,
  opened: OpenedModel,
  part: ModelPart | undefined,
  options: { readonly data?: string | undefined; readonly pictures: number },
): Promise<RealPictures> {
  const config = denseConfigOf(opened.model);
  const classes = familyOf(config).classes(config);
  if (options.pictures === 0) return { why: 'no pictures were asked for: --pictures 0' };
  if (classes === 0 || part === undefined)
    return {
      why: 'the model tells no classes of pictures apart: its answers to fixed examples are compared, number by number',
    };
  const workload = await dataOf(path, opened, options.data);
  if (workload === undefined) return { why: 'no data are known to ask about: --data' };
  const split = workload.test;
  const count = Math.min(options.pictures, split.size);
  const shape = (part.inputs[0]?.shape ?? []).slice(1).map(Number);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = new Float32Array(count * size);
  const known: number[] = [];
  for (let start = 0; start < count; start += AT_A_TIME) {
    const length = Math.min(AT_A_TIME, count - start);
    const numbers = Array.from({ length }, (_, at) => start + at);
    const { images, labels } = withImages.parse(await split.batch(numbers));
    known.push(...(labels ?? []));
    channelsFirst(images, shape, values.subarray(start * size, (start + length) * size));
  }
  const labelled = known.length === count ? { labels: Int32Array.from(known) } : {};
  return { pictures: { count, shape, values }, classes, ...labelled };
}

/** [B, H, W, C] → [B, C, H, W]. */
export function channelsFirst(images: Float32Array, shape: readonly number[], into: Float32Array): void {
  const [channels = 1, height = 1, width = 1] = shape;
  const pixels = height * width;
  for (let at = 0; at < images.length; at++) {
    const channel = at % channels;
    const pixel = Math.floor(at / channels) % pixels;
    const picture = Math.floor(at / (channels * pixels));
    into[(picture * channels + channel) * pixels + pixel] = images[at] ?? 0;
  }
}
