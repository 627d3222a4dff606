import { crc32 } from 'node:zlib';
import { hostileNumbers } from './hostile.mjs';
import { mutateBytes } from './mutate-bytes.mjs';

const svg = (body, size = 'width="16" height="16"') =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>${body}</svg>`,
  );

/** Files that are no picture of any format that is read, or one of another, whatever the name says. */
const others = (canary) => [
  svg('<rect width="16" height="16"/>'),
  svg(`<image xlink:href="file://${canary}/secret.png" width="16" height="16"/>`),
  svg('<rect width="1" height="1"/>', 'width="100000" height="100000"'),
  Buffer.from('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><svg>&a;</svg>'),
  Buffer.from('BM' + '\0'.repeat(100), 'latin1'),
  Buffer.from('P6 16 16 255\n' + 'x'.repeat(768)),
  Buffer.from('%PDF-1.4\n'),
  Buffer.from('text'),
];

const PNG_SIGNATURE = 8;

/** The chunks of a PNG: type and data. */
function chunksOf(bytes) {
  const chunks = [];
  for (let at = PNG_SIGNATURE; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    chunks.push([
      bytes.toString('latin1', at + 4, at + 8),
      Buffer.from(bytes.subarray(at + 8, at + 8 + length)),
    ]);
    at += 12 + length;
  }
  return chunks;
}

function pngOf(signature, chunks) {
  const written = chunks.map(([type, data]) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  });
  return Buffer.concat([signature, ...written]);
}

const sizes = hostileNumbers.filter((size) => Number.isInteger(size) && size >= 0 && size < 2 ** 32);

/** Lies whose checksums are right. */
const pngLies = [
  (random, chunks) => chunks[0][1].writeUInt32BE(random.pick(sizes), random.pick([0, 4])),
  (random, chunks) => chunks[0][1].fill(random.pick([0, 1, 2, 3, 4, 6, 16, 255]), 8 + random.below(5)),
  (random, chunks) => chunks.splice(random.below(chunks.length), 1),
  (random, chunks) => chunks.splice(random.below(chunks.length), 0, random.pick(chunks)),
  (random, chunks) => chunks.splice(1, 0, ['iCCP', Buffer.from(`x\0\0${'y'.repeat(random.below(1000))}`)]),
  (random, chunks) =>
    chunks.splice(1, 0, [
      'eXIf',
      Buffer.from(
        `MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0${String.fromCharCode(random.below(12))}\0\0`,
        'latin1',
      ),
    ]),
  (random, chunks) => chunks.splice(1, 0, ['tEXt', Buffer.alloc(random.pick([0, 1, 1_000_000]), 97)]),
];

/** Changes a picture: its bytes, what its header says, or all of it. */
export function mutatePicture(random, bytes, canary) {
  if (random.chance(0.1)) return random.pick(others(canary));
  const isPng = bytes.subarray(1, 4).toString() === 'PNG';
  if (!isPng || random.chance(0.4)) return mutateBytes(random, bytes);
  const chunks = chunksOf(bytes);
  random.pick(pngLies)(random, chunks);
  return pngOf(bytes.subarray(0, PNG_SIGNATURE), chunks);
}
