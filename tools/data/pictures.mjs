import { createWriteStream, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const sharp = createRequire(new URL('../../packages/data/package.json', import.meta.url))('sharp');

const CLASSES = 10;
const PER_SHARD = 5000;
const AT_A_TIME = 64;
const BLOCK = 512;

/** A picture of waves and noise, which its number decides: about as large as a photograph when it is packed. */
export async function jpegOf(number, width, height) {
  const pixels = Buffer.alloc(width * height * 3);
  let state = number * 2654435761 + 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const wave =
        50 * Math.sin((x * (1 + (number % CLASSES))) / 20 + number) +
        50 * Math.cos((y * (1 + (number % 7))) / 15);
      const at = (y * width + x) * 3;
      for (let channel = 0; channel < 3; channel++)
        pixels[at + channel] = 128 + wave * (1 - channel / 3) + ((state >>> 24) - 128) / 8;
    }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}

/** Makes class folders (by splits), or shards, of so many different pictures. */
export async function makePictures({ folder, count, width, height, shards, distinct }) {
  const splitOf = (number) => (number % 100 === 0 ? 'test' : number % 100 === 1 ? 'validation' : 'train');
  let archive;
  const made = new Map();
  const pictureOf = async (number) => {
    const known = made.get(number) ?? (await jpegOf(number, width, height));
    if (distinct < count) made.set(number, known);
    return known;
  };
  for (let begin = 0; begin < count; begin += AT_A_TIME) {
    const numbers = Array.from({ length: Math.min(AT_A_TIME, count - begin) }, (_, place) => begin + place);
    const pictures = await Promise.all(numbers.map((number) => pictureOf(number % distinct)));
    for (const [place, number] of numbers.entries()) {
      const content = pictures[place];
      const label = String(Math.floor(number / 100) % CLASSES);
      const name = String(number).padStart(8, '0');
      if (!shards) {
        const into = join(folder, splitOf(number), label);
        if (number < 100 * CLASSES) mkdirSync(into, { recursive: true });
        await writeFile(join(into, `${name}.jpg`), content);
        continue;
      }
      if (number % PER_SHARD === 0) {
        await archive?.end();
        archive = writingTo(join(folder, `shard-${String(number / PER_SHARD).padStart(5, '0')}.tar`));
      }
      await archive.write(`${name}.jpg`, content);
      await archive.write(`${name}.cls`, Buffer.from(label));
    }
  }
  await archive?.end();
}

/** The header of a file in a tar archive (POSIX.1-1988, ustar). */
export function tarHeader(name, bytes) {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(bytes.toString(8).padStart(11, '0'), 124);
  header.write('00000000000\0', 136);
  header.fill(' ', 148, 156);
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** A tar archive (ustar) that is written file by file. */
function writingTo(path) {
  const stream = createWriteStream(path);
  const put = (bytes) =>
    new Promise((resolve) => (stream.write(bytes) ? resolve() : stream.once('drain', resolve)));
  return {
    write: async (name, content) => {
      await put(tarHeader(name, content.byteLength));
      await put(content);
      await put(Buffer.alloc((BLOCK - (content.byteLength % BLOCK)) % BLOCK));
    },
    end: () => new Promise((resolve) => stream.end(Buffer.alloc(2 * BLOCK), resolve)),
  };
}
