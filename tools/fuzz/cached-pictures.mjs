import { linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { imageFolder } from '../../packages/data/dist/index.js';
import { CLASSES } from './checkpoints.mjs';

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
  let pack;
  await open(folder, {
    read: () => Promise.resolve(undefined),
    write: (_key, content) => {
      pack = content;
      return Promise.resolve();
    },
  });
  writeFileSync(join(folder, 'pack'), Array.isArray(pack) ? Buffer.concat(pack) : pack);
}

/** Opens the pictures as if the cache held the file that was changed. */
export async function readThroughCache() {
  await open('many', {
    read: () => Promise.resolve(readFileSync(join('many', 'pack'))),
    write: () => Promise.resolve(),
  });
}
