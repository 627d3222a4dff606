import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyDataset, openDataset } from '../src/index';
import { readLayout } from '../src/folder/image-folder';
import { temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const OPTIONS = { imageSize: 16 };

async function folder(files: Record<string, number>): Promise<string> {
  const root = await temporary('pets');
  await writeTree(root, files);
  return root;
}
const numbered = (name: string, count: number, from = 0): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${name}/${at}.png`, from + at]));

describe('pictures in a folder images of each class', () => {
  test('are those of the class, with splits and without', async () => {
    const plain = await folder({
      ...numbered('train/a/images', 4),
      ...numbered('train/b/images', 3, 10),
      ...numbered('test/a', 2, 20),
      ...numbered('test/b/images', 1, 30),
    });
    const data = await openDataset(plain, OPTIONS);
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([5, 2, 3]);
    const whole = await openDataset(
      await folder({ ...numbered('a/images', 10), ...numbered('b', 10, 20) }),
      OPTIONS,
    );
    expect([whole.train.size, whole.validation.size, whole.test.size]).toEqual([14, 2, 4]);
  });

  test('are passed over where others lie right in the folder of the class', async () => {
    const root = await folder({
      ...numbered('a', 4),
      ...numbered('b', 4, 10),
      ...numbered('a/images', 2, 20),
    });
    const { splits, notes } = await readLayout(root, {});
    expect(Object.values(splits).flat()).toHaveLength(8);
    expect(notes.join()).toMatch(/passed over: 2 files in folders below the class folders: a\/images/);
  });
});

describe('pictures in folders below the class folders', () => {
  const deep = {
    ...numbered('a/x', 3),
    ...numbered('a/x/y', 3, 10),
    ...numbered('a', 2, 20),
    ...numbered('b/z', 8, 30),
  };

  test('are the pictures of the class if asked', async () => {
    const root = await folder(deep);
    const { splits, classes } = await readLayout(root, { nested: true });
    expect(classes).toEqual(['a', 'b']);
    expect(Object.values(splits).flat()).toHaveLength(16);
    // Names with their folders decide the split: 0.png is in four of them.
    expect(splits.test.length).toBeGreaterThanOrEqual(2);
    expect(await identifyDataset(root, { nested: true })).not.toEqual(
      await identifyDataset(await folder({ ...numbered('a', 8), ...numbered('b', 8, 30) })),
    );
  });

  test('are an error that names the flag, where there are no others', async () => {
    await expect(openDataset(await folder(deep), OPTIONS)).rejects.toThrow(
      /pictures in the class folder .*b, but found none, but 8 files in folders below it \(z\).*--nested/s,
    );
    const alone = await folder({ ...numbered('a/x', 3), ...numbered('b/x', 3) });
    await expect(openDataset(alone, OPTIONS)).rejects.toThrow(/Say --nested if a is a class/);
    const splits = await folder({
      ...numbered('train/a/x', 3),
      ...numbered('train/b/x', 3),
      ...numbered('test/a/x', 1),
      ...numbered('test/b/x', 1),
    });
    await expect(openDataset(splits, OPTIONS)).rejects.toThrow(/--nested/);
    expect((await openDataset(splits, { ...OPTIONS, nested: true })).test.size).toBe(2);
  });

  test('do not go round in circles', async () => {
    const root = await folder(deep);
    await symlink(join(root, 'a'), join(root, 'a', 'x', 'again'));
    await expect(readLayout(root, { nested: true })).rejects.toThrow(/again, a link to a folder above it/);
  });
});
