/** A field of a protocol buffer message: its number, and its value by its wire type. */
export type ProtobufField =
  | { readonly field: number; readonly kind: 'varint'; readonly value: number }
  | { readonly field: number; readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly field: number; readonly kind: 'float'; readonly value: number }
  | { readonly field: number; readonly kind: 'double'; readonly value: number };

/** Bits of a whole number in seven-bit groups, of which JavaScript's numbers hold 53. */
const MOST_GROUPS = 10;

/**
 * The fields of one message in the wire format of protocol buffers; messages within it are bytes. Whole numbers above 2⁵³ are
 * not exact.
 * @throws {RangeError} when it is cut off, or has a group, which nobody writes any more.
 */
export function* protobufFields(bytes: Uint8Array): Generator<ProtobufField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let group = 0; group < MOST_GROUPS; group++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('it is cut off');
      value += (byte & 0x7f) * 2 ** (7 * group);
      if (byte < 0x80) return value;
    }
    throw new RangeError(`a whole number of more than ${MOST_GROUPS} bytes`);
  };
  const taken = (length: number): number => {
    const from = at;
    if (length > bytes.length - from) throw new RangeError('it is cut off');
    at += length;
    return from;
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (field === 0) throw new RangeError('a field without a number');
    if (wireType === 0) yield { field, kind: 'varint', value: varint() };
    else if (wireType === 1) yield { field, kind: 'double', value: view.getFloat64(taken(8), true) };
    else if (wireType === 5) yield { field, kind: 'float', value: view.getFloat32(taken(4), true) };
    else if (wireType === 2) {
      const length = varint();
      const from = taken(length);
      yield { field, kind: 'bytes', value: bytes.subarray(from, from + length) };
    } else throw new RangeError(`a field of the wire type ${wireType}`);
  }
}
