import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  type AnyDenseModel,
  type HostTensor,
  type Model,
  type ModelConfig,
  type TensorTree,
  dualEncoderFamily,
  entriesOf,
  modelOf,
  randomStream,
  uploadTree,
} from '@winnow/core';
import { tensor2d, tensor4d, tidy, transpose } from '@tensorflow/tfjs-core';
import {
  type GraphOptions,
  type GraphPort,
  type ModelPart,
  type TracedPart,
  encodeGraph,
  modelParts,
  partGraph,
} from '../src/index';

const noPort: GraphPort = { name: 'none', type: 'float32', shape: [] };

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

/** Input of a part for a batch: pictures, or texts that end. */
export function someInput(
  { inputs: [input = noPort] }: ModelPart,
  batch: number,
  endToken: unknown,
  seed = 7,
): Float32Array | BigInt64Array {
  const random = randomStream(seed, input.name);
  const [, ...extents] = input.shape.map(Number);
  const size = extents.reduce((product, extent) => product * extent, batch);
  if (input.type !== 'int64') return Float32Array.from({ length: size }, () => random.normal());
  const length = extents[0] ?? 1;
  const end = typeof endToken === 'number' ? endToken : 3;
  return BigInt64Array.from({ length: size }, (_, at) => {
    const isEnd = at % length === length - 1 || at % length === 2 + (Math.floor(at / length) % 3);
    return BigInt(isEnd ? end : random.integer(3));
  });
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

/** The file's answer to a batch. */
export async function answerOf(
  session: InferenceSession,
  { inputs: [input = noPort] }: ModelPart,
  batch: number,
  given: Float32Array | BigInt64Array,
): Promise<Float32Array> {
  const shape = [batch, ...input.shape.slice(1).map(Number)];
  const tensor =
    given instanceof BigInt64Array ? new Tensor('int64', given, shape) : new Tensor('float32', given, shape);
  const [output] = Object.values(await session.run({ [input.name]: tensor }));
  if (!(output?.data instanceof Float32Array)) throw new Error('expected float32');
  return output.data;
}

/** The engine's answer to the same. */
export function engineAnswer(
  config: ModelConfig,
  part: ModelPart,
  parameters: ReadonlyMap<string, HostTensor>,
  batch: number,
  given: Float32Array | BigInt64Array,
): Float32Array {
  return tidy(() => {
    const model = modelOf(config);
    const any: AnyDenseModel = {
      kind: config.kind,
      model,
      params: uploadTree<TensorTree>(model.specs, parameters),
    };
    const [, a = 1, b = 1, c = 1] = (part.inputs[0] ?? noPort).shape.map(Number);
    if (given instanceof BigInt64Array) {
      const tokens = tensor2d(Int32Array.from(given, Number), [batch, a], 'int32');
      if (dualEncoderFamily.holds(any))
        return Float32Array.from(any.model.embedTexts(any.params, tokens).dataSync());
      return Float32Array.from(model.forward(any.params, { tokens })['logits']?.dataSync() ?? []);
    }
    const images = transpose(tensor4d(given, [batch, a, b, c]), [0, 2, 3, 1]);
    if (dualEncoderFamily.holds(any))
      return Float32Array.from(any.model.embedImages(any.params, images).dataSync());
    return Float32Array.from(model.forward(any.params, { images })['logits']?.dataSync() ?? []);
  });
}

/** The greatest difference, as a share of the greatest number that was expected. */
export function difference(found: Float32Array, wanted: Float32Array): number {
  const greatest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const apart = wanted.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (found[at] ?? Number.NaN))),
    0,
  );
  return found.length === wanted.length ? apart / greatest : Number.NaN;
}

/** Every part of a model, in a precision: how far the file is from the engine. */
export async function differences(config: ModelConfig, options: GraphOptions = {}): Promise<number[]> {
  const model = modelOf(config);
  const parameters = randomParameters(model);
  const found = [];
  for (const part of modelParts(model)) {
    const batch = 3;
    const endToken =
      'text' in config ? Reflect.get(Object(config.text), 'endToken') : Reflect.get(config, 'endToken');
    const given = someInput(part, batch, endToken);
    const session = await sessionOf(part, parameters, options);
    found.push(
      difference(
        await answerOf(session, part, batch, given),
        engineAnswer(config, part, parameters, batch, given),
      ),
    );
  }
  return found;
}
