import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';

/** A folder that is removed after the tests of the file that asked for it. */
export function temporaryFolders(): (name: string) => Promise<string> {
  const made: string[] = [];
  afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true }))));
  return async (name) => {
    const path = join(await mkdtemp(join(tmpdir(), 'winnow-')), name);
    await mkdir(path);
    made.push(dirname(path));
    return path;
  };
}

/** Pixels that differ everywhere, so that any displacement shows. */
export function gradient(width: number, height: number, shift = 0): Buffer {
  return Buffer.from(
    Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      return [(x * 7 + shift) % 256, (y * 5 + shift) % 256, (x * 3 + y * 2) % 256];
    }).flat(),
  );
}

export function picture(width: number, height: number, shift = 0): Sharp {
  return sharp(gradient(width, height, shift), { raw: { width, height, channels: 3 } });
}

/** Writes files by their path below `root`: numbers are shifts of generated PNGs, buffers are written as they are. */
export async function writeTree(root: string, files: Record<string, number | Buffer>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const at = join(root, path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(
      at,
      typeof content === 'number' ? await picture(20, 16, content).png().toBuffer() : content,
    );
  }
}

/** Two classes with three training, one validation and one test picture each. */
export const WELL_FORMED: Record<string, number> = {
  'train/cat/1.png': 1,
  'train/cat/2.png': 2,
  'train/cat/3.png': 3,
  'train/dog/1.png': 4,
  'train/dog/2.png': 5,
  'train/dog/3.png': 6,
  'validation/cat/4.png': 7,
  'validation/dog/4.png': 8,
  'test/cat/5.png': 9,
  'test/dog/5.png': 10,
};
