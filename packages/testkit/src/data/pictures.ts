import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const SIDE = 16;

/** Levels of a picture, row by row, [height, width, channels]. */
export interface Levels {
  readonly width: number;
  readonly height: number;
  /** 1: grey; 3: red, green and blue. */
  readonly channels: 1 | 3;
  readonly levels: Uint8Array;
}

/** Writes a PNG, which keeps every level as it is. */
export async function writePicture(path: string, { width, height, channels, levels }: Levels): Promise<void> {
  // Only tests that make pictures need it.
  const { default: sharp } = await import('sharp');
  await sharp(levels, { raw: { width, height, channels } }).png().toFile(path);
}

/** Two classes of small pictures, red and blue ones, with a little noise: something to learn in a few steps. */
export async function makePictures(
  root: string,
  perClass: Readonly<Partial<Record<'train' | 'validation' | 'test', number>>> = {
    train: 12,
    validation: 4,
    test: 4,
  },
): Promise<void> {
  for (const [split, count] of Object.entries(perClass)) {
    for (const [name, red] of [
      ['red', 200],
      ['blue', 40],
    ] as const) {
      const folder = join(root, split, name);
      await mkdir(folder, { recursive: true });
      for (let index = 0; index < count; index++) {
        const pixels = Buffer.alloc(SIDE * SIDE * 3);
        for (let i = 0; i < pixels.length; i += 3) {
          pixels[i] = red + ((i * 7 + index * 13) % 40);
          pixels[i + 1] = (i * 3 + index * 29) % 90;
          pixels[i + 2] = 220 - red;
        }
        const path = join(folder, `${index}.png`);
        await writePicture(path, { width: SIDE, height: SIDE, channels: 3, levels: pixels });
      }
    }
  }
}
