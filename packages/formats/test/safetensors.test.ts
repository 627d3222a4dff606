import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostTensor } from '@winnow/core';
import fc from 'fast-check';
import {
  FormatError,
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  writeSafetensors,
} from '../src/index';

const text = new TextEncoder();

/** A file made by hand: any header over any data. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array()): Uint8Array {
  const json = text.encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.byteLength + data.byteLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.byteLength), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.byteLength);
  return bytes;
}

const bytesOf = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const decode = (bytes: Uint8Array) => decodeSafetensors(bytes, 'a.safetensors');

const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 3 });
const tensorOf: fc.Arbitrary<HostTensor> = shape.chain((shape) => {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return fc.oneof(
    fc
      .array(fc.float(), { minLength: count, maxLength: count })
      .map((values): HostTensor => ({ dtype: 'float32', shape, values: Float32Array.from(values) })),
    fc
      .array(fc.integer(), { minLength: count, maxLength: count })
      .map((values): HostTensor => ({ dtype: 'int32', shape, values: Int32Array.from(values) })),
  );
});
const tensorsOf = fc
  .array(fc.tuple(fc.string({ unit: 'grapheme' }), tensorOf), { maxLength: 5 })
  .map((entries) => new Map(entries.filter(([name]) => name !== '__metadata__')));
const metadataOf = fc
  .dictionary(fc.string(), fc.string(), { maxKeys: 3, noNullPrototype: true })
  .filter((metadata) => !Object.hasOwn(metadata, '__proto__'));

const sample = new Map<string, HostTensor>([
  ['weight', { dtype: 'float32', shape: [2, 3], values: Float32Array.of(1, -2, 3, 0.5, NaN, -0) }],
  ['2', { dtype: 'int32', shape: [2], values: Int32Array.of(7, -7) }],
  ['1', { dtype: 'float32', shape: [], values: Float32Array.of(1e-42) }],
]);

describe('safetensors', () => {
  it('gives back what was written, bit for bit', () => {
    fc.assert(
      fc.property(tensorsOf, metadataOf, (tensors, metadata) => {
        const decoded = decode(encodeSafetensors(tensors, metadata));
        expect(decoded.metadata).toEqual(metadata);
        expect(new Set(decoded.tensors.keys())).toEqual(new Set(tensors.keys()));
        for (const [name, tensor] of tensors) {
          const found = decoded.tensors.get(name);
          expect(found?.dtype).toBe(tensor.dtype);
          expect(found?.shape).toEqual(tensor.shape);
          expect(found && bytesOf(found.values)).toEqual(bytesOf(tensor.values));
        }
      }),
    );
  });

  it('keeps the order of the tensors, also of names that look like numbers', () => {
    const bytes = encodeSafetensors(sample);
    expect([...decode(bytes).tensors.keys()]).toEqual(['weight', '2', '1']);
    expect(encodeSafetensors(sample)).toEqual(bytes);
  });

  it('aligns the first tensor to 8 bytes with spaces, and reads without copying', () => {
    const bytes = encodeSafetensors(sample, { odd: 'x' });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(decode(bytes).tensors.get('weight')?.values.buffer).toBe(bytes.buffer);
  });

  it('reads bytes that start anywhere, and tensors at odd places', () => {
    const shifted = new Uint8Array(1 + encodeSafetensors(sample).byteLength);
    shifted.set(encodeSafetensors(sample), 1);
    expect([...(decode(shifted.subarray(1)).tensors.get('2')?.values ?? [])]).toEqual([7, -7]);
    const odd = fileOf(
      {
        a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
        b: { dtype: 'F32', shape: [1], data_offsets: [1, 5] },
      },
      Uint8Array.of(3, ...bytesOf(Float32Array.of(1.5))),
    );
    expect([...(decode(odd).tensors.get('b')?.values ?? [])]).toEqual([1.5]);
    expect([...(decode(Buffer.from(odd)).tensors.get('b')?.values ?? [])]).toEqual([1.5]);
  });

  it.each([
    [
      'F16',
      bytesOf(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0xfc00, 0x7bff)),
      [1, -2, 2 ** -24, Infinity, -Infinity, 65504],
    ],
    [
      'BF16',
      bytesOf(Uint16Array.of(0x3f80, 0xc000, 0x4049, 0x7f80, 0x8000, 0x0001)),
      [1, -2, 3.140625, Infinity, -0, 2 ** -133],
    ],
    [
      'I64',
      bytesOf(BigInt64Array.of(0n, -1n, 2147483647n, -2147483648n, 5n, 6n)),
      [0, -1, 2147483647, -2147483648, 5, 6],
    ],
    ['U8', Uint8Array.of(0, 1, 2, 3, 254, 255), [0, 1, 2, 3, 254, 255]],
    ['BOOL', Uint8Array.of(0, 1, 1, 0, 0, 1), [0, 1, 1, 0, 0, 1]],
  ])('reads %s', (dtype, data, expected) => {
    const bytes = fileOf({ x: { dtype, shape: [6], data_offsets: [0, data.byteLength] } }, data);
    expect([...(decode(bytes).tensors.get('x')?.values ?? [])]).toEqual(expected);
  });

  const entry = (dtype: string, shape: unknown, begin: number, end: number) => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });
  it.each([
    ['a file of 3 bytes', Uint8Array.of(1, 2, 3), /starts with 8 bytes of length, got 3 bytes/],
    ['a header beyond the file', fileOf({}).subarray(0, 9), /header of at most 1 bytes.*got the length 2/],
    ['an absurd length', new Uint8Array(16).fill(255), /got the length 18446744073709551615/],
    [
      'a header for more tensors than a model has',
      fileOf(' '.repeat(2 ** 24 + 1)),
      /header of at most 16777216 bytes.*got the length 16777217/,
    ],
    ['brackets without end', fileOf(`{"w":${'['.repeat(200_000)}`), /header: .*at most 100 brackets/],
    [
      'more axes than there can be',
      fileOf({ w: entry('U8', new Array(65).fill(1), 0, 1) }, new Uint8Array(1)),
      /tensor w: .*\n.*at shape/,
    ],
    ['no JSON', fileOf('{"a":'), /expected the header to be JSON/],
    ['no UTF-8', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0x28), /UTF-8/],
    ['a list', fileOf('[]'), /expected the header to be a JSON object/],
    [
      'an unknown type',
      fileOf({ w: entry('F8_E4M3', [1], 0, 1) }, new Uint8Array(1)),
      /tensor w: .*\n.*at dtype/,
    ],
    [
      'a negative extent',
      fileOf({ w: entry('F32', [-1], 0, 4) }, new Uint8Array(4)),
      /tensor w: .*\n.*at shape/,
    ],
    [
      'too few bytes for the shape',
      fileOf({ w: entry('F32', [3], 0, 8) }, new Uint8Array(8)),
      /tensor w: expected 12 bytes for F32 \[3\]/,
    ],
    [
      'a gap',
      fileOf({ a: entry('U8', [1], 0, 1), b: entry('U8', [1], 2, 3) }, new Uint8Array(3)),
      /tensor b: expected to begin at 1, got 2: a gap/,
    ],
    [
      'an overlap',
      fileOf({ a: entry('U8', [2], 0, 2), b: entry('U8', [2], 1, 3) }, new Uint8Array(3)),
      /tensor b: .*overlaps/,
    ],
    [
      'offsets beyond the file',
      fileOf({ a: entry('U8', [4], 0, 4) }, new Uint8Array(3)),
      /expected 4 bytes of tensors, got 3: the file is cut off/,
    ],
    [
      'something after the tensors',
      fileOf({ a: entry('U8', [1], 0, 1) }, new Uint8Array(2)),
      /after the last tensor/,
    ],
    ['metadata that is no text', fileOf({ __metadata__: { a: 1 } }), /__metadata__/],
    [
      'an I64 beyond int32',
      fileOf({ a: entry('I64', [1], 0, 8) }, bytesOf(BigInt64Array.of(2147483648n))),
      /tensor a: .*int32 range, got 2147483648 at 0/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decode(bytes)).toThrow(FormatError);
    expect(() => decode(bytes)).toThrow(message);
    expect(() => decode(bytes)).toThrow(/^a\.safetensors/);
  });

  it('refuses a file cut off at any length', () => {
    const bytes = encodeSafetensors(sample, { key: 'value' });
    for (let length = 0; length < bytes.byteLength; length++) {
      expect(() => decode(bytes.subarray(0, length))).toThrow(FormatError);
    }
  });

  it('never fails in another way, whatever bit of the header is flipped', () => {
    const bytes = encodeSafetensors(sample, { key: 'value' });
    const header = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    let refused = 0;
    for (let bit = 0; bit < header * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        decode(flipped); // A flipped letter of a name makes another sound file.
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(header * 4);
  });

  it('refuses to write what the format cannot hold', () => {
    const values = Float32Array.of(1);
    expect(() =>
      encodeSafetensors(new Map([['__metadata__', { dtype: 'float32', shape: [1], values }]])),
    ).toThrow(RangeError);
    expect(() => encodeSafetensors(new Map([['w', { dtype: 'float32', shape: [2], values }]]))).toThrow(
      'w: expected 2 values for [2], got 1',
    );
  });

  describe('on disk', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'winnow-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('writes the encoded bytes and reads them', async () => {
      const file = join(folder, 'a.safetensors');
      await writeSafetensors(file, sample, { key: 'value' });
      expect(new Uint8Array(await readFile(file))).toEqual(encodeSafetensors(sample, { key: 'value' }));
      expect((await readSafetensors(file)).metadata).toEqual({ key: 'value' });
    });

    it('names a missing file, a folder and an empty file', async () => {
      const missing = join(folder, 'missing.safetensors');
      await expect(readSafetensors(missing)).rejects.toThrow(`cannot read ${missing}: there is no such file`);
      await expect(readSafetensors(folder)).rejects.toThrow(FormatError);
      const empty = join(folder, 'empty.safetensors');
      await writeFile(empty, '');
      await expect(readSafetensors(empty)).rejects.toMatchObject({ name: 'FormatError', exitCode: 2 });
    });
  });
});
