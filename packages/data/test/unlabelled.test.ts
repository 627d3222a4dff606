import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPictures, imageFolder, unlabelledPictures } from '../src/index';
import { failureOf } from './pictures/failure';
import { picture, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();

async function photos(files: Record<string, number | Buffer>): Promise<{ at(...path: string[]): string }> {
  const root = await temporary('photos');
  await writeTree(root, files);
  return { at: (...path) => join(root, ...path) };
}

describe('names of pictures', () => {
  test('are files, folders with those below them, and patterns; each file comes once', async () => {
    const { at } = await photos({
      'b.png': 1,
      'a.png': 2,
      'deep/er/c.png': 3,
      'deep/notes.txt': Buffer.from('a text'),
      '.hidden/d.png': 4,
    });
    const { paths, broken, notes } = await findPictures([at('b.png'), at(), at('*.png'), at('deep')]);
    expect(paths).toEqual([at('b.png'), at('a.png'), at('deep', 'er', 'c.png')]);
    expect(broken).toEqual([]);
    expect(notes[0]).toMatch(/photos: passed over: 1 file of no kind of picture: deep\/notes\.txt$/);
    expect((await findPictures([at('**', '?.png')])).paths).toEqual(
      [at('a.png'), at('b.png'), at('deep', 'er', 'c.png')].sort(),
    );
  });

  test('are files where they are there, whatever a pattern would make of them', async () => {
    const { at } = await photos({ 'x[1].png': 1, 'x1.png': 2 });
    expect((await findPictures([at('x[1].png')])).paths).toEqual([at('x[1].png')]);
  });

  test('of folders that lead back to themselves end', async () => {
    const { at } = await photos({ 'a.png': 1, 'deep/b.png': 2 });
    await symlink(at(), at('deep', 'again'));
    expect((await findPictures([at()])).paths).toEqual([at('a.png'), at('deep', 'b.png')]);
  });

  test('of formats that are not read are told apart from what is no picture', async () => {
    const bmp = Buffer.concat([
      Buffer.from('BM'),
      Buffer.alloc(12),
      Buffer.from([40, 0, 0, 0]),
      Buffer.alloc(40),
    ]);
    const { at } = await photos({ 'a.png': 1, 'b.bmp': bmp });
    const { paths, broken } = await findPictures([at()]);
    expect(paths).toEqual([at('a.png')]);
    expect(broken).toEqual([
      {
        picture: at('b.bmp'),
        problem: expect.stringMatching(/b\.bmp, but found a picture in the format BMP/),
      },
    ]);
  });

  test('that lead to no picture are refused; a file that is not there is for its reader to refuse', async () => {
    const { at } = await photos({});
    await mkdir(at('empty'));
    expect(await failureOf(findPictures([at('empty')]))).toMatch(
      /expected pictures in .*empty, but found none/,
    );
    expect(await failureOf(findPictures([at('*.png')]))).toMatch(/expected files that match .*\*\.png/);
    expect((await findPictures([at('gone.png')])).paths).toEqual([at('gone.png')]);
  });
});

describe('pictures without labels', () => {
  const wide = (shift: number): Promise<Buffer> => picture(40, 24, shift).png().toBuffer();

  test('are prepared as those with labels are for evaluation, whatever is broken between them', async () => {
    const root = await temporary('pets');
    const names = ['test/cat/1.png', 'test/cat/2.png', 'test/dog/1.png', 'test/dog/2.png'];
    const files = [
      'train/cat/1.png',
      'train/dog/1.png',
      'validation/cat/1.png',
      'validation/dog/1.png',
      ...names,
    ];
    for (const [shift, name] of files.entries()) await writeTree(root, { [name]: await wide(9 * shift) });
    const options = {
      imageSize: 16,
      evaluationCropShare: 0.8,
      normalisation: { mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6] },
    } as const;
    const labelled = await imageFolder(root, options);
    const expected = await labelled.test.batch([0, 1, 2, 3]);

    const cut = join(root, 'cut.png');
    await writeFile(cut, (await wide(1)).subarray(0, 200));
    const [first = '', ...others] = names.map((name) => join(root, name));
    const { dataset, imageSize, channels } = unlabelledPictures([first, cut, ...others], options);
    expect([dataset.size, imageSize, channels]).toEqual([5, 16, 3]);
    const batch = await dataset.batch([0, 1, 2, 3, 4]);
    expect(batch.size).toBe(4);
    expect(batch.paths).toEqual([first, ...others]);
    expect(batch.images).toEqual(expected.images);
    expect(batch.broken).toEqual([
      { picture: cut, problem: expect.stringMatching(/complete picture in .*cut\.png/) },
    ]);

    const alone = await dataset.batch([3]);
    expect(alone.images).toEqual(expected.images.subarray(2 * 16 * 16 * 3, 3 * 16 * 16 * 3));
    expect(await dataset.batch([1])).toMatchObject({ size: 0, paths: [], broken: [{ picture: cut }] });
  });

  test('are refused by an index out of range, and options by theirs', async () => {
    const { at } = await photos({ 'a.png': 1 });
    await expect(unlabelledPictures([at('a.png')], { imageSize: 16 }).dataset.batch([1])).rejects.toThrow(
      'expected an index below 1, got 1',
    );
    expect(() => unlabelledPictures([], { imageSize: 0 })).toThrow(RangeError);
  });
});
