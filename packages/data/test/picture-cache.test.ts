import { createHash } from 'node:crypto';
import { readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { type ImageFolderOptions, type PictureCache, imageFolder } from '../src/index';
import {
  PACK_HEAD_BYTES,
  packHeaderBytes,
  packLayout,
  packed,
  unpacked,
  unsealed,
} from '../src/picture/pack';
import type { Picture } from '../src/picture/picture';
import { picture, temporaryFolders, writeTree } from './pictures/temporary';

const somePictures = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
    .chain(([width, height]) =>
      fc
        .uint8Array({ minLength: 3 * width * height, maxLength: 3 * width * height })
        .map((pixels) => ({ width, height, pixels })),
    ),
  { maxLength: 6 },
);

describe('packed pictures', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(somePictures, (pictures) => {
        const plain = (all: readonly Picture[]) =>
          all.map(({ pixels, ...size }) => ({ ...size, pixels: [...pixels] }));
        expect(plain(unpacked(packed(pictures)) ?? [])).toEqual(plain(pictures));
      }),
    );
  });

  test('come back one by one, of a part of the bytes', () => {
    fc.assert(
      fc.property(somePictures, (pictures) => {
        const bytes = packed(pictures);
        const layout = packLayout(bytes.subarray(0, packHeaderBytes(bytes.subarray(0, PACK_HEAD_BYTES))));
        expect(layout?.bytes).toBe(bytes.byteLength);
        pictures.forEach(({ width, height, pixels }, place) => {
          const { start = 0, end = 0 } = layout?.spanOf(place) ?? {};
          const part = Uint8Array.from(bytes.subarray(start, end));
          expect(layout?.picture(place, part)).toEqual({ width, height, pixels });
          part[0] = (part[0] ?? 0) ^ 1;
          expect(layout?.picture(place, part)).toBeUndefined();
          expect(layout?.picture(place, part.subarray(1))).toBeUndefined();
        });
      }),
    );
  });

  test('are nothing when a byte has changed or is missing', () => {
    fc.assert(
      fc.property(somePictures, fc.nat(), fc.integer({ min: 1, max: 255 }), (pictures, place, change) => {
        const bytes = packed(pictures);
        const at = place % bytes.length;
        expect(unpacked(bytes.subarray(0, at))).toBeUndefined();
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(unpacked(bytes)).toBeUndefined();
      }),
    );
  });
});

test('what another program packed is nothing, however well it is signed', () => {
  const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
  const signed = (claimed: number, sides: readonly [number, number][], pixels: number) => {
    const header = Buffer.alloc(4 + 16 * sides.length);
    header.writeUInt32LE(claimed);
    sides.forEach(([width, height], place) => {
      header.writeUInt32LE(width, 4 + 16 * place);
      header.writeUInt32LE(height, 8 + 16 * place);
      digestOf(Buffer.alloc(3)).copy(header, 12 + 16 * place, 0, 8);
    });
    return Buffer.concat([digestOf(header), header, Buffer.alloc(pixels)]);
  };
  expect(unpacked(signed(1, [[1, 1]], 3))).toHaveLength(1);
  for (const [claimed, sides, pixels] of [
    [2, [[1, 1]], 3],
    [1, [[1, 0]], 3],
    [1, [[0, 1]], 3],
    [1, [[1, 1]], 2],
    [1, [[1, 1]], 4],
    [0xffffffff, [[1, 1]], 3],
    [1, [[0xffffffff, 0xffffffff]], 3],
  ] as [number, [number, number][], number][])
    expect(unpacked(signed(claimed, sides, pixels))).toBeUndefined();
});

describe('a folder that is opened with a cache', () => {
  const temporary = temporaryFolders();
  const FEWEST = 500;
  let root: string;
  const contents = new Map<string, Uint8Array>();
  const counted = { reads: 0, writes: 0 };
  // Hashes of the files are kept as well; what is counted are pictures.
  const isHashes = (content: Uint8Array) =>
    Buffer.from(unsealed(content) ?? [])
      .toString()
      .startsWith('[["');
  const pictureCache: PictureCache = {
    read: (key) => {
      const content = contents.get(key);
      if (content !== undefined && !isHashes(content)) counted.reads++;
      return Promise.resolve(content);
    },
    readPart: (key, start, bytes) => Promise.resolve(contents.get(key)?.subarray(start, start + bytes)),
    write: (key, content) => {
      if (!isHashes(content)) counted.writes++;
      contents.set(key, content);
      return Promise.resolve();
    },
  };
  const opened = async (options: Partial<ImageFolderOptions> = { pictureCache }) => {
    const data = await imageFolder(root, { imageSize: 8, preload: true, ...options });
    const training = await data.train.batch([0, 1, 2], { seed: 1, epoch: 0 });
    const test = await data.test.batch([0, 1]);
    return [...training.images, ...test.images];
  };
  const first = () => join(root, 'train/cat/0.png');

  beforeAll(async () => {
    root = await temporary('many');
    const [cat, dog] = [await picture(10, 8, 3).png().toBuffer(), await picture(8, 10, 90).png().toBuffer()];
    const tree: Record<string, Buffer> = {};
    for (let index = 0; index < FEWEST / 2; index++) {
      const split = index % 10 === 0 ? 'test' : index % 10 === 1 ? 'validation' : 'train';
      tree[`${split}/cat/${index === 2 ? 0 : index + 1}.png`] = cat;
      tree[`${split}/dog/${index}.png`] = dog;
    }
    await writeTree(root, tree);
  });
  beforeEach(() => {
    contents.clear();
    counted.reads = counted.writes = 0;
  });

  test('decodes nothing the second time, and gives the same', async () => {
    const plain = await opened({});
    expect(await opened()).toEqual(plain);
    expect(counted).toEqual({ reads: 0, writes: 1 });
    expect(await opened()).toEqual(plain);
    expect(counted).toEqual({ reads: 1, writes: 1 });
  });

  test('knows pictures by what is in them: not by where they lie, nor by size and time', async () => {
    const before = await opened();
    const moved = join(root, '..', 'moved');
    await rename(root, moved);
    try {
      const data = await imageFolder(moved, { imageSize: 8, preload: true, pictureCache });
      expect([...(await data.test.batch([0, 1])).images]).toEqual(before.slice(-2 * 8 * 8 * 3));
      expect(counted).toEqual({ reads: 1, writes: 1 });
    } finally {
      await rename(moved, root);
    }
    // Pixels as they are, so that another picture is a file of the same size.
    const [one, other] = [
      await picture(10, 8, 3).tiff({ compression: 'none' }).toBuffer(),
      await picture(10, 8, 200).tiff({ compression: 'none' }).toBuffer(),
    ];
    expect(one.byteLength).toBe(other.byteLength);
    const disguised = async (content: Buffer) => {
      await writeFile(first(), content);
      await utimes(first(), 1000, 1000);
      return opened();
    };
    const good = await readFile(first());
    expect(await disguised(one)).not.toEqual(await disguised(other));
    await writeFile(first(), good);
  });

  test('decodes again what has changed, was damaged, or is wanted otherwise', async () => {
    const before = await opened();
    await writeFile(first(), await picture(10, 8, 200).png().toBuffer());
    expect(await opened()).not.toEqual(before);
    expect(counted.writes).toBe(2);

    for (const [key, content] of contents) contents.set(key, content.slice(0, -1));
    await opened();
    expect(counted.writes).toBe(3);

    await opened({ pictureCache, imageSize: 7 });
    expect(counted.writes).toBe(4);
  });

  test('keeps nothing of broken files, and says which they are', async () => {
    await writeFile(first(), 'no picture');
    await expect(opened()).rejects.toThrow(/0\.png/);
    expect(counted.writes).toBe(0);
  });
});
