import { createHash } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema, type TensorProto, type ValueInfoProto } from 'onnx-buf';
import { elementNumbers } from '../graph/builder';
import type { ElementType } from '../graph/graph';

/** A tensor as it stands in a file. */
export interface ReadTensor {
  readonly name: string;
  readonly type: ElementType | 'other';
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Entries that are zero, of either sign. */
  readonly zeros: number;
  /** The digest of its bytes, little-endian. */
  readonly sha256: string;
}

export interface ReadPort {
  readonly name: string;
  readonly type: ElementType | 'other';
  readonly shape: readonly (number | string)[];
}

/** An ONNX file's own account of itself, read by the format's schema. */
export interface ReadFile {
  readonly opset: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly ReadPort[];
  readonly outputs: readonly ReadPort[];
  readonly tensors: readonly ReadTensor[];
  /** The number of times that each operator stands in it. */
  readonly operators: Readonly<Record<string, number>>;
}

/** @throws {Error} when the bytes are no ONNX file. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const model = fromBinary(ModelProtoSchema, bytes);
  if (model.graph === undefined) throw new Error('expected an ONNX file, got one without a graph');
  return model;
}

export function readModel({ graph, opsetImport, metadataProps }: ModelProto): ReadFile {
  const operators: Record<string, number> = {};
  for (const { opType } of graph?.node ?? []) operators[opType] = (operators[opType] ?? 0) + 1;
  return {
    opset: Number(opsetImport.find(({ domain }) => domain === '')?.version ?? 0),
    metadata: Object.fromEntries(metadataProps.map(({ key, value }) => [key, value])),
    inputs: (graph?.input ?? []).map(portOf),
    outputs: (graph?.output ?? []).map(portOf),
    tensors: (graph?.initializer ?? []).map(tensorOf),
    operators,
  };
}

const types = new Map(Object.entries(elementNumbers).map(([name, number]) => [number, name]));
const isElementType = (name: string | undefined): name is ElementType =>
  name !== undefined && name in elementNumbers;
const typeOf = (number: number): ElementType | 'other' => {
  const name = types.get(number);
  return isElementType(name) ? name : 'other';
};

function portOf({ name, type }: ValueInfoProto): ReadPort {
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
  const shape = (tensor?.shape?.dim ?? []).map(({ value }) =>
    value.case === 'dimValue' ? Number(value.value) : value.case === 'dimParam' ? value.value : '?',
  );
  return { name, type: typeOf(tensor?.elemType ?? 0), shape };
}

function tensorOf({ name, dims, dataType, rawData }: TensorProto): ReadTensor {
  const type = typeOf(dataType);
  return {
    name,
    type,
    shape: dims.map(Number),
    bytes: rawData.length,
    zeros: zerosIn(rawData, type),
    sha256: createHash('sha256').update(rawData).digest('hex'),
  };
}

function zerosIn(raw: Uint8Array, type: ReadTensor['type']): number {
  if (type === 'int8') return raw.reduce((zeros, value) => (value === 0 ? zeros + 1 : zeros), 0);
  if (type !== 'float32' && type !== 'float16') return 0;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  let zeros = 0;
  if (type === 'float32') {
    for (let at = 0; at + 4 <= raw.length; at += 4)
      if ((view.getUint32(at, true) & 0x7fffffff) === 0) zeros++;
  } else
    for (let at = 0; at + 2 <= raw.length; at += 2) if ((view.getUint16(at, true) & 0x7fff) === 0) zeros++;
  return zeros;
}
