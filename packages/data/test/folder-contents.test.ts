import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageFolder, openDataset } from '../src/index';
import { asNobody, failureOf } from './pictures/failure';
import { WELL_FORMED, picture, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();
const OPTIONS = { imageSize: 16 };

async function folder(files: Record<string, number | Buffer> = WELL_FORMED): Promise<string> {
  const root = await temporary('pets');
  await writeTree(root, files);
  return root;
}
const opened = (root: string) => imageFolder(root, OPTIONS);
const refusal = (root: string) => failureOf(opened(root));
const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('what is not used is counted and said', () => {
  test('nothing is said of a folder that is used whole', async () => {
    expect((await opened(await folder())).notes).toEqual([]);
  });

  test('folders below class folders, files beside them, foreign files, other folders, pipes', async () => {
    const root = await folder({
      ...WELL_FORMED,
      'train/cat/more/1.png': 20,
      'train/cat/more/deep/2.png': 21,
      'train/dog/notes.txt': bytes('good dogs'),
      'train/dog/empty': Buffer.alloc(0),
      'train/loose.png': 22,
      'extra/cat/1.png': 23,
      'stray.jpg': bytes('?'),
      'labels.csv': bytes('a,b'),
    });
    execFileSync('mkfifo', [join(root, 'train', 'dog', 'pipe.png')]);
    const data = await opened(root);
    expect(data.train.size).toBe(6);
    expect(data.notes).toEqual([
      'passed over: 1 file in folders of no split: extra; ' +
        '2 files beside the class folders, of no class: stray.jpg, train/loose.png; ' +
        '2 files in folders below the class folders: train/cat/more; ' +
        '2 files of no kind of picture: train/dog/empty, train/dog/notes.txt; ' +
        '1 file of no ordinary kind (pipe, socket or device): train/dog/pipe.png',
    ]);
  });

  test('which split is judged by is said', async () => {
    const root = await folder();
    await rename(join(root, 'validation'), join(root, 'val'));
    await rm(join(root, 'test'), { recursive: true });
    expect((await opened(root)).notes).toEqual([
      'no test folder: val is the test; set aside for validation: 2 pictures of train',
    ]);
    await rename(join(root, 'val'), join(root, 'test'));
    expect((await opened(root)).notes).toEqual([
      'no validation folder; set aside for validation: 2 pictures of train',
    ]);
  });
});

describe('content decides, not the name', () => {
  test('pictures under any name are used', async () => {
    const jpeg = await picture(20, 16).jpeg().toBuffer();
    const png = await picture(20, 16).png().toBuffer();
    const root = await folder({
      ...WELL_FORMED,
      'train/cat/a.jfif': jpeg,
      'train/cat/b.jpe': jpeg,
      'train/cat/c': jpeg,
      'train/cat/d.bmp': png,
      'train/cat/e.JPG': png,
    });
    const data = await opened(root);
    expect(data.train.size).toBe(11);
    expect(data.notes).toEqual([]);
    expect((await data.train.batch([3, 4, 5, 6, 7])).size).toBe(5);
  });

  test('pictures in other formats are refused, all of them named', async () => {
    const root = await folder({
      ...WELL_FORMED,
      'train/cat/a.pgm': bytes('P5\n2 2\n255\n....'),
      'train/cat/b.tga': Buffer.alloc(30),
      'train/cat/c': bytes('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
      'train/dog/d.dat': bytes(`BM${'.'.repeat(12)}\x28\0\0\0`),
      'validation/dog/e.nef': bytes('II*\0'),
      'test/dog/f.bin': bytes('\0\0\0\x1cftypheic\0\0\0\0mif1heic'),
    });
    const message = await refusal(root);
    expect(message).toContain('6 files that cannot be used');
    for (const line of [
      'train/cat/a.pgm: a picture in the format PNM',
      'train/cat/b.tga: by its name a picture',
      'train/cat/c: a picture in the format SVG',
      'train/dog/d.dat: a picture in the format BMP',
      'validation/dog/e.nef: a raw photograph',
      'test/dog/f.bin: a picture in the format HEIC',
    ])
      expect(message).toContain(line);
  });

  test('of many files that cannot be used ten are named', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 25 }, (_, at) => [`train/cat/${at + 10}.pgm`, bytes('P5\n2 2\n255\n....')]),
    );
    const message = await refusal(await folder({ ...WELL_FORMED, ...many }));
    expect(message).toContain('25 files');
    expect(message).toContain('19.pgm');
    expect(message).not.toContain('20.pgm');
    expect(message).toContain('and 15 more');
  });
});

describe('errors of the file system', () => {
  test('links that lead nowhere or in a circle are all named', async () => {
    const root = await folder();
    await symlink('loop.png', join(root, 'train', 'cat', 'loop.png'));
    await symlink('nothing.png', join(root, 'test', 'dog', 'gone.png'));
    const message = await refusal(root);
    expect(message).toContain('2 files');
    expect(message).toContain('loop.png: a symbolic link that leads back to itself');
    expect(message).toContain('gone.png: a symbolic link that leads nowhere');
  });

  test('names that are not in UTF-8 are named as far as they go', async () => {
    const root = await folder();
    const latin = (...path: string[]) => Buffer.from(join(root, ...path), 'latin1');
    await writeFile(latin('train', 'cat', 'caf\u00e9.png'), '');
    await mkdir(latin('test', 'th\u00e9'));
    const message = await refusal(root);
    expect(message).toContain('2 files');
    expect(message).toContain('caf\uFFFD.png: a name that is not in UTF-8');
    expect(message).toContain('th\uFFFD: a name that is not in UTF-8');
  });

  test('a link to a folder of pictures is a class', async () => {
    const root = await folder();
    await rename(join(root, 'train', 'cat'), join(root, '..', 'elsewhere'));
    await symlink(join('..', '..', 'elsewhere'), join(root, 'train', 'cat'));
    expect((await opened(root)).train.size).toBe(6);
  });

  test('what may not be read is said', async () => {
    const root = await folder();
    await chmod(join(root, '..'), 0o755);
    await chmod(join(root, 'train', 'dog'), 0o000);
    const message = await asNobody(() => refusal(root));
    expect(message).toContain(join(root, 'train', 'dog'));
    expect(message).toContain('this user may not read it');
    await chmod(join(root, 'train', 'dog'), 0o755);
  });

  test('a circle, a name too long and a file in the way of the path', async () => {
    const root = await folder();
    await symlink('round', join(root, 'round'));
    expect(await failureOf(openDataset(join(root, 'round'), OPTIONS))).toContain('lead back to themselves');
    expect(await failureOf(openDataset(join(root, 'x'.repeat(300)), OPTIONS))).toContain('longer than');
    await writeFile(join(root, 'file'), '');
    expect(await failureOf(openDataset(join(root, 'file', 'x'), OPTIONS))).toContain('expected a dataset');
    expect(await failureOf(openDataset(`${root}\0`, OPTIONS))).toContain('U+0000');
  });
});

describe('the same name, written differently', () => {
  const composed = 'caf\u00e9';
  const decomposed = 'cafe\u0301';

  test('is one class', async () => {
    const data = await opened(
      await folder({
        [`train/${decomposed}/1.png`]: 1,
        [`train/${decomposed}/2.png`]: 2,
        'train/tea/1.png': 3,
        [`validation/${composed}/1.png`]: 4,
        'validation/tea/1.png': 5,
        [`test/${composed}/1.png`]: 6,
        'test/tea/1.png': 7,
      }),
    );
    expect(data.classes).toEqual([composed, 'tea']);
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([3, 2, 2]);
    expect([...(await data.test.batch([0, 1])).labels]).toEqual([0, 1]);
  });

  test('is not two classes', async () => {
    const root = await folder({
      ...WELL_FORMED,
      [`train/${composed}/1.png`]: 1,
      [`train/${decomposed}/1.png`]: 1,
    });
    const message = await refusal(root);
    expect(message).toContain('caf\\u00e9');
    expect(message).toContain('cafe\\u0301');
  });

  test('differences that cannot be seen are shown', async () => {
    const root = await folder();
    await rename(join(root, 'test', 'cat'), join(root, 'test', 'cat '));
    await rename(join(root, 'test', 'dog'), join(root, 'test', 'do\u200bg'));
    expect(await refusal(root)).toContain("no cat, dog and also 'cat ', 'do\\u{200b}g'");
  });
});

describe('advice', () => {
  test('when a name or a path is almost right', async () => {
    const root = await folder();
    const failed = (spec: string) => failureOf(openDataset(spec, OPTIONS));
    expect(await failed('emoji-catgory')).toContain('Did you mean emoji-category?');
    expect(await failed(join(root, '..', 'pest'))).toContain(`Did you mean ${root}?`);
    expect(await failed(join(root, 'nowhere', 'at', 'all'))).toContain(
      `no file or folder ${join(root, 'nowhere')}.`,
    );
    await writeFile(join(root, 'captions.csv'), 'image,caption');
    const file = await failed(join(root, 'captions.csv'));
    expect(file).toContain('no label among: image, caption');
    expect(file).toContain('--task retrieval');
    await writeFile(join(root, 'captions.json'), '{}');
    const json = await failed(join(root, 'captions.json'));
    expect(json).toContain('found a file');
    expect(json).toContain('--task retrieval');
  });

  test('when the splits lie one level down', async () => {
    const root = await temporary('outer');
    await writeTree(join(root, 'pets'), WELL_FORMED);
    expect(await refusal(root)).toContain(`--data ${join(root, 'pets')}`);
  });

  test('when the folder is that of one split', async () => {
    const root = await folder();
    expect(await refusal(join(root, 'train'))).toContain(`--data ${root}`);
  });

  test('when pictures of no class lie right in the folder', async () => {
    expect(await refusal(await folder({ '1.png': 1 }))).toContain('pictures right in it, of no class');
  });

  test('when pictures lie one level below their class', async () => {
    const root = await folder({ ...WELL_FORMED, 'train/all/bird/1.png': 1, 'train/all/bird/2.png': 1 });
    expect(await refusal(root)).toContain('2 files in folders below it (bird)');
  });

  test.each([
    ['train', 'Train'],
    ['train', 'training'],
    ['test', 'Test'],
    ['validation', 'VAL'],
    ['validation', 'dev'],
  ])('when %s is called %s', async (name, otherwise) => {
    const root = await folder();
    await rename(join(root, name), join(root, otherwise));
    expect(await refusal(root)).toContain(`Rename it to ${name}.`);
  });

  test('when the pictures of a split are of no class', async () => {
    const root = await folder(WELL_FORMED);
    await rm(join(root, 'test'), { recursive: true });
    await mkdir(join(root, 'test'));
    await writeTree(root, { 'test/1.png': 1, 'test/2.png': 2 });
    expect(await refusal(root)).toContain('no folder, but 2 pictures right in it');
  });

  test('one class is nothing to tell apart', async () => {
    const root = await folder({ 'train/cat/1.png': 1, 'train/cat/2.png': 2, 'test/cat/1.png': 3 });
    expect(await refusal(root)).toContain('at least two classes');
  });
});
