import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImageFolderOptions, identifyDataset, imageFolder, openDataset } from '../src/index';
import { readLayout } from '../src/folder/image-folder';
import { failureOf } from './pictures/failure';
import { temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const OPTIONS: ImageFolderOptions = { imageSize: 16 };

async function folder(files: Record<string, number>, name = 'pets'): Promise<string> {
  const root = await temporary(name);
  await writeTree(root, files);
  return root;
}
const numbered = (name: string, count: number, from = 0): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${name}/${at}.png`, from + at]));
const PETS = { ...numbered('cat', 20), ...numbered('dog', 10, 100) };

describe('class folders without splits', () => {
  test('are divided class by class, and a line says how', async () => {
    const data = await openDataset(await folder(PETS), OPTIONS);
    expect(data).toMatchObject({ name: 'pets', classes: ['cat', 'dog'] });
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([21, 4, 5]);
    expect(data.notes).toEqual([
      'no train folder: every class is divided 70/15/15 % into training, validation and test ' +
        '(21, 4, 5 pictures), decided by the names of the files and the seed 0',
    ]);
    const labels = [...(await data.test.batch([0, 1, 2, 3, 4])).labels];
    expect(labels).toEqual([0, 0, 0, 1, 1]);
  });

  test('by the shares and the seed that are given', async () => {
    const root = await folder(PETS);
    const options = { heldOutShares: { validation: 0.2, test: 0.3 }, validationSeed: 7 };
    const data = await imageFolder(root, { ...OPTIONS, ...options });
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([15, 6, 9]);
    expect(data.notes).toEqual([expect.stringMatching(/50\/20\/30 %.*seed 7/)]);
    const heldOutShares = { validation: 0.5, test: 0.5 };
    await expect(imageFolder(root, { ...OPTIONS, heldOutShares })).rejects.toThrow(RangeError);
  });

  test('are divided the same wherever they lie; the split is part of their identity', async () => {
    const [one, other] = [await folder(PETS), await folder(PETS, 'elsewhere')];
    const identity = await identifyDataset(one);
    expect(await identifyDataset(other)).toEqual(identity);
    const { classes, ...parts } = await identifyDataset(one, { validationSeed: 1 });
    expect(classes).toBe(identity['classes']);
    for (const [split, digest] of Object.entries(parts)) expect(digest).not.toBe(identity[split]);
  });

  test('that get another picture are other data; the names decide where it goes', async () => {
    const root = await folder(PETS);
    const before = await readLayout(root, {});
    await writeTree(root, { 'cat/new.png': 77 });
    const after = await readLayout(root, {});
    const of = ({ splits }: typeof before) =>
      Object.values(splits)
        .flat()
        .map(({ path }) => path);
    expect(of(after).filter((path) => !of(before).includes(path))).toEqual([join(root, 'cat', 'new.png')]);
    expect(await identifyDataset(root)).not.toEqual(await identifyDataset(await folder(PETS)));
  });

  test('pictures beside them are passed over, and said', async () => {
    const data = await imageFolder(await folder({ ...PETS, 'loose.png': 1, 'cat/more/1.png': 2 }), OPTIONS);
    expect(data.notes).toHaveLength(2);
    expect(data.notes[1]).toMatch(/^passed over: .*loose\.png.*cat\/more/);
  });

  test('a folder called train elsewhere does not matter, but a split is not taken for classes', async () => {
    const above = await temporary('above');
    await writeTree(join(above, 'train'), { 'config.png': 1 });
    await writeTree(join(above, 'pets'), PETS);
    expect((await imageFolder(join(above, 'pets'), OPTIONS)).train.size).toBe(21);
    await rename(join(above, 'pets'), join(above, 'val'));
    expect(await failureOf(imageFolder(join(above, 'val'), OPTIONS))).toContain(`--data ${above}`);
  });
});

describe('class folders that cannot be divided', () => {
  const refusal = async (files: Record<string, number>) =>
    failureOf(imageFolder(await folder(files), OPTIONS));

  test('classes with fewer pictures than splits are named', async () => {
    const message = await refusal({ ...PETS, ...numbered('bird', 2), ...numbered('fox', 1) });
    expect(message).toContain('at least 3 pictures of every class');
    expect(message).toContain('2 classes with fewer:\n- bird: 2 pictures\n- fox: 1 picture\n');
    expect((await imageFolder(await folder({ ...PETS, ...numbered('fox', 3) }), OPTIONS)).test.size).toBe(6);
  });

  test('one class, and a class without pictures', async () => {
    expect(await refusal(numbered('cat', 9))).toContain('at least two classes');
    expect(await refusal({ ...PETS, 'bird/all/1.png': 1 })).toContain(
      'but 1 files in folders below it (all)',
    );
  });

  test('a held-out split without one to train on', async () => {
    for (const name of ['test', 'val', 'Valid', 'dev']) {
      const message = await refusal({ ...PETS, ...numbered(`${name}/cat`, 3) });
      expect(message).toContain(`beside ${name}`);
      expect(message).toContain('rename that class');
    }
    expect(await refusal({ ...PETS, ...numbered('Training/cat', 3) })).toContain('Rename it to train');
  });
});

test('options of a division that the data leave no use for are said', async () => {
  const training = { ...numbered('train/cat', 4), ...numbered('train/dog', 4, 100) };
  const tested = { ...numbered('test/cat', 1, 50), ...numbered('test/dog', 1, 150) };
  const judged = { ...numbered('validation/cat', 1, 60), ...numbered('validation/dog', 1, 160) };
  const asked = { ...OPTIONS, validationSeed: 3 };
  const whole = await imageFolder(await folder({ ...training, ...tested, ...judged }), asked);
  expect(whole.notes).toEqual(['the data come with splits: --split-seed is not used']);
  const setAside = await imageFolder(await folder({ ...training, ...tested }), asked);
  expect(setAside.notes.join()).not.toMatch(/split-seed/);
});
