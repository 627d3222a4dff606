import {
  type Tensor as AnyTensor,
  type Tensor2D,
  add,
  getBackend,
  mean,
  slice,
  atan,
  tensor2d,
  tensor4d,
  zeros,
} from '@tensorflow/tfjs-core';
import {
  type HostTensor,
  type ModelConfig,
  type ParameterSpec,
  type Prediction,
  type TensorTree,
  buildTree,
  modelOf,
  randomStream,
  uploadTree,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { crossEncoders, toyShape } from '@winnow/testkit';
import { Tensor } from 'onnxruntime-node';
import { type Graph, type Tracer, checkSize, modelParts, partGraph } from '../src/index';
import { dualModels, textModels, tied, visionModels } from './families';
import { answersOf, difference, differences, randomParameters, sessionOf, someInputs } from './parity';

beforeAll(async () => {
  await startEngine('wasm');
});

const plain = visionModels['class token'];
if (plain === undefined) throw new Error('expected a model');

/** Entries of the parameters that a graph holds. */
const parametersIn = ({ initializers }: Graph): number =>
  initializers
    .filter(({ values }) => 'parameter' in values)
    .reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1), 0);

const graphsOf = (config: ModelConfig) => modelParts({ config }).map((part) => partGraph(part));

describe('the file holds', () => {
  test.each(Object.entries({ ...visionModels, ...textModels, tied }))(
    'each parameter once, as many as the account says: %s',
    (_, config) => {
      expect(graphsOf(config).map(parametersIn)).toEqual([modelOf(config).account.parameters]);
    },
  );

  test('in the files of two towers all parameters but those of the logits', () => {
    for (const config of Object.values(dualModels)) {
      const beside = config.loss === 'sigmoid' ? 2 : 1;
      const found = graphsOf(config).map(parametersIn);
      expect(found.reduce((sum, count) => sum + count)).toBe(modelOf(config).account.parameters - beside);
    }
  });

  test('shared columns once, and says the same as the engine', async () => {
    for (const own of Object.values(await differences(tied))) expect(own).toBeLessThan(1e-4);
    const half = await differences(tied, { precision: 'f16' });
    for (const own of Object.values(half)) expect(own).toBeLessThan(2e-2);
  });

  test('masked weights as zeros: a masked model is its dense one', () => {
    expect(graphsOf({ kind: 'masked', model: plain, masks: {} })).toEqual(graphsOf(plain));
  });
});

describe('a graph', () => {
  const [part] = modelParts({ config: plain });
  if (part === undefined) throw new Error('expected a part');
  const graph = partGraph(part);

  test('names its products by the maps that they are, and has no batch in it', () => {
    const products = graph.nodes.filter(({ operator }) => operator === 'MatMul').map(({ name }) => name);
    expect(products.slice(0, 8)).toEqual([
      'patchEmbedding',
      ...['query', 'key', 'value', 'scores', 'heard', 'output'].map((name) => `blocks.0.attention.${name}`),
      'blocks.0.ffn.expand',
    ]);
    expect(graph.nodes.map(({ operator }) => operator)).not.toContain('Shape');
    expect([graph.inputs[0]?.shape, graph.outputs[0]?.shape]).toEqual([
      ['batch', 3, 8, 12],
      ['batch', 5],
    ]);
  });

  test('has layer norms as one operator, and GELU as one where the opset has it', () => {
    const counts = (own: Graph, operator: string) =>
      own.nodes.filter((node) => node.operator === operator).length;
    expect([counts(graph, 'LayerNormalization'), counts(graph, 'Erf'), counts(graph, 'Gelu')]).toEqual([
      5, 2, 0,
    ]);
    const later = partGraph(part, { opset: 20 });
    expect([counts(later, 'LayerNormalization'), counts(later, 'Erf'), counts(later, 'Gelu')]).toEqual([
      5, 0, 2,
    ]);
  });

  test('makes softmax in float32 where it computes in float16, and takes and gives float32', () => {
    const half = partGraph(part, { precision: 'f16' });
    const makerOf = (name: string | undefined) => half.nodes.find(({ outputs }) => outputs[0] === name);
    const softmax = half.nodes.filter(({ operator }) => operator === 'Softmax');
    expect(softmax).toHaveLength(2);
    for (const { inputs } of softmax) {
      const cast = makerOf(inputs[0]);
      expect([cast?.operator, cast?.attributes['to']]).toEqual(['Cast', { kind: 'int', value: 1 }]);
    }
    expect([half.inputs[0]?.type, half.outputs[0]?.type]).toEqual(['float32', 'float32']);
    expect(half.initializers.find(({ name }) => name === 'head.weight')?.type).toBe('float16');
  });

  test('knows int64 in shapes and tokens alone', () => {
    const words = Object.values(textModels)[0] ?? plain;
    const [own] = graphsOf(words);
    const wide = new Set(own?.initializers.filter(({ type }) => type === 'int64').map(({ name }) => name));
    const users = own?.nodes.filter(({ inputs }) => inputs.some((name) => wide.has(name))) ?? [];
    expect([...new Set(users.map(({ operator }) => operator))].sort()).toEqual(['ReduceSum', 'Reshape']);
  });

  test('answers each example by itself', async () => {
    const session = await sessionOf(part, randomParameters(modelOf(plain)));
    const three = someInputs(part, 3);
    const { logits: whole } = await answersOf(session, three);
    const pixels = three.inputs['pixel_values'];
    if (whole === undefined || pixels === undefined) throw new Error('expected pictures and logits');
    for (const at of [0, 1, 2]) {
      const size = pixels.values.length / 3;
      const values = pixels.values.slice(at * size, (at + 1) * size);
      const { logits } = await answersOf(session, {
        count: 1,
        inputs: { pixel_values: { ...pixels, values } },
      });
      expect(difference(logits ?? whole, whole.slice(at * 5, (at + 1) * 5))).toBeLessThan(1e-5);
    }
  });
});

test('a family that nobody here has heard of is exported from its own forward pass', async () => {
  const { model } = crossEncoders.makeModel();
  const parameters = randomParameters(model);
  const [batch, size, channels, length] = [3, toyShape.imageSize, toyShape.channels, 5];
  const inputs = [
    { name: 'images', type: 'float32', shape: ['batch', size, size, channels] },
    { name: 'tokens', type: 'int32', shape: ['batch', length] },
  ] as const;
  const passAt = (count: number) => (tracer: Tracer) => ({
    logits: logitsOf(
      model.forward(
        buildTree<ParameterSpec, TensorTree>(model.specs, ({ shape }, path) => tracer.parameter(path, shape)),
        {
          images: tracer.input('images', [count, size, size, channels], 'float32'),
          tokens: tracer.input('tokens', [count, length], 'int32'),
        },
      ),
    ),
  });
  const session = await sessionOf({ name: 'cross', inputs, passAt }, parameters);
  const random = randomStream(1, 'cross');
  const images = Float32Array.from({ length: batch * size * size * channels }, () => random.normal());
  const tokens = Int32Array.from({ length: batch * length }, () => random.integer(4));
  const { logits } = await session.run({
    images: new Tensor('float32', images, [batch, size, size, channels]),
    tokens: new Tensor('int32', tokens, [batch, length]),
  });
  const wanted = logitsOf(
    model.forward(uploadTree<TensorTree>(model.specs, parameters), {
      images: tensor4d(images, [batch, size, size, channels]),
      tokens: tensor2d(tokens, [batch, length], 'int32'),
    }),
  ).dataSync();
  if (!(logits?.data instanceof Float32Array) || !(wanted instanceof Float32Array))
    throw new Error('expected numbers');
  expect(difference(logits.data, wanted)).toBeLessThan(1e-4);
});

function logitsOf({ logits }: Prediction): Tensor2D {
  if (logits === undefined || !isMatrix(logits)) throw new Error('expected logits');
  return logits;
}
const isMatrix = (found: AnyTensor): found is Tensor2D => found.rank === 2;

describe('refused by name:', () => {
  const [part] = modelParts({ config: plain });
  if (part === undefined) throw new Error('expected a part');

  test('an opset that is not known', () => {
    expect(() => partGraph(part, { opset: 16 })).toThrow('expected an opset of 17 to 22, got 16');
  });

  test('a file that protobuf cannot hold', () => {
    const values = { parameter: 'x' };
    const initializers = [{ name: 'x', type: 'float32' as const, shape: [2 ** 15, 2 ** 14], values }];
    expect(() => checkSize({ initializers })).toThrow('protobuf');
    expect(() =>
      checkSize({ initializers: initializers.map((one) => ({ ...one, type: 'float16' as const })) }),
    ).not.toThrow();
  });

  test('a parameter beyond float16', async () => {
    const parameters = new Map(randomParameters(modelOf(plain)));
    const bias = parameters.get('head.bias');
    if (bias === undefined) throw new Error('expected a bias');
    const great: HostTensor = { dtype: 'float32', shape: bias.shape, values: new Float32Array(5).fill(1e5) };
    parameters.set('head.bias', great);
    await expect(sessionOf(part, parameters, { precision: 'f16' })).rejects.toThrow('head.bias holds 100000');
  });

  const refusal = (pass: (x: AnyTensor) => AnyTensor) => () =>
    partGraph({
      name: 'model',
      inputs: [{ name: 'x', type: 'float32', shape: ['batch', 4] }],
      passAt: (batch) => (tracer) => ({ y: pass(tracer.input('x', [batch, 4], 'float32')) }),
    });

  test.each([
    ['a pass that asks for numbers', (x: AnyTensor) => tensor2d(x.dataSync(), [2, 2]), 'asked for numbers'],
    ['a mean over the batch', (x: AnyTensor) => add(x, mean(x, 0, true)), 'over the batch'],
    ['an answer that is always the same', () => zeros([1, 4]), 'does not depend on what the model is given'],
    ['a cut through the batch', (x: AnyTensor) => slice(x, [1, 0], [1, 4]), 'cut apart'],
    ['a kernel without a rule', (x: AnyTensor) => atan(x), 'ONNX: a forward pass runs Atan'],
  ])('%s', (_, pass, message) => {
    expect(refusal(pass)).toThrow(message);
  });

  test('and the engine goes on as before', () => {
    expect(getBackend()).toBe('wasm');
    expect(add(tensor2d([[1]]), 1).dataSync()).toEqual(new Float32Array([2]));
  });
});
