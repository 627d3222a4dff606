import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { CLASSES } from './checkpoints.mjs';

const SIDE = 16;
export const FORMATS = ['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'];

const picture = (red, seed) =>
  sharp(
    Buffer.from(
      Array.from({ length: SIDE * SIDE * 3 }, (_, at) => (at % 3 === 0 ? red : (at * 7 + seed * 13) % 90)),
    ),
    { raw: { width: SIDE, height: SIDE, channels: 3 } },
  );

/** Two classes of small pictures in three splits; the test split has one in every format that is read. */
export async function makePictures(folder) {
  const counts = { train: 4, validation: 2, test: FORMATS.length };
  for (const [split, count] of Object.entries(counts)) {
    for (const [number, name] of CLASSES.entries()) {
      for (let at = 0; at < count; at++) {
        const format = split === 'test' ? FORMATS[at] : 'png';
        const file = join(folder, split, name, `${at}.${format}`);
        mkdirSync(dirname(file), { recursive: true });
        // Effort: the time of avif's encoder.
        const options = format === 'avif' ? { effort: 0 } : {};
        writeFileSync(
          file,
          await picture(40 + number * 160, at)
            .toFormat(format, options)
            .toBuffer(),
        );
      }
    }
  }
}

const CAPTIONS = [
  'a red drawing',
  'a blue drawing',
  'one dark red',
  'one light blue',
  'drawing of red',
  'dark blue',
];
const PER_SPLIT = 4;

/** Twelve pictures with captions, in the three forms that are read from one file, and in COCO's folders. */
export async function makeCaptions(folder) {
  const images = Array.from({ length: 3 * PER_SPLIT }, (_, at) => ({
    id: at + 1,
    name: `${at}.png`,
    split: ['train', 'val', 'test'][Math.floor(at / PER_SPLIT)],
    captions: [CAPTIONS[at % CAPTIONS.length], `a drawing of one`],
  }));
  mkdirSync(join(folder, 'pictures'), { recursive: true });
  for (const { id, name } of images)
    writeFileSync(
      join(folder, 'pictures', name),
      await picture((id * 40) % 256, id)
        .png()
        .toBuffer(),
    );
  const write = (name, content) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  };
  const coco = (list) => ({
    info: { year: 2017 },
    images: list.map(({ id, name }) => ({ id, file_name: name, width: SIDE, height: SIDE })),
    annotations: list.flatMap(({ id, captions }) =>
      captions.map((caption, at) => ({ id: id * 10 + at, image_id: id, caption })),
    ),
  });
  const splitOf = { train: 'train', val: 'validation', test: 'test' };
  const rows = images.flatMap(({ name, split, captions }) =>
    captions.map((caption) => `pictures/${name},"${caption}",${splitOf[split]}`),
  );
  write('captions.csv', `image,caption,split\n${rows.join('\n')}\n`);
  write('captions.json', coco(images));
  write('karpathy.json', {
    images: images.map(({ name, split, captions }) => ({
      filepath: 'pictures',
      filename: name,
      split,
      sentences: captions.map((raw) => ({ raw })),
    })),
  });
}

/** The same pictures in one folder, with their labels in the two tables that are read. */
export async function makeLabels(folder) {
  mkdirSync(join(folder, 'pictures'), { recursive: true });
  const rows = [];
  for (const [number, label] of CLASSES.entries()) {
    for (let at = 0; at < 8; at++) {
      const image = `pictures/${label}-${at}.png`;
      const bytes = await picture(40 + number * 160, at)
        .png()
        .toBuffer();
      writeFileSync(join(folder, image), bytes);
      rows.push({ image, label, split: at < 4 ? 'train' : at < 6 ? 'validation' : 'test' });
    }
  }
  const lines = rows.map(({ image, label, split }) => `${image},${label},${split}`);
  writeFileSync(join(folder, 'labels.csv'), `image,label,split\n${lines.join('\n')}\n`);
  writeFileSync(
    join(folder, 'labels.jsonl'),
    rows.map(({ image, label }) => `${JSON.stringify({ image, label })}\n`).join(''),
  );
}
