import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  type DenseConfig,
  type HostTensor,
  type Model,
  type TensorTree,
  entriesOf,
  modelOf,
  randomStream,
  uploadTree,
} from '@winnow/core';
import { tidy } from '@tensorflow/tfjs-core';
import {
  type Answers,
  type ExampleInput,
  type Examples,
  type GraphOptions,
  type ModelPart,
  type TracedPart,
  encodeGraph,
  engineInputs,
  modelParts,
  partGraph,
} from '../src/index';

/** Random numbers for every parameter, norms and biases too: a swap of any two would show. */
export function randomParameters({ specs }: Pick<Model, 'specs'>, seed = 1): Map<string, HostTensor> {
  return new Map(
    entriesOf(specs).map(([path, { shape }]): [string, HostTensor] => {
      const random = randomStream(seed, path);
      const size = shape.reduce((product, extent) => product * extent, 1);
      const isGain = /norm\.weight$/i.test(path);
      const deviation = shape.length === 2 ? (shape[0] ?? 1) ** -0.5 : 0.3;
      const values = Float32Array.from(
        { length: size },
        () => random.normal() * deviation + (isGain ? 1 : 0),
      );
      return [path, { dtype: 'float32', shape, values }];
    }),
  );
}

/** Inputs of a part for a batch: pictures and other numbers, or texts that end. */
export function someInputs({ inputs, texts }: ModelPart, count: number, seed = 7): Examples {
  return {
    count,
    inputs: Object.fromEntries(
      inputs.map(({ name, type, shape: [, ...extents] }): [string, ExampleInput] => {
        const random = randomStream(seed, name);
        const shape = extents.map(Number);
        const size = shape.reduce((product, extent) => product * extent, count);
        const length = name.endsWith('_mask') ? (shape.at(-1) ?? 1) : (shape[0] ?? 1);
        const end = typeof texts?.endToken === 'number' ? texts.endToken : 3;
        const isEnd = (at: number) =>
          at % length === length - 1 || at % length === 2 + (Math.floor(at / length) % 3);
        if (type === 'int64') {
          const values = BigInt64Array.from({ length: size }, (_, at) =>
            BigInt(isEnd(at) ? end : random.integer(3)),
          );
          return [name, { shape, values }];
        }
        // A mask hides what stands behind the second place, in some of the examples.
        const isMask = name.endsWith('_mask');
        const values = Float32Array.from({ length: size }, (_, at) =>
          isMask ? Number(at % length < 2 + (Math.floor(at / length) % 3)) : random.normal(),
        );
        return [name, { shape, values }];
      }),
    ),
  };
}

export async function sessionOf(
  part: TracedPart,
  parameters: ReadonlyMap<string, HostTensor>,
  options: GraphOptions = {},
): Promise<InferenceSession> {
  const read = (path: string): Promise<HostTensor> => {
    const found = parameters.get(path);
    return found === undefined ? Promise.reject(new Error(path)) : Promise.resolve(found);
  };
  const bytes = await encodeGraph(partGraph(part, options), read, { producerVersion: '0', metadata: {} });
  return InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
}

/** The file's answers to a batch, by name. */
export async function answersOf(session: InferenceSession, { count, inputs }: Examples): Promise<Answers> {
  const feeds = Object.entries(inputs).map(([name, { shape, values }]): [string, Tensor] => [
    name,
    values instanceof BigInt64Array
      ? new Tensor('int64', values, [count, ...shape])
      : new Tensor('float32', values, [count, ...shape]),
  ]);
  const found = await session.run(Object.fromEntries(feeds));
  return Object.fromEntries(
    Object.entries(found).map(([name, { data }]) => {
      if (!(data instanceof Float32Array)) throw new Error(`expected float32 of ${name}`);
      return [name, data];
    }),
  );
}

/** The engine's answers to the same. */
export function engineAnswers(
  config: DenseConfig,
  part: ModelPart,
  parameters: ReadonlyMap<string, HostTensor>,
  examples: Examples,
): Answers {
  const model = modelOf(config);
  const answers = new Map<string, Float32Array>();
  tidy(() => {
    const params = uploadTree<TensorTree>(model.specs, parameters);
    const found = part.answer(
      { kind: config.kind, model, params },
      engineInputs(examples, 0, examples.count),
    );
    for (const [name, values] of Object.entries(found))
      answers.set(name, Float32Array.from(values.dataSync()));
  });
  return Object.fromEntries(answers);
}

/**
 * The greatest difference, as a share of the greatest number that was expected; logits of padding, far below all others, are measured by
 * themselves.
 */
export function difference(found: Float32Array, wanted: Float32Array): number {
  if (found.length !== wanted.length) return Number.NaN;
  const all = [...wanted.keys()];
  const ofPadding = (at: number) => (wanted[at] ?? 0) < -5e3;
  const shares = [all.filter(ofPadding), all.filter((at) => !ofPadding(at))].flatMap((places) => {
    const apart = places.map((at) => Math.abs((wanted[at] ?? Number.NaN) - (found[at] ?? Number.NaN)));
    return places.length === 0 ? [] : [most(apart) / most(places.map((at) => Math.abs(wanted[at] ?? 0)))];
  });
  return Math.max(...shares);
}

const most = (numbers: readonly number[]): number =>
  numbers.reduce((greatest, number) => Math.max(greatest, number), 0);

/** Every output of every part of a model, in a precision: how far the file is from the engine. */
export async function differences(
  config: DenseConfig,
  options: GraphOptions = {},
): Promise<Readonly<Record<string, number>>> {
  const model = modelOf(config);
  const parameters = randomParameters(model);
  const found = new Map<string, number>();
  for (const part of modelParts(model)) {
    const given = someInputs(part, 3);
    const session = await sessionOf(part, parameters, options);
    const own = await answersOf(session, given);
    const wanted = engineAnswers(config, part, parameters, given);
    expect(Object.keys(own).sort()).toEqual(Object.keys(wanted).sort());
    for (const [name, values] of Object.entries(wanted))
      found.set(`${part.name} ${name}`, difference(own[name] ?? new Float32Array(), values));
  }
  return Object.fromEntries(found);
}
