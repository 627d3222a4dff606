import fc from 'fast-check';
import protobuf from 'protobufjs';
import { crc32c } from '../src/results/crc32c';
import { eventFile } from '../src/results/tensorboard';

/** The messages that TensorBoard reads, from its published definitions. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
  message Summary { message Value { string tag = 1; float simple_value = 2; } repeated Value value = 1; }
`);
const event = root.lookupType('Event');

/** The events in a file, their checksums checked. */
function eventsIn(file: Uint8Array) {
  const bytes = Buffer.from(file);
  const unmasked = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  const events: Record<string, unknown>[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(unmasked(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmasked(bytes.readUInt32LE(at + 12 + length))).toBe(crc32c(data));
    events.push(event.toObject(event.decode(data), { longs: Number, defaults: true }));
    at += length + 16;
  }
  return events;
}

test('the checksum is that of RFC 3720', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});

test('what is written comes back: every tag, step and value', () => {
  const scalar = fc.record({
    tag: fc.string({ unit: 'grapheme' }),
    step: fc.nat(),
    value: fc.float({ noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(scalar), fc.double({ min: 0, max: 2e9, noNaN: true }), (scalars, wallSeconds) => {
      const [version, ...events] = eventsIn(eventFile(scalars, wallSeconds));
      expect(version).toMatchObject({ fileVersion: 'brain.Event:2' });
      expect(events.map(({ step, summary, wallTime }) => ({ step, summary, wallTime }))).toEqual(
        scalars.map(({ tag, step, value }) => ({
          step,
          wallTime: wallSeconds,
          summary: { value: [{ tag, simpleValue: value }] },
        })),
      );
    }),
  );
});
