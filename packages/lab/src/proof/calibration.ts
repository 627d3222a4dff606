import { UserError, denseConfigOf, familyOf, permutation, randomStream } from '@winnow/core';
import type { Examples, ModelPart } from '@winnow/onnx';
import { z } from 'zod';
import { tokenizerIfRead } from '../model-source/companions';
import type { OpenedModel } from '../model-source/open-model';
import type { Workload } from '../workload/workload';
import { channelsFirst, dataOf } from './real-pictures';

/** Examples by which int8 chooses its ranges, by the part that takes them. */
export type Calibration = ReadonlyMap<ModelPart['name'], Examples>;

/** How many examples of the training split int8 chooses its ranges by. */
export const calibrationCount = z
  .int()
  .min(1)
  .max(100_000)
  .describe('Of int8: how many examples of the training split its ranges are chosen by (default: 64)');

const DEFAULT_CALIBRATION = 64;
const SEED = 21;
const AT_A_TIME = 16;
const withImages = z.object({ images: z.instanceof(Float32Array) });
const withTokens = z.object({ tokens: z.instanceof(Int32Array), texts: z.int().positive() });

/**
 * Examples that int8 chooses its ranges by, drawn from the training split, as neighbours are often of one class: pictures for a part that
 * takes pictures, texts, filled up, for one that takes texts. Undefined for other precisions.
 * @throws {UserError} when there are none.
 */
export async function calibrationExamples(
  path: string,
  opened: OpenedModel,
  parts: readonly ModelPart[],
  options: {
    readonly precision?: string | undefined;
    readonly data?: string | undefined;
    readonly calibration?: number | undefined;
  },
): Promise<Calibration | undefined> {
  if (options.precision !== 'int8') return undefined;
  const workload = await dataOf(path, opened, options.data);
  if (workload === undefined)
    throw new UserError(
      '--precision int8: its ranges are chosen by examples, but no data are known to ask about: --data',
    );
  const { calibration: asked = DEFAULT_CALIBRATION } = options;
  const found = new Map<ModelPart['name'], Examples>();
  for (const { name, inputs } of parts) {
    const [port] = inputs;
    const shape = (port?.shape ?? []).slice(1).map(Number);
    const isText = port?.type === 'int64';
    found.set(
      name,
      await (isText ? textsIn(workload, opened, shape, asked) : picturesIn(workload, shape, asked)),
    );
  }
  return found;
}

/** Batches of drawn examples, until whoever asks has enough. */
async function* drawn({ train }: Workload): AsyncGenerator<unknown> {
  const order = permutation(train.size, randomStream(SEED, 'calibration'));
  for (let start = 0; start < order.length; start += AT_A_TIME)
    yield await train.batch([...order.subarray(start, start + AT_A_TIME)]);
}

async function picturesIn(workload: Workload, shape: readonly number[], asked: number): Promise<Examples> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = new Float32Array(asked * size);
  let count = 0;
  for await (const batch of drawn(workload)) {
    const { images } = withImages.parse(batch);
    const own = images.subarray(0, (asked - count) * size);
    channelsFirst(own, shape, values.subarray(count * size));
    count += own.length / size;
    if (count >= asked) break;
  }
  return { count, shape, values: values.subarray(0, count * size) };
}

async function textsIn(
  workload: Workload,
  opened: OpenedModel,
  shape: readonly number[],
  asked: number,
): Promise<Examples> {
  const [context = 1] = shape;
  const config = denseConfigOf(opened.model);
  const { endToken = 0 } = familyOf(config).towers(config).text ?? {};
  const tokenizer =
    opened.tokenizerPath === undefined ? undefined : await tokenizerIfRead(opened.tokenizerPath);
  const padToken = tokenizer?.padToken ?? (typeof endToken === 'number' ? endToken : 0);
  const values = new BigInt64Array(asked * context).fill(BigInt(padToken));
  let count = 0;
  for await (const batch of drawn(workload)) {
    const { success, data } = withTokens.safeParse(batch);
    if (!success)
      throw new UserError(
        '--precision int8: the ranges of a model that reads texts are chosen by texts, but the data have none: --data',
      );
    const length = data.tokens.length / data.texts;
    for (let text = 0; text < data.texts && count < asked; text++, count++)
      values.set(
        BigInt64Array.from(data.tokens.subarray(text * length, (text + 1) * length), BigInt),
        count * context,
      );
    if (count >= asked) break;
  }
  return { count, shape, values: values.subarray(0, count * context) };
}
