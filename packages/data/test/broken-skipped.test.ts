import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PictureCache, identifyDataset, openDataset } from '../src/index';
import { temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const numbered = (name: string, count: number, from = 0): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${name}/${at}.png`, from + at]));
const PETS = { ...numbered('cat', 8), ...numbered('dog', 8, 100) };

async function pets(files: Record<string, number> = PETS): Promise<string> {
  const root = await temporary('pets');
  await writeTree(root, files);
  return root;
}
/** Cuts files short, so that their pictures are incomplete. */
async function damage(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const content = await readFile(path);
    await writeFile(path, content.subarray(0, content.byteLength - 20));
  }
}

describe('broken pictures that are skipped', () => {
  test('are counted and listed; the data are what is left', async () => {
    const root = await pets();
    const left = await pets(
      Object.fromEntries(
        Object.entries(PETS).filter(([name]) => name !== 'cat/3.png' && name !== 'dog/5.png'),
      ),
    );
    await damage(join(root, 'cat', '3.png'), join(root, 'dog', '5.png'));
    const options = { imageSize: 16, preload: true, broken: 'skip' } as const;
    const data = await openDataset(root, options);
    expect(data.train.size + data.validation.size + data.test.size).toBe(14);
    expect(data.notes[1]).toBe('skipped: 2 broken pictures: cat/3.png, dog/5.png');
    expect(data.skipped).toEqual([
      { picture: join(root, 'cat', '3.png'), problem: expect.stringContaining('a complete picture in') },
      { picture: join(root, 'dog', '5.png'), problem: expect.stringContaining('a complete picture in') },
    ]);
    expect(await identifyDataset(root, { broken: 'skip' })).toEqual(await identifyDataset(left));
    expect(await identifyDataset(root)).not.toEqual(await identifyDataset(left));
    await expect(openDataset(root, { imageSize: 16, preload: true })).rejects.toThrow(
      '2 files that cannot be used',
    );
  });

  test('may be all of a class, which is said', async () => {
    const options = { imageSize: 16, broken: 'skip' } as const;
    const root = await pets();
    await damage(...Object.keys(numbered('cat', 8)).map((name) => join(root, name)));
    await expect(openDataset(root, options)).rejects.toThrow(
      `expected pictures in the class folder ${join(root, 'cat')}, but found all its 8 pictures broken`,
    );
    const split = await pets({
      ...numbered('train/a', 4),
      ...numbered('train/b', 1, 10),
      ...numbered('test/a', 1, 20),
      ...numbered('test/b', 1, 30),
    });
    await damage(join(split, 'train', 'b', '0.png'));
    await expect(openDataset(split, options)).rejects.toThrow(/found its only picture broken/);
    await writeTree(split, numbered('train/b', 1, 10));
    await damage(join(split, 'test', 'a', '0.png'), join(split, 'test', 'b', '0.png'));
    await expect(openDataset(split, options)).rejects.toThrow(/found all its 2 pictures broken/);
    const table = join(root, 'labels.csv');
    const rows = [...Array(8).keys()].flatMap((at) => [`cat/${at}.png,cat`, `dog/${at}.png,dog`]);
    await writeFile(table, ['image,label', ...rows, ''].join('\n'));
    await expect(openDataset(table, options)).rejects.toThrow(
      /pictures of every class in .*labels\.csv, but found all pictures of 1 class broken:\s+- cat/,
    );
  });

  test('are known by what is in them, and looked at again when that changes', async () => {
    const root = await pets();
    await damage(join(root, 'cat', '3.png'));
    const kept = new Map<string, Uint8Array>();
    let reads = 0;
    const pictureCache: PictureCache = {
      read: async (key) => {
        const found = kept.get(key);
        if (found !== undefined) reads++;
        return found;
      },
      write: async (key, content) => void kept.set(key, content),
    };
    const options = { broken: 'skip', pictureCache } as const;
    const first = await identifyDataset(root, options);
    expect(await identifyDataset(root, options)).toEqual(first);
    expect(reads).toBeGreaterThan(0);
    await damage(join(root, 'dog', '1.png'));
    const data = await openDataset(root, { imageSize: 16, ...options });
    expect(data.skipped.map(({ picture }) => picture)).toEqual([
      join(root, 'cat', '3.png'),
      join(root, 'dog', '1.png'),
    ]);
  });

  test('may be files that are no pictures at all, and rows of a table', async () => {
    const root = await pets({
      ...numbered('train/a', 4),
      ...numbered('train/b', 4, 10),
      ...numbered('test/a', 2, 20),
      ...numbered('test/b', 2, 30),
    });
    await symlink(join(root, 'nowhere'), join(root, 'train', 'a', 'link.png'));
    await damage(join(root, 'test', 'a', '0.png'));
    const data = await openDataset(root, { imageSize: 16, broken: 'skip' });
    expect([data.test.size, data.skipped.length]).toEqual([3, 2]);
    const table = join(root, 'labels.csv');
    const rows = [...Array(4).keys()].flatMap((at) => [`train/a/${at}.png,a`, `train/b/${at}.png,b`]);
    await writeFile(table, ['image,label', ...rows, ''].join('\n'));
    await damage(join(root, 'train', 'b', '2.png'));
    const listed = await openDataset(table, { imageSize: 16, broken: 'skip' });
    expect(listed.train.size + listed.validation.size + listed.test.size).toBe(7);
    expect(listed.notes.join('\n')).toContain('skipped: 1 broken picture: train/b/2.png');
  });

  test('leave an error where a class has no other', async () => {
    const root = await pets({ ...numbered('a', 4), ...numbered('b', 1, 10) });
    await damage(join(root, 'b', '0.png'));
    await expect(openDataset(root, { imageSize: 16, broken: 'skip' })).rejects.toThrow(
      /pictures in the class folder .*b, but found its only picture broken/,
    );
  });
});
