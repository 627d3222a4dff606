import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { tarHeader } from '../data/pictures.mjs';
import { CLASSES } from './checkpoints.mjs';
import { mutateBytes } from './mutate-bytes.mjs';

const BLOCK = 512;
const CHECKSUM = 148;
const PER_CLASS = 8;

const filled = (content) =>
  Buffer.concat([content, Buffer.alloc((BLOCK - (content.byteLength % BLOCK)) % BLOCK)]);

/** Pictures with classes and texts, packed as WebDataset packs them. */
export async function makeArchives(folder) {
  mkdirSync(folder, { recursive: true });
  const parts = [];
  for (const [number, label] of CLASSES.entries()) {
    for (let at = 0; at < PER_CLASS; at++) {
      const background = { r: 40 + number * 160, g: 10 * at, b: 90 };
      const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background } })
        .png()
        .toBuffer();
      const said = Buffer.from(JSON.stringify({ label, caption: `a ${label} picture, number ${at}` }));
      for (const [extension, content] of [
        ['png', picture],
        ['json', said],
      ])
        parts.push(tarHeader(`${label}-${at}.${extension}`, content.byteLength), filled(content));
    }
  }
  writeFileSync(join(folder, 'shard-0.tar'), Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]));
}

/** An archive that is damaged anywhere, or one of whose headers says something else under a checksum that is right. */
export function mutateTar(random, bytes) {
  if (random.chance(0.3)) return mutateBytes(random, bytes);
  const changed = Buffer.from(bytes);
  const headers = [];
  for (let at = 0; at + BLOCK <= changed.length && changed[at] !== 0;) {
    headers.push(at);
    const size = Number.parseInt(changed.toString('latin1', at + 124, at + 135), 8);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  if (headers.length === 0) return changed;
  const at = random.pick(headers);
  const header = mutateBytes(random, changed.subarray(at, at + BLOCK)).subarray(0, BLOCK);
  header.copy(changed, at);
  changed.fill(' ', at + CHECKSUM, at + CHECKSUM + 8);
  const sum = changed.subarray(at, at + BLOCK).reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + CHECKSUM, 'latin1');
  return changed;
}
