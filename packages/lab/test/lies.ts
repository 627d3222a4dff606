import { create } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProtoSchema,
} from 'onnx-buf';
import {
  type Lie,
  graphOf,
  tensorNamed,
  nodeWhere,
  named,
  operator,
  numbersOf,
  setNumbers,
  changed,
  constantOf,
  behind,
  node,
  scalar,
  ints,
  matrix,
  whole,
  metadata,
  emptied,
} from './lie-edits';

/** A hidden unit of zeros more: the same answers, and a product that is wider than the decision says. */
const widened: Lie = (model) => {
  const [expand, bias, contract] = ['expand.weight', 'expand.bias', 'contract.weight'].map((name) =>
    tensorNamed(model, `blocks.0.ffn.${name}`),
  );
  if (expand === undefined || bias === undefined || contract === undefined)
    throw new Error('expected a network');
  const [D, hidden] = expand.dims.map(Number);
  const [first, columns] = [D ?? 0, hidden ?? 0];
  const old = numbersOf(expand);
  const wide = new Float32Array(first * (columns + 1));
  for (let row = 0; row < first; row++)
    wide.set(old.subarray(row * columns, (row + 1) * columns), row * (columns + 1));
  setNumbers(expand, wide);
  expand.dims = [BigInt(first), BigInt(columns + 1)];
  setNumbers(bias, Float32Array.from([...numbersOf(bias), 0]));
  bias.dims = [BigInt(columns + 1)];
  setNumbers(contract, Float32Array.from([...numbersOf(contract), ...new Float32Array(first)]));
  contract.dims = [BigInt(columns + 1), BigInt(first)];
};

const swapped: Lie = (model) => {
  const [one, other] = ['query', 'key'].map((name) =>
    tensorNamed(model, `blocks.0.attention.${name}.weight`),
  );
  if (one === undefined || other === undefined) throw new Error('expected two');
  [one.rawData, other.rawData] = [other.rawData, one.rawData];
};

/** Lies by what they say; the part of the proof that has to find them. */
export const lies: readonly (readonly [string, string, Lie])[] = [
  ['two tensors of one shape changed places', 'weights', swapped],
  [
    'one number is another',
    'weights',
    changed('head.weight', (value, at) => (at === 3 ? value + 1e-3 : value)),
  ],
  ['a number has another sign', 'weights', changed('positions', (value, at) => (at === 5 ? -value : value))],
  [
    'a layer is a hundredth stronger',
    'weights',
    changed('blocks.1.ffn.expand.weight', (value) => value * 1.01),
  ],
  ['a bias is gone', 'weights', changed('blocks.0.attention.value.bias', () => 0)],
  ['a norm multiplies with ones', 'weights', changed('norm.weight', () => 1)],
  [
    'a parameter has another name',
    'weights',
    (model) => {
      tensorNamed(model, 'head.bias').name = 'bias';
      for (const own of graphOf(model).node)
        own.input = own.input.map((name) => (name === 'head.bias' ? 'bias' : name));
    },
  ],
  ['a width is one more, of zeros', 'widths', widened],
  ['the account of a width that is one more', 'counts', widened],
  [
    'heads are grouped otherwise',
    'widths',
    (model) => {
      for (const { name, dims, rawData } of graphOf(model).initializer) {
        const values =
          dims.length === 1 && dims[0] === 4n ? new BigInt64Array(Uint8Array.from(rawData).buffer) : [];
        if (values[2] === 2n && name.startsWith('constant')) {
          const tensor = tensorNamed(model, name);
          const own = BigInt64Array.from([values[0] ?? 0n, values[1] ?? 0n, 1n, 2n * (values[3] ?? 0n)]);
          tensor.rawData = new Uint8Array(own.buffer);
        }
      }
    },
  ],
  ['a layer norm is gone', 'widths', emptied(operator('LayerNormalization'))],
  [
    'a product with a matrix of ones more',
    'widths',
    behind(
      (before, after) => [node('MatMul', [before, 'ones'], after)],
      [matrix('ones', 2, 2, (row, column) => (row === column ? 1 : 0))],
    ),
  ],
  [
    'a matrix that is none of the model’s',
    'weights',
    behind(
      (before, after) => [node('MatMul', [before, 'ones'], after)],
      [matrix('ones', 2, 2, (row, column) => (row === column ? 1 : 0))],
    ),
  ],
  [
    'a product has another name',
    'widths',
    (model) => (nodeWhere(model, named('blocks.0.ffn.expand')).name = 'expand'),
  ],
  ['scores have another scale', 'outputs', constantOf(operator('Mul'), (value) => value * 1.1)],
  [
    'the non-linearity is half as strong',
    'outputs',
    constantOf(
      (own) => own.name === 'Mul_2',
      (value) => value / 2,
    ),
  ],
  [
    'norms have another epsilon',
    'outputs',
    (model) => {
      for (const own of graphOf(model).node.filter(operator('LayerNormalization')))
        for (const attribute of own.attribute) if (attribute.name === 'epsilon') attribute.f = 0.5;
    },
  ],
  [
    'softmax goes over the tokens that ask',
    'outputs',
    (model) => (nodeWhere(model, operator('Softmax')).attribute = [whole('axis', -2)]),
  ],
  ['the non-linearity is gone', 'outputs', emptied(operator('Erf'))],
  ['a residual is gone', 'outputs', emptied((own) => own.opType === 'Add' && own.name === 'Add_8', 1)],
  [
    'values are the keys',
    'outputs',
    (model) => {
      const value = nodeWhere(model, named('blocks.0.attention.value'));
      value.input[0] = nodeWhere(model, named('blocks.0.attention.query')).input[0] ?? '';
      const added = nodeWhere(model, (own) => own.input.includes('blocks.0.attention.value.bias'));
      added.opType = 'Sub';
    },
  ],
  [
    'answers are a thousandth greater',
    'outputs',
    behind(
      (before, after) => [node('Mul', [before, 'more'], after)],
      [scalar('constant more', 1.001), scalar('more', 1.001)],
    ),
  ],
  [
    'classes changed places',
    'outputs',
    behind(
      (before, after) => [node('Gather', [before, 'places'], after, [whole('axis', 1)])],
      [ints('places', [1, 0])],
    ),
  ],
  [
    'classes of real pictures changed places',
    'agreement',
    behind(
      (before, after) => [node('Gather', [before, 'places'], after, [whole('axis', 1)])],
      [ints('places', [1, 0])],
    ),
  ],
  [
    'the mean of the batch is taken away',
    'batch',
    behind((before, after) => [
      node('ReduceMean', [before], 'mean', [
        create(AttributeProtoSchema, { name: 'axes', type: AttributeType.INTS, ints: [0n] }),
        whole('keepdims', 1),
      ]),
      node('Sub', [before, 'mean'], after),
    ]),
  ],
  [
    'an answer is added to those after it',
    'batch',
    behind(
      (before, after) => [node('CumSum', [before, 'first'], after)],
      [
        create(TensorProtoSchema, {
          name: 'first',
          dims: [],
          dataType: 7,
          rawData: new Uint8Array(BigInt64Array.of(0n).buffer),
        }),
      ],
    ),
  ],
  [
    'an answer is drawn by chance',
    'batch',
    behind((before, after) => [
      node('RandomNormalLike', [before], 'noise'),
      node('Add', [before, 'noise'], after),
    ]),
  ],
  [
    'pictures are prepared with another mean',
    'labels',
    metadata('winnow.preprocessing', (text) => text.replace('0.485', '0.5')),
  ],
  ['nothing says how pictures are prepared', 'labels', metadata('winnow.preprocessing', () => '')],
  ['names of classes changed places', 'labels', metadata('winnow.classes', () => '["red","blue"]')],
  [
    'another decision',
    'labels',
    metadata('winnow.decision', (text) => text.replace('"kept":[0', '"kept":[1')),
  ],
  ['another precision', 'labels', metadata('winnow.precision', () => 'f16')],
  [
    'parameters of another model',
    'labels',
    metadata('winnow.parameters.sha256', (text) => text.replace(/^./, 'x')),
  ],
  [
    'an input of another name',
    'files',
    (model) => {
      for (const port of graphOf(model).input) port.name = 'pixels';
      for (const own of graphOf(model).node)
        own.input = own.input.map((name) => (name === 'pixel_values' ? 'pixels' : name));
    },
  ],
];
