import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { openDataset, openImageTextDataset } from '../src/index';
import { duplicateNotes, sharedPictures } from '../src/identity/duplicates';
import { WELL_FORMED, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const OPTIONS = { imageSize: 16 };

async function folder(files: Record<string, number | Buffer>): Promise<string> {
  const root = await temporary('pets');
  await writeTree(root, files);
  return root;
}

describe('pictures in several splits', () => {
  test('are counted by what is in them, whatever they are called, and named with their twins', async () => {
    const root = await folder({
      ...WELL_FORMED,
      'test/cat/5.png': 1,
      'test/dog/6.png': 4,
      'test/dog/7.png': 7,
      'validation/dog/4.png': 6,
    });
    const data = await openDataset(root, OPTIONS);
    expect(await data.duplicates()).toEqual([
      'duplicates across splits: 2 pictures of test are also in train, byte for byte: cat/5.png = cat/1.png, dog/6.png = dog/1.png',
      'duplicates across splits: 1 picture of validation is also in train, byte for byte: dog/4.png = dog/3.png',
      'duplicates across splits: 1 picture of test is also in validation, byte for byte: dog/7.png = cat/4.png',
    ]);
    expect(data.notes).toEqual([]);
  });

  test('of many, three are named', async () => {
    const many = Object.fromEntries(
      [1, 2, 3].flatMap((at) => [
        [`test/cat/1${at}.png`, at],
        [`test/dog/1${at}.png`, at + 3],
      ]),
    );
    const [line, ...more] = await (
      await openDataset(await folder({ ...WELL_FORMED, ...many }), OPTIONS)
    ).duplicates();
    expect(line).toMatch(
      /6 pictures of test .* cat\/11\.png = .*, cat\/12\.png = .*, cat\/13\.png = cat\/3\.png, …$/,
    );
    expect(more).toEqual([]);
  });

  test('within one split, or none at all, are not worth a line', async () => {
    const root = await folder({ ...WELL_FORMED, 'train/cat/twin.png': 1 });
    expect(await (await openDataset(root, OPTIONS)).duplicates()).toEqual([]);
    expect(await (await openDataset('emoji-category', OPTIONS)).duplicates()).toEqual([]);
  });

  test('are found among pictures with texts', async () => {
    const root = await folder({ ...Object.fromEntries([0, 1, 2, 3].map((at) => [`${at}.png`, at])) });
    const rows = ['0.png,a,train', '1.png,b,train', '2.png,c,validation', '3.png,d,test', 'twin.png,e,test'];
    await writeTree(root, {
      'twin.png': await readFile(join(root, '0.png')),
      'captions.csv': Buffer.from(['image,caption,split', ...rows].join('\n')),
    });
    const data = await openImageTextDataset(join(root, 'captions.csv'), OPTIONS);
    expect(await data.duplicates()).toEqual([
      'duplicates across splits: 1 picture of test is also in train, byte for byte: pets/twin.png = pets/0.png',
    ]);
  });

  test('that are gone are named', async () => {
    const root = await folder(WELL_FORMED);
    const { duplicates } = await openDataset(root, OPTIONS);
    await rm(join(root, 'test', 'cat', '5.png'));
    await expect(duplicates()).rejects.toThrow(join('test', 'cat', '5.png'));
  });
});

test('a law: those of a split whose content is in the other, each with one of the same content', async () => {
  const contents = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.record({ train: contents, validation: contents, test: contents }), async (words) => {
      const pathsOf = (split: keyof typeof words) => words[split].map((word, at) => `${split}/${at}/${word}`);
      const wordOf = (path: string) => path.split('/')[2];
      const splits = { train: pathsOf('train'), validation: pathsOf('validation'), test: pathsOf('test') };
      const hashes = (paths: readonly string[]) => Promise.resolve(paths.map((path) => `${wordOf(path)}`));
      const found = await sharedPictures(splits, hashes, undefined);
      for (const [of, alsoIn] of [
        ['test', 'train'],
        ['validation', 'train'],
        ['test', 'validation'],
      ] as const) {
        const pictures = found.find((shared) => shared.of === of && shared.alsoIn === alsoIn)?.pictures ?? [];
        const there = new Set(splits[alsoIn].map(wordOf));
        expect(pictures.map(({ path }) => path)).toEqual(
          splits[of].filter((path) => there.has(wordOf(path))),
        );
        for (const { path, same } of pictures) expect(wordOf(same)).toBe(wordOf(path));
      }
      expect(duplicateNotes(found)).toHaveLength(found.length);
    }),
  );
});
