import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { DataError } from '../src/failure/data-error';
import { readPicture } from '../src/picture/read';
import { pictureStore } from '../src/picture/store';
import { gradient, picture, temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();
const asIs = { shorterSide: 16, enlarge: false };

async function written(content: Buffer): Promise<string> {
  const path = join(await temporary('reading'), 'picture');
  await writeFile(path, content);
  return path;
}

test('a lossless picture at its own size comes back exactly', async () => {
  const read = await readPicture(await written(await picture(20, 16).png().toBuffer()), asIs);
  expect(read).toMatchObject({ width: 20, height: 16 });
  expect([...read.pixels]).toEqual([...gradient(20, 16)]);
});

test('the shorter side decides the size; small pictures are enlarged only on demand', async () => {
  const path = await written(await picture(20, 16).png().toBuffer());
  expect(await readPicture(path, { shorterSide: 8, enlarge: false })).toMatchObject({ width: 10, height: 8 });
  expect(await readPicture(path, { shorterSide: 32, enlarge: true })).toMatchObject({
    width: 40,
    height: 32,
  });
  expect(await readPicture(path, { shorterSide: 32, enlarge: false })).toMatchObject({
    width: 20,
    height: 16,
  });
});

test('pictures stand upright', async () => {
  const turned = await picture(20, 16).withMetadata({ orientation: 6 }).png().toBuffer();
  expect(await readPicture(await written(turned), asIs)).toMatchObject({ width: 16, height: 20 });
});

test.each([
  ['grey', picture(20, 16).greyscale().png()],
  ['16-bit', picture(20, 16).toColourspace('rgb16').png()],
  ['CMYK', picture(20, 16).toColourspace('cmyk').jpeg()],
  ['palette', picture(20, 16).png({ palette: true })],
  ['WebP', picture(20, 16).webp()],
  ['GIF', picture(20, 16).gif()],
])('%s pictures become RGB', async (_, image) => {
  const read = await readPicture(await written(await image.toBuffer()), asIs);
  expect(read.pixels.byteLength).toBe(20 * 16 * 3);
});

test('transparency lies on white', async () => {
  const clear = sharp({ create: { width: 16, height: 16, channels: 4, background: '#00000000' } });
  const read = await readPicture(await written(await clear.png().toBuffer()), asIs);
  expect(read.pixels.every((value) => value === 255)).toBe(true);
});

test('truncated, foreign, empty and missing files are errors that name the file', async () => {
  const jpeg = await picture(64, 64).jpeg().toBuffer();
  const png = await picture(64, 64).png().toBuffer();
  const contents = [
    jpeg.subarray(0, jpeg.length >> 1),
    png.subarray(0, png.length - 40),
    Buffer.from('not a picture'),
    Buffer.alloc(0),
  ];
  const paths = [...(await Promise.all(contents.map(written))), join(await temporary('missing'), 'gone.png')];
  for (const path of paths) {
    const failure: unknown = await readPicture(path, asIs).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DataError);
    expect(failure).toMatchObject({ exitCode: 2, message: expect.stringContaining(path) });
  }
});

describe('the store', () => {
  const small = { width: 1, height: 1, pixels: new Uint8Array(3) };

  test('loads once while there is room, and every time when there is none', async () => {
    let loads = 0;
    const load = () => {
      loads++;
      return Promise.resolve(small);
    };
    const store = pictureStore(5);
    await Promise.all([store.get('a', load), store.get('a', load)]);
    await store.get('a', load);
    expect(loads).toBe(1);
    await store.get('b', load);
    await store.get('b', load);
    expect(loads).toBe(3);
    await store.get('a', load);
    expect(loads).toBe(3);
  });

  test('forgets a failure', async () => {
    const store = pictureStore(5);
    await expect(store.get('a', () => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
    await expect(store.get('a', () => Promise.resolve(small))).resolves.toBe(small);
  });
});
