import { create, toBinary } from '@bufbuild/protobuf';
import { type HostTensor, UserError } from '@winnow/core';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { elementNumbers } from '../graph/builder';
import type { Attribute, ElementType, Graph, GraphPort, Initializer } from '../graph/graph';
import { GREATEST_HALF, halfOf } from './half';

/** No protobuf message may be longer: 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1;
/** Nodes and names, generously. */
const BESIDE_TENSORS = 2 ** 22;

const bytesOf: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  int64: 8,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Labels that are written into the file beside the graph. */
export interface FileLabels {
  readonly producerVersion: string;
  /** Plain text by name, for whoever loads the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The bytes of an ONNX file.
 * @param read Fetches a parameter of the model, by its path.
 * @throws {UserError} when it would be longer than protobuf allows, or a parameter is beyond float16.
 */
export async function encodeGraph(
  graph: Graph,
  read: (path: string) => Promise<HostTensor>,
  { producerVersion, metadata }: FileLabels,
): Promise<Uint8Array<ArrayBuffer>> {
  checkSize(graph);
  const initializer = [];
  for (const own of graph.initializers) initializer.push(await tensorOf(own, read));
  const model: ModelProto = create(ModelProtoSchema, {
    irVersion: irVersionOf(graph.opset),
    producerName: 'winnow',
    producerVersion,
    opsetImport: [{ domain: '', version: BigInt(graph.opset) }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: graph.name,
      node: graph.nodes.map(({ operator, name, inputs, outputs, attributes }) =>
        create(NodeProtoSchema, {
          name,
          opType: operator,
          input: [...inputs],
          output: [...outputs],
          attribute: Object.entries(attributes).map(([key, value]) => attributeOf(key, value)),
        }),
      ),
      initializer,
      input: graph.inputs.map(portOf),
      output: graph.outputs.map(portOf),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

/** The version of the format that came with an opset (onnx, docs/Versioning.md). */
const irVersionOf = (opset: number): bigint => (opset < 19 ? 8n : opset < 21 ? 9n : 10n);

/** @throws {UserError} when the tensors alone would be longer than a protobuf message may be. */
export function checkSize({ initializers }: Pick<Graph, 'initializers'>): void {
  const bytes = initializers.reduce(
    (sum, { type, shape }) => sum + bytesOf[type] * shape.reduce((product, extent) => product * extent, 1),
    BESIDE_TENSORS,
  );
  if (bytes > MOST_BYTES) {
    throw new UserError(
      `ONNX: expected at most ${MOST_BYTES} bytes, which is all that protobuf holds in one file, got about ${bytes}: take --precision f16, or cut the model further`,
    );
  }
}

async function tensorOf(own: Initializer, read: (path: string) => Promise<HostTensor>) {
  const { name, type, shape, values } = own;
  const numbers = 'numbers' in values ? values.numbers : (await read(values.parameter)).values;
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: elementNumbers[type],
    rawData: rawNumbers(name, type, numbers),
  });
}

/** Numbers in a type of the format, little-endian. @throws {UserError} beginning with `name`, beyond float16. */
export function rawNumbers(
  name: string,
  type: ElementType,
  numbers: ArrayLike<number>,
): Uint8Array<ArrayBuffer> {
  const raw = new Uint8Array(bytesOf[type] * numbers.length);
  const view = new DataView(raw.buffer);
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at] ?? 0;
    switch (type) {
      case 'float32':
        view.setFloat32(4 * at, value, true);
        break;
      case 'float16':
        if (Math.abs(value) > GREATEST_HALF)
          throw new UserError(
            `ONNX: ${name} holds ${value}, and float16 ends at ${GREATEST_HALF}: take --precision f32`,
          );
        view.setUint16(2 * at, halfOf(value), true);
        break;
      case 'int32':
        view.setInt32(4 * at, value, true);
        break;
      case 'int64':
        view.setBigInt64(8 * at, BigInt(value), true);
        break;
      case 'int8':
        view.setInt8(at, value);
        break;
      case 'uint8':
      case 'bool':
        view.setUint8(at, value);
        break;
      default:
        throw new RangeError(`no type ${type satisfies never}`);
    }
  }
  return raw;
}

function attributeOf(name: string, attribute: Attribute) {
  switch (attribute.kind) {
    case 'int':
      return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(attribute.value) });
    case 'float':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: attribute.value });
    case 'ints':
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.INTS,
        ints: attribute.value.map(BigInt),
      });
    case 'string':
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.STRING,
        s: new TextEncoder().encode(attribute.value),
      });
    default:
      return attribute satisfies never;
  }
}

const portOf = ({ name, type, shape }: GraphPort) =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: elementNumbers[type],
          shape: { dim: shape.map((extent) => ({ value: extentOf(extent) })) },
        },
      },
    },
  });

const extentOf = (extent: number | string) =>
  typeof extent === 'number'
    ? ({ case: 'dimValue', value: BigInt(extent) } as const)
    : ({ case: 'dimParam', value: extent } as const);
