export const SIDE = 16;

/** Bytes of a sample, TIFF's number of its kind (1: unsigned, 2: signed, 3: floating point), and how it is written. */
const types = {
  uint16: {
    bytes: 2,
    kind: 1,
    write: (to: Buffer, value: number, at: number) => to.writeUInt16LE(value, at),
  },
  uint32: {
    bytes: 4,
    kind: 1,
    write: (to: Buffer, value: number, at: number) => to.writeUInt32LE(value, at),
  },
  int8: { bytes: 1, kind: 2, write: (to: Buffer, value: number, at: number) => to.writeInt8(value, at) },
  int16: { bytes: 2, kind: 2, write: (to: Buffer, value: number, at: number) => to.writeInt16LE(value, at) },
  float32: {
    bytes: 4,
    kind: 3,
    write: (to: Buffer, value: number, at: number) => to.writeFloatLE(value, at),
  },
} as const;
export type SampleType = keyof typeof types;

/** A grey picture of 16×16 pixels in any type of sample: no encoder of pictures writes all of them. */
export function greyTiff(type: SampleType, level: (at: number) => number): Buffer {
  const { bytes, kind, write } = types[type];
  const count = SIDE * SIDE;
  const pixels = Buffer.alloc(count * bytes);
  for (let at = 0; at < count; at++)
    write(pixels, kind === 3 ? level(at) : Math.round(level(at)), at * bytes);
  // TIFF 6.0: number of the tag, its type (3: 16 bits, 4: 32 bits), its value.
  const tags = [
    [256, 4, SIDE],
    [257, 4, SIDE],
    [258, 3, 8 * bytes],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 0],
    [277, 3, 1],
    [278, 4, SIDE],
    [279, 4, pixels.byteLength],
    [339, 3, kind],
  ] as const;
  const directory = Buffer.alloc(2 + tags.length * 12 + 4);
  directory.writeUInt16LE(tags.length, 0);
  tags.forEach(([tag, width, value], place) => {
    const at = 2 + 12 * place;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(width, at + 2);
    directory.writeUInt32LE(1, at + 4);
    directory.writeUInt32LE(tag === 273 ? 8 + directory.byteLength : value, at + 8);
  });
  return Buffer.concat([Buffer.from('II*\0\x08\0\0\0', 'latin1'), directory, pixels]);
}
