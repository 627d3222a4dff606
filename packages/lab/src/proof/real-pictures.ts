import { UserError, asDense, denseConfigOf, familyOf, permutation, randomStream } from '@winnow/core';
import type { Examples, ModelPart } from '@winnow/onnx';
import { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import { choicesOfRun } from '../run-folder/record';
import { dataOfRun, readingOfRun } from '../run-folder/run-data';
import { workloadFor } from '../workload/choice';

/** Pictures that a proof asks the file and the engine about, in the layout of the files; or why there are none. */
export type RealPictures =
  | { readonly pictures: Examples; readonly classes: number }
  | { readonly pictures?: undefined; readonly why: string };

const withImages = z.object({ images: z.instanceof(Float32Array), size: z.int() });
const AT_A_TIME = 32;
const SEED = 21;

/**
 * Pictures of a split: the first ones of the test split, drawn ones of the training split, as neighbours are often of one class.
 * @param path The model's.
 * @param options Those of the command that say which data, and how they are read.
 * @throws {UserError} when they do not fit the model, or those of the run are gone.
 */
export async function realPictures(
  path: string,
  opened: OpenedModel,
  part: ModelPart | undefined,
  options: {
    readonly data?: string | undefined;
    readonly pictures: number;
    /** The split that they are of. */
    readonly split?: 'test' | 'train';
  },
): Promise<RealPictures> {
  const config = denseConfigOf(opened.model);
  const classes = familyOf(config).classes(config);
  if (options.pictures === 0) return { why: 'no pictures were asked for: --pictures 0' };
  if (classes === 0 || part === undefined)
    return {
      why: 'the model tells no classes of pictures apart: its answers to fixed examples are compared, number by number',
    };
  const own = options.data === undefined ? await dataOfRun(path) : await readingOfRun(path, options.data);
  const read = { ...own, ...(options.data === undefined ? {} : { data: options.data }) };
  if (read.data === undefined) return { why: 'no data are known to ask about: --data' };
  const { task } = await choicesOfRun(path);
  const choice = { data: read.data, augmentation: 'none', preload: 'never' } as const;
  const workload = await workloadFor(asDense(opened).kind, task).open(choice, opened, read);
  workload.checkFit(opened.model);
  const split = workload[options.split ?? 'test'];
  const count = Math.min(options.pictures, split.size);
  const order =
    options.split === 'train'
      ? permutation(split.size, randomStream(SEED, 'calibration'))
      : Int32Array.from({ length: count }, (_, at) => at);
  const shape = (part.inputs[0]?.shape ?? []).slice(1).map(Number);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = new Float32Array(count * size);
  for (let start = 0; start < count; start += AT_A_TIME) {
    const length = Math.min(AT_A_TIME, count - start);
    const numbers = Array.from({ length }, (_, at) => order[start + at] ?? 0);
    const { images } = withImages.parse(await split.batch(numbers));
    channelsFirst(images, shape, values.subarray(start * size, (start + length) * size));
  }
  return { pictures: { count, shape, values }, classes };
}

/** How many pictures of the training split int8 chooses its ranges by. */
export const calibrationCount = z
  .int()
  .min(1)
  .max(100_000)
  .describe('Of int8: how many pictures of the training split its ranges are chosen by (default: 64)');
export const DEFAULT_CALIBRATION = 64;

/**
 * Pictures that int8 chooses its ranges by; undefined for other precisions.
 * @throws {UserError} when there are none.
 */
export async function calibrationPictures(
  path: string,
  opened: OpenedModel,
  part: ModelPart | undefined,
  options: {
    readonly precision?: string | undefined;
    readonly data?: string | undefined;
    readonly calibration?: number | undefined;
  },
): Promise<Examples | undefined> {
  if (options.precision !== 'int8') return undefined;
  const { data, calibration: pictures = DEFAULT_CALIBRATION } = options;
  const found = await realPictures(path, opened, part, { data, pictures, split: 'train' });
  if (found.pictures !== undefined) return found.pictures;
  throw new UserError(`--precision int8: its ranges are chosen by pictures, but ${found.why}`);
}

/** [B, H, W, C] → [B, C, H, W]. */
function channelsFirst(images: Float32Array, shape: readonly number[], into: Float32Array): void {
  const [channels = 1, height = 1, width = 1] = shape;
  const pixels = height * width;
  for (let at = 0; at < images.length; at++) {
    const channel = at % channels;
    const pixel = Math.floor(at / channels) % pixels;
    const picture = Math.floor(at / (channels * pixels));
    into[(picture * channels + channel) * pixels + pixel] = images[at] ?? 0;
  }
}
