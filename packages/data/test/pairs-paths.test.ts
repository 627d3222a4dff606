import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openImageTextDataset } from '../src/index';
import { numberedTexts } from './pairs/numbered-texts';
import { asNobody, failureOf } from './pictures/failure';
import { temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const COUNT = 10;
const numbers = Array.from({ length: COUNT }, (_, at) => at);
const tokenizer = numberedTexts(numbers.map((at) => `text ${at}`));

/** Pictures in a folder of their own, and beside it one that no file may name. */
async function folder(names: readonly string[] = numbers.map((at) => `${at}.png`)): Promise<string> {
  const root = await temporary('captioned');
  await writeTree(root, {
    ...Object.fromEntries(names.map((name, at) => [`pictures/${name}`, at])),
    'secret.png': 99,
  });
  return root;
}

/** Each writes a file that names pictures with a text each, in one of the formats; its path. */
const formats: readonly [string, (root: string, names: readonly string[]) => Promise<string>][] = [
  [
    'COCO',
    async (root, names) => {
      const path = join(root, 'captions.json');
      const images = names.map((file_name, id) => ({ id, file_name }));
      const annotations = names.map((_, image_id) => ({ image_id, caption: `text ${image_id}` }));
      await writeFile(path, JSON.stringify({ images, annotations }));
      return path;
    },
  ],
  [
    "Karpathy's",
    async (root, names) => {
      const path = join(root, 'karpathy.json');
      const images = names.map((filename, at) => ({
        filename,
        split: 'train',
        sentences: [{ raw: `text ${at}` }],
      }));
      await writeFile(path, JSON.stringify({ images }));
      return path;
    },
  ],
  [
    'a table',
    async (root, names) => {
      const path = join(root, 'table.csv');
      await writeFile(path, ['image,caption', ...names.map((name, at) => `"${name}",text ${at}`)].join('\n'));
      return path;
    },
  ],
];

describe.each(formats)('%s', (_, write) => {
  const open = async (root: string, names: readonly string[]) =>
    openImageTextDataset(await write(root, names), {
      imageSize: 8,
      tokenizer,
      preload: true,
      images: join(root, 'pictures'),
    });
  const plain = numbers.map((at) => `${at}.png`);

  test('may not name what lies outside the folder of the pictures', async () => {
    const root = await folder();
    for (const name of ['../secret.png', 'sub/../../secret.png', 'a\0.png']) {
      const message = await failureOf(open(root, [name, ...plain]));
      expect(message).toContain('1 that lead elsewhere');
      expect(message).toContain('--images');
      expect(message).not.toContain('\0');
    }
    const many = numbers.map((at) => `../${at}.png`);
    expect(await failureOf(open(root, [...many, ...many.map((name) => `../${name}`)]))).toContain(
      '20 that lead elsewhere',
    );
    await expect(open(root, ['./sub/../0.png', ...plain.slice(1)])).resolves.toBeDefined();
  });

  test('may not reach it through a link either', async () => {
    const root = await folder();
    const pictures = join(root, 'pictures');
    await rm(join(pictures, '0.png'));
    await symlink(join('..', 'secret.png'), join(pictures, '0.png'));
    await symlink('..', join(pictures, 'up'));
    const message = await failureOf(open(root, ['up/secret.png', ...plain]));
    expect(message).toContain('2 that a symbolic link leads elsewhere');
    expect(message).toContain(join(pictures, '0.png'));
    expect(message).toContain(join(pictures, 'up'));
  });

  test('may name links within the folder, which may be a link itself', async () => {
    const root = await folder();
    await rename(join(root, 'pictures'), join(root, 'elsewhere'));
    await symlink('elsewhere', join(root, 'pictures'));
    await symlink('1.png', join(root, 'elsewhere', 'again.png'));
    await expect(open(root, ['0.png', 'again.png', ...plain.slice(2)])).resolves.toBeDefined();
  });

  test('links that lead nowhere or in a circle are not there', async () => {
    const root = await folder();
    await symlink('gone', join(root, 'pictures', 'gone.png'));
    await symlink('round.png', join(root, 'pictures', 'round.png'));
    const long = `${'x'.repeat(300)}/1.png`;
    const message = await failureOf(open(root, ['gone.png', 'round.png', 'gone.png/1.png', long, ...plain]));
    expect(message).toContain('4 that are not there');
  });

  test('é is é, as one sign or as two', async () => {
    const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];
    const names = (form: string) => numbers.map((at) => `${form}/${form} ${at}.png`);
    const root = await folder(names(decomposed));
    const data = await open(root, names(composed));
    expect(data.train.size + data.validation.size + data.test.size).toBe(COUNT);
    const message = await failureOf(open(root, [...names(composed), `${decomposed}/${decomposed} 0.png`]));
    expect(message).toContain('1 that are listed again');
  });

  test('the folder of the pictures must be there', async () => {
    const root = await folder();
    await rename(join(root, 'pictures'), join(root, 'photographs'));
    expect(await failureOf(open(root, plain))).toContain(
      `${join(root, 'pictures')}, but found no such folder`,
    );
  });

  test('what may not be read is said', async () => {
    const root = await folder();
    const path = await write(root, plain);
    await chmod(join(root, '..'), 0o755);
    const open = () =>
      openImageTextDataset(path, { imageSize: 8, tokenizer, images: join(root, 'pictures') });
    for (const unreadable of [join(root, 'pictures'), path]) {
      await chmod(unreadable, 0o000);
      const message = await asNobody(() => failureOf(open()));
      await chmod(unreadable, 0o755);
      expect(message).toContain(unreadable);
      expect(message).toContain('this user may not read it');
    }
  });

  test('a folder under the name of a picture is named', async () => {
    const root = await folder();
    await rm(join(root, 'pictures', '0.png'));
    await mkdir(join(root, 'pictures', '0.png'));
    expect(await failureOf(open(root, plain))).toContain('found a folder');
  });

  test('what was set aside is said', async () => {
    const { notes } = await open(await folder(), plain);
    expect(notes).toEqual([
      'no validation and no test split; set aside for validation: 1 example of train, and as many for the test',
    ]);
  });
});

test('a table may name pictures by absolute paths, within the folder', async () => {
  const root = await folder();
  const [, write] = formats[2] ?? [];
  const absolute = numbers.map((at) => join(root, 'pictures', `${at}.png`));
  const path = (await write?.(root, absolute)) ?? '';
  const options = { imageSize: 8, tokenizer };
  await expect(
    openImageTextDataset(path, { ...options, images: join(root, 'pictures') }),
  ).resolves.toBeDefined();
  const other = await temporary('other');
  expect(await failureOf(openImageTextDataset(path, { ...options, images: other }))).toContain(
    '10 that lead elsewhere',
  );
});
