import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Answers, ExampleInput, Examples } from './job';

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

/** Examples with the names that a file has for its inputs, in their order: that they are others is judged elsewhere. */
export function namedFor({ inputNames }: InferenceSession, { count, inputs }: Examples): Examples {
  const given = Object.entries(inputs);
  const named = inputNames.flatMap((name, at): [string, ExampleInput][] => {
    const input = inputs[name] ?? given[at]?.[1];
    return input === undefined ? [] : [[name, input]];
  });
  return { count, inputs: Object.fromEntries(named) };
}

/** Examples by their numbers, as one batch: a tensor for each input. */
export const batchOf = ({ inputs }: Examples, numbers: readonly number[]): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, input]): [string, Tensor] => [name, tensorOf(input, numbers)]),
  );

function tensorOf({ values, shape }: ExampleInput, numbers: readonly number[]): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
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

/** All outputs for a batch, by name. @throws {Error} when the file takes other inputs, or gives something else than float32. */
export async function answer(
  session: InferenceSession,
  batch: Readonly<Record<string, Tensor>>,
): Promise<Answers> {
  const found = await session.run(batch);
  return Object.fromEntries(
    Object.entries(found).map(([name, { data }]): [string, Float32Array] => {
      if (!(data instanceof Float32Array)) throw new Error(`expected float32 of the output ${name}`);
      return [name, data];
    }),
  );
}

/** Answers to examples, so many at a time. */
export async function answers(
  session: InferenceSession,
  examples: Examples,
  numbers: readonly number[],
  batchSize: number,
): Promise<Answers> {
  const found: Answers[] = [];
  for (let start = 0; start < numbers.length; start += batchSize)
    found.push(await answer(session, batchOf(examples, numbers.slice(start, start + batchSize))));
  return Object.fromEntries(
    session.outputNames.map((name) => [name, joined(found.map((own) => own[name] ?? new Float32Array()))]),
  );
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const own of parts) {
    all.set(own, at);
    at += own.length;
  }
  return all;
}
