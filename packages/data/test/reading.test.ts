import { execFileSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { DataError } from '../src/failure/data-error';
import { pictureReader } from '../src/picture/read';
import { pictureStore } from '../src/picture/store';
import { SIDE, type SampleType, greyTiff } from './pictures/tiff';
import { gradient, picture, temporaryFolders } from './pictures/temporary';

const temporary = temporaryFolders();
const readPicture = pictureReader().read;
const asIs = { covers: 16, enlarge: false };

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
  expect(await readPicture(path, { covers: 8, enlarge: false })).toMatchObject({ width: 10, height: 8 });
  expect(await readPicture(path, { covers: 32, enlarge: true })).toMatchObject({
    width: 40,
    height: 32,
  });
  expect(await readPicture(path, { covers: 32, enlarge: false })).toMatchObject({
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

test('what is no ordinary file is refused without waiting for it', async () => {
  const folder = await temporary('odd');
  const pipe = join(folder, 'pipe.png');
  execFileSync('mkfifo', [pipe]);
  for (const [path, found] of [
    [pipe, 'a pipe'],
    [folder, 'a folder'],
    ['/dev/zero', 'a device'],
    ['/proc/self/environ', 'an empty file'],
    [join(folder, 'x'.repeat(300)), 'longer than the file system allows'],
  ] as const) {
    const failure: unknown = await readPicture(path, asIs).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DataError);
    expect(failure).toMatchObject({ message: expect.stringContaining(found) });
  }
});

test('a file that says it is larger than any picture is not read', async () => {
  const path = await written(Buffer.alloc(0));
  await truncate(path, 300 * 1024 * 1024);
  await expect(readPicture(path, asIs)).rejects.toThrow('at most 256 MiB');
});

test('a picture that says it has more pixels than any is not decoded', async () => {
  const png = await picture(20, 16).png().toBuffer();
  png.writeUInt32BE(20_000, 16);
  png.writeUInt32BE(20_000, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  await expect(readPicture(await written(png), asIs)).rejects.toThrow('20000×20000 pixels');
});

describe('extremely long and tall pictures', () => {
  const striped = (width: number, height: number) =>
    picture(width, height).png({ compressionLevel: 9 }).toBuffer();

  test.each([
    [1, 60_000],
    [60_000, 1],
    [2, 16_000],
  ])('%i×%i: the middle is taken before it is enlarged', async (width, height) => {
    const read = await readPicture(await written(await striped(width, height)), {
      covers: 224,
      enlarge: true,
    });
    const [shorter, longer] = [read.width, read.height].sort((a, b) => a - b);
    expect([shorter, longer]).toEqual([224, 32 * 224]);
    expect(read.width < read.height).toBe(width < height);
  });

  test('it is the middle, turned as the file says', async () => {
    const levels = Buffer.alloc(100 * 3, 0);
    for (let at = 34; at < 66; at++) levels.fill(at, at * 3, at * 3 + 3);
    const turned = await sharp(levels, { raw: { width: 100, height: 1, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const read = await readPicture(await written(turned), { covers: 1, enlarge: false });
    expect([read.width, read.height]).toEqual([1, 32]);
    expect([read.pixels[0], read.pixels[31 * 3]]).toEqual([34, 65]);
  });

  test('up to 32 times as long as wide they are whole', async () => {
    const read = await readPicture(await written(await striped(10, 320)), { covers: 5, enlarge: false });
    expect([read.width, read.height]).toEqual([5, 160]);
  });
});

describe('content that is not what it looks like', () => {
  const square = '<rect width="8" height="8" fill="red"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">${square}</svg>`;

  test.each([
    ['SVG', svg, 'in the format SVG'],
    ['SVG with a head', `\uFEFF<?xml version="1.0"?><!-- ${'-'.repeat(200)} -->${svg}`, 'in the format SVG'],
    ['SVG behind the signature of a GIF', `GIF89a ${svg}`, 'expected'],
    ['SVG behind the signature of a WebP', `RIFF1234WEBP ${svg}`, 'expected'],
    ['a web page', `<!doctype html><p>404 Not found</p>`, 'a file that is none'],
    ['a portable grey map', 'P5\n1 1\n255\n.', 'in the format PNM'],
  ])('%s is not drawn', async (_, content, found) => {
    const path = join(await temporary('drawing'), 'picture.png');
    await writeFile(path, content);
    const failure: unknown = await readPicture(path, asIs).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DataError);
    expect(failure).toMatchObject({ message: expect.stringContaining(found) });
  });
});

describe('samples', () => {
  const ramp = (at: number) => at / (SIDE * SIDE - 1);

  test('16 bits are scaled to 8', async () => {
    const read = await readPicture(await written(greyTiff('uint16', (at) => 65535 * ramp(at))), asIs);
    expect([read.pixels[0], read.pixels.at(-1)]).toEqual([0, 255]);
  });

  test.each<[SampleType, number, string]>([
    ['uint32', 2 ** 32 - 1, 'of the type uint'],
    ['int8', 127, 'of the type char'],
    ['int16', 32767, 'of the type short'],
    ['float32', 1, 'of the type float'],
    ['uint16', 4095, 'no value above 4095 of 65535'],
  ])('%s up to %d would lose what is in it, and is refused', async (type, highest, found) => {
    const path = await written(greyTiff(type, (at) => highest * ramp(at)));
    const failure: unknown = await readPicture(path, asIs).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DataError);
    expect(failure).toMatchObject({ message: expect.stringContaining(found) });
  });

  test('what is black in 16 bits is black', async () => {
    const read = await readPicture(await written(greyTiff('uint16', () => 0)), asIs);
    expect(read.pixels.every((value) => value === 0)).toBe(true);
  });
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
