import { readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { z } from 'zod';
import { type PictureCache, contentHashes, identifyDataset, identifyImageTextDataset } from '../src/index';
import { sealed, unsealed } from '../src/picture/pack';
import { WELL_FORMED, temporaryFolders, writeTree } from './pictures/temporary';

const temporary = temporaryFolders();

function memory() {
  const contents = new Map<string, Uint8Array>();
  const cache: PictureCache = {
    read: (key) => Promise.resolve(contents.get(key)),
    write: (key, content) => {
      contents.set(key, content);
      return Promise.resolve();
    },
  };
  return { contents, cache };
}

/** Files that were written just now are not trusted to stay: a minute later they are. */
const aMinuteLater = () => jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
afterEach(() => jest.restoreAllMocks());

describe('the identity of pictures in folders', () => {
  const made = async (name: string, tree = WELL_FORMED) => {
    const root = await temporary(name);
    await writeTree(root, tree);
    return root;
  };

  test('is that of the contents: not of the folder, nor of what files are called', async () => {
    const [one, other] = [await made('one'), await made('other')];
    const identity = await identifyDataset(one);
    expect(await identifyDataset(other)).toEqual(identity);
    await rename(join(other, 'train/cat/3.png'), join(other, 'train/cat/9.png'));
    await utimes(join(other, 'train/cat/1.png'), 1, 1);
    expect(await identifyDataset(other)).toEqual(identity);
  });

  test('says which part has changed', async () => {
    const root = await made('changing');
    const { train, validation, test, classes } = await identifyDataset(root);
    await writeTree(root, { 'test/dog/5.png': 77 });
    const changed = await identifyDataset(root);
    expect(changed).toEqual({ train, validation, classes, test: expect.any(String) });
    expect(changed['test']).not.toBe(test);
  });

  test('is another when two class folders swap their names', async () => {
    const root = await made('swapped');
    const { cache } = memory();
    const before = await identifyDataset(root, { pictureCache: cache });
    const folder = (name: string) => join(root, 'train', name);
    await rename(folder('cat'), join(root, 'aside'));
    await rename(folder('dog'), folder('cat'));
    await rename(join(root, 'aside'), folder('dog'));
    const { train, ...same } = await identifyDataset(root, { pictureCache: cache });
    expect(train).not.toBe(before['train']);
    expect(before).toMatchObject(same);
  });

  test('is another when a class is called otherwise', async () => {
    const root = await made('renamed');
    const { classes, ...rest } = await identifyDataset(root);
    for (const split of ['train', 'validation', 'test'])
      await rename(join(root, split, 'dog'), join(root, split, 'fox'));
    const renamed = await identifyDataset(root);
    expect(renamed).toMatchObject(rest);
    expect(renamed['classes']).not.toBe(classes);
  });
});

describe('the identity of pictures with texts', () => {
  const rows = (captions: readonly string[]) =>
    ['image,caption', ...captions.map((caption, index) => `${index}.png,${caption}`)].join('\n');
  const table = async (captions: readonly string[]) => {
    const root = await temporary('pairs');
    await writeTree(root, {
      ...Object.fromEntries(captions.map((_, index) => [`${index}.png`, index])),
      'captions.csv': Buffer.from(rows(captions)),
    });
    return join(root, 'captions.csv');
  };
  const captions = Array.from({ length: 12 }, (_, index) => `picture ${index}`);

  test('is another when a caption changes, and the pictures are still the same', async () => {
    const { texts, ...pictures } = await identifyImageTextDataset(await table(captions));
    const changed = await identifyImageTextDataset(await table(['a cat', ...captions.slice(1)]));
    expect(changed).toMatchObject(pictures);
    expect(changed['texts']).not.toBe(texts);
  });

  test('is another when a picture changes', async () => {
    const path = await table(captions);
    const { texts, ...pictures } = await identifyImageTextDataset(path);
    await writeTree(
      join(path, '..'),
      Object.fromEntries(captions.map((_, index) => [`${index}.png`, index + 20])),
    );
    const changed = await identifyImageTextDataset(path);
    expect(changed['texts']).toBe(texts);
    for (const [split, digest] of Object.entries(pictures)) expect(changed[split]).not.toBe(digest);
  });
});

test('the embedded datasets have identities of their own, which no path is part of', async () => {
  const [category, subcategory, names] = [
    await identifyDataset('emoji-category'),
    await identifyDataset('emoji-subcategory'),
    await identifyImageTextDataset('emoji-names'),
  ];
  expect(new Set([category['train'], subcategory['train'], names['train']]).size).toBe(3);
  // Fixed for good, as results are compared by it: of the versions that package.json names.
  expect(category['test']).toBe('6b9c46a393c256048172e343a7bf0d4734faff8bd4354dbe28038f68517a408b');
});

describe('hashes of files', () => {
  const entries = z.array(z.tuple([z.string(), z.unknown(), z.string()]));
  const kept = (contents: ReadonlyMap<string, Uint8Array>) => {
    const [[key, bytes] = ['', new Uint8Array()]] = contents;
    return { key, entries: entries.parse(JSON.parse(Buffer.from(unsealed(bytes) ?? []).toString())) };
  };

  test('are remembered for files that look as they did', async () => {
    const root = await temporary('remembered');
    const path = join(root, 'a');
    await writeFile(path, 'one');
    const { contents, cache } = memory();
    aMinuteLater();
    const known = { cache, name: root };
    const [hash] = await contentHashes([path], known);
    expect(hash).toBe('7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed');
    const { key, entries } = kept(contents);
    expect(entries).toEqual([[path, expect.anything(), hash]]);
    contents.set(
      key,
      sealed(Buffer.from(JSON.stringify(entries.map(([path, look]) => [path, look, 'seen'])))),
    );
    expect(await contentHashes([path], known)).toEqual(['seen']);
  });

  test('are computed again when the content changes behind the same size and time', async () => {
    const root = await temporary('disguised');
    const path = join(root, 'a');
    await writeFile(path, 'one');
    await utimes(path, 1000, 1000);
    const { cache } = memory();
    aMinuteLater();
    const [before] = await contentHashes([path], { cache, name: root });
    await writeFile(path, 'two');
    await utimes(path, 1000, 1000);
    const [after] = await contentHashes([path], { cache, name: root });
    expect(after).not.toBe(before);
    expect([after]).toEqual(await contentHashes([path]));
  });

  test('of files that were written just now are not remembered', async () => {
    const root = await temporary('fresh');
    const path = join(root, 'a');
    await writeFile(path, 'one');
    const { contents, cache } = memory();
    await contentHashes([path], { cache, name: root });
    expect(contents.size).toBe(0);
  });

  test('survive a cache that is damaged, and name a file that cannot be read', async () => {
    const root = await temporary('damaged');
    const path = join(root, 'a');
    await writeFile(path, 'one');
    const { contents, cache } = memory();
    const before = await contentHashes([path], { cache, name: root });
    for (const damaged of [
      new Uint8Array(),
      new Uint8Array(40),
      sealed(Buffer.from('{}')),
      sealed(Buffer.from('{')),
    ]) {
      for (const key of contents.keys()) contents.set(key, damaged);
      expect(await contentHashes([path], { cache, name: root })).toEqual(before);
    }
    await expect(contentHashes([path, join(root, 'b')])).rejects.toThrow(/a file in .*b/);
    await expect(contentHashes([root])).rejects.toThrow(/found a folder/);
    const limits = { what: 'a picture', mostBytes: 2 };
    await expect(contentHashes([path], undefined, limits)).rejects.toThrow(/a picture of at most 0 MiB/);
    expect(await readFile(path, 'utf8')).toBe('one');
  });
});
