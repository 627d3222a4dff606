import { createHash } from 'node:crypto';
import { linkSync, mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { imageFolder } from '../../packages/data/dist/index.js';
import { CLASSES } from './checkpoints.mjs';
import { mutateBytes } from './mutate-bytes.mjs';

/** Fewer pictures are not cached. */
const PICTURES = 520;
const IMAGE_SIZE = 8;

const open = (folder, cache) =>
  imageFolder(join(folder, 'pictures'), {
    imageSize: IMAGE_SIZE,
    augmentation: 'none',
    preload: true,
    pictureCache: cache,
  });

/** As many pictures as are worth a cache, all of them one file, and what the cache keeps of them. */
export async function makeMany(folder) {
  const first = join(folder, 'first.png');
  mkdirSync(folder, { recursive: true });
  await sharp({ create: { width: 8, height: 8, channels: 3, background: '#a04020' } })
    .png()
    .toFile(first);
  for (const split of ['train', 'test'])
    for (const name of CLASSES) {
      const into = join(folder, 'pictures', split, name);
      mkdirSync(into, { recursive: true });
      for (let at = 0; at < PICTURES / 4; at++) linkSync(first, join(into, `${at}.png`));
    }
  mkdirSync(join(folder, 'cache'));
  await open(folder, cacheIn(folder));
}

/** Opens the pictures with the cache of which one file was changed. */
export async function readThroughCache() {
  await open('many', { ...cacheIn('many'), write: () => Promise.resolve() });
}

function cacheIn(folder) {
  const fileOf = (key) => join(folder, 'cache', key.replaceAll(/[^a-z0-9]+/gi, '-'));
  return {
    read: (key) => readFile(fileOf(key)).catch(() => undefined),
    write: (key, content) => writeFile(fileOf(key), content),
  };
}

/** Bytes behind a checksum of SHA-256 (of a pack of pictures, its header): damages them, or lies behind one that is right. */
export function mutateSealed(random, bytes) {
  if (random.chance(0.5)) return mutateBytes(random, bytes);
  const count = bytes.length < 36 ? 0 : bytes.readUInt32LE(32);
  const end = 36 + 16 * count;
  if (count > 0 && count < 2 ** 16 && end <= bytes.length) {
    const header = mutateBytes(random, bytes.subarray(32, end));
    return Buffer.concat([createHash('sha256').update(header).digest(), header, bytes.subarray(end)]);
  }
  const content = mutateBytes(random, bytes.subarray(32));
  return Buffer.concat([createHash('sha256').update(content).digest(), content]);
}
