import { create } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from 'onnx-buf';

/** A deliberate lie: a file that is changed so that it is not the model any more. */
export type Lie = (model: ModelProto) => void;

export function graphOf({ graph }: ModelProto): GraphProto {
  if (graph === undefined) throw new Error('expected a graph');
  return graph;
}
export function tensorNamed(model: ModelProto, name: string): TensorProto {
  const found = graphOf(model).initializer.find((own) => own.name === name);
  if (found === undefined) throw new Error(`there is no tensor ${name}`);
  return found;
}
export function nodeWhere(model: ModelProto, test: (node: NodeProto) => boolean): NodeProto {
  const found = graphOf(model).node.find(test);
  if (found === undefined) throw new Error('there is no such node');
  return found;
}
export const named = (name: string) => (node: NodeProto) => node.name === name;
export const operator = (name: string) => (node: NodeProto) => node.opType === name;

export const numbersOf = ({ rawData }: TensorProto): Float32Array =>
  new Float32Array(Uint8Array.from(rawData).buffer);
export const setNumbers = (tensor: TensorProto, numbers: Float32Array<ArrayBuffer>): void => {
  tensor.rawData = new Uint8Array(numbers.buffer);
};

/** Numbers of a tensor, changed one by one. */
export const changed =
  (name: string, change: (value: number, at: number) => number): Lie =>
  (model) => {
    const tensor = tensorNamed(model, name);
    setNumbers(tensor, numbersOf(tensor).map(change));
  };

/** The constant that a node multiplies or adds, changed. */
export const constantOf =
  (test: (node: NodeProto) => boolean, change: (value: number) => number): Lie =>
  (model) => {
    const name = nodeWhere(
      model,
      (node) => test(node) && node.input.some((input) => input.startsWith('constant')),
    ).input.find((input) => input.startsWith('constant'));
    const tensor = tensorNamed(model, name ?? '');
    setNumbers(tensor, numbersOf(tensor).map(change));
  };

/** More nodes between an output and what it is: from `before` to `after`. */
export const behind =
  (
    nodes: (before: string, after: string) => NodeProto[],
    tensors: TensorProto[] = [],
    output = 'logits',
  ): Lie =>
  (model) => {
    const last = nodeWhere(model, named(output));
    const before = last.input[0] ?? '';
    last.input[0] = 'after';
    const graph = graphOf(model);
    graph.node.splice(graph.node.indexOf(last), 0, ...nodes(before, 'after'));
    graph.initializer.push(...tensors);
  };

export const node = (
  opType: string,
  input: string[],
  output: string,
  attribute: NodeProto['attribute'] = [],
): NodeProto =>
  create(NodeProtoSchema, { name: `lie of ${output}`, opType, input, output: [output], attribute });
export const scalar = (name: string, value: number): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims: [],
    dataType: 1,
    rawData: new Uint8Array(Float32Array.of(value).buffer),
  });
export const ints = (name: string, values: number[]): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims: [BigInt(values.length)],
    dataType: 7,
    rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  });
export const matrix = (
  name: string,
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
): TensorProto => {
  const values = Float32Array.from({ length: rows * columns }, (_, at) =>
    value(Math.floor(at / columns), at % columns),
  );
  const dims = [BigInt(rows), BigInt(columns)];
  return create(TensorProtoSchema, { name, dims, dataType: 1, rawData: new Uint8Array(values.buffer) });
};
export const whole = (name: string, value: number) =>
  create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });

export const metadata =
  (key: string, change: (text: string) => string): Lie =>
  ({ metadataProps }) => {
    const found = metadataProps.find((own) => own.key === key);
    if (found === undefined) throw new Error(`there is no ${key}`);
    found.value = change(found.value);
  };

/** A node that passes on what it is given. */
export const emptied =
  (test: (node: NodeProto) => boolean, input = 0): Lie =>
  (model) => {
    const found = nodeWhere(model, test);
    found.opType = 'Identity';
    found.input = [found.input[input] ?? ''];
    found.attribute = [];
  };

/** Values of an output in another order, along an axis. */
export const reordered = (output: string, axis: number, order: number[]): Lie =>
  behind(
    (before, after) => [node('Gather', [before, 'places'], after, [whole('axis', axis)])],
    [ints('places', order)],
    output,
  );

/** Another number in a text attribute of an operator. */
export const said =
  (type: string, attribute: string, value: string): Lie =>
  (model) => {
    const found = nodeWhere(model, operator(type)).attribute.find(({ name }) => name === attribute);
    if (found === undefined) throw new Error(`there is no ${attribute}`);
    found.s = Buffer.from(value);
  };

export const renamedNode =
  (from: string, to: string): Lie =>
  (model) => {
    nodeWhere(model, named(from)).name = to;
  };

/** An input that is another one before anybody reads it. */
const otherInput =
  (input: string, operatorOf: (given: string) => NodeProto, tensor: TensorProto): Lie =>
  (model) => {
    const graph = graphOf(model);
    const other = operatorOf(input);
    const [result = ''] = other.output;
    for (const own of graph.node) own.input = own.input.map((name) => (name === input ? result : name));
    graph.node.unshift(other);
    graph.initializer.push(tensor);
  };

/** Numbers that an input is multiplied with before anybody reads it. */
export const weakened = (input: string, factor: number): Lie =>
  otherInput(
    input,
    (given) => node('Mul', [given, 'constant factor'], 'weakened'),
    scalar('constant factor', factor),
  );

/** Values of an input in another order, along an axis. */
export const inputReordered = (input: string, axis: number, order: number[]): Lie =>
  otherInput(
    input,
    (given) => node('Gather', [given, 'constant order'], 'reordered', [whole('axis', axis)]),
    ints('constant order', order),
  );

/** A number of constants, which is 0 instead. */
const withoutConstant =
  (gone: number): Lie =>
  (model) => {
    for (const tensor of graphOf(model).initializer) {
      if (!tensor.name.startsWith('constant') || tensor.dataType !== 1) continue;
      setNumbers(
        tensor,
        numbersOf(tensor).map((value) => (value === gone ? 0 : value)),
      );
    }
  };

/** Scores of what may not be looked at: no longer far below all others. */
export const unhidden: Lie = withoutConstant(-1e9);

/** Logits of regions that are not there, and weights of padding: no longer far below all others. */
export const choosable: Lie = withoutConstant(1e4);

export const withoutOutput =
  (name: string): Lie =>
  (model) => {
    const graph = graphOf(model);
    graph.output = graph.output.filter((port) => port.name !== name);
  };

/** The mean of a batch is taken away from an output. */
export const centred = (output: string): Lie =>
  behind(
    (before, after) => [
      node('ReduceMean', [before], 'mean', [
        create(AttributeProtoSchema, { name: 'axes', type: AttributeType.INTS, ints: [0n] }),
        whole('keepdims', 1),
      ]),
      node('Sub', [before, 'mean'], after),
    ],
    [],
    output,
  );

/** Another operator in the place of every one of a kind. */
export const otherOperator =
  (from: string, to: string): Lie =>
  (model) => {
    for (const own of graphOf(model).node.filter(operator(from))) {
      own.opType = to;
      if (to !== 'Identity') continue;
      own.input = own.input.slice(0, 1);
      own.attribute = [];
    }
  };
