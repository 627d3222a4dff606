import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Examples } from './job';

/** Warnings are for who develops the runtime. */
const ERRORS_ONLY = 3;

export const openSession = (
  file: string | Uint8Array,
  threads: number,
  options: InferenceSession.SessionOptions = {},
): Promise<InferenceSession> => {
  const all = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: ERRORS_ONLY,
    ...options,
  } as const;
  return typeof file === 'string' ? InferenceSession.create(file, all) : InferenceSession.create(file, all);
};

const sizeOf = ({ shape }: Examples): number => shape.reduce((product, extent) => product * extent, 1);

/** Examples by their numbers, as one batch. */
export function batchOf(examples: Examples, numbers: readonly number[]): Tensor {
  const { values, shape } = examples;
  const size = sizeOf(examples);
  const dims = [numbers.length, ...shape];
  if (values instanceof BigInt64Array) {
    const own = new BigInt64Array(numbers.length * size);
    numbers.forEach((number, at) => {
      own.set(values.subarray(number * size, (number + 1) * size), at * size);
    });
    return new Tensor('int64', own, dims);
  }
  const own = new Float32Array(numbers.length * size);
  numbers.forEach((number, at) => {
    own.set(values.subarray(number * size, (number + 1) * size), at * size);
  });
  return new Tensor('float32', own, dims);
}

/** The first output for a batch, and its shape. @throws {Error} when it is not float32. */
export async function answer(session: InferenceSession, batch: Tensor): Promise<Float32Array> {
  const [input = ''] = session.inputNames;
  const [output = ''] = session.outputNames;
  const { [output]: found } = await session.run({ [input]: batch });
  if (!(found?.data instanceof Float32Array)) throw new Error(`expected float32 of the output ${output}`);
  return found.data;
}

/** Answers to examples, so many at a time. */
export async function answers(
  session: InferenceSession,
  examples: Examples,
  numbers: readonly number[],
  batchSize: number,
): Promise<Float32Array> {
  const found: Float32Array[] = [];
  for (let start = 0; start < numbers.length; start += batchSize)
    found.push(await answer(session, batchOf(examples, numbers.slice(start, start + batchSize))));
  const all = new Float32Array(found.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const own of found) {
    all.set(own, at);
    at += own.length;
  }
  return all;
}
