import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';

const disk = await import('node:fs/promises');
/** The system's fault at each step; none: the step succeeds. */
const faults = new Map<'open' | 'write' | 'sync' | 'rename', string>();

function fail(step: 'open' | 'write' | 'sync' | 'rename'): void {
  const code = faults.get(step);
  if (code !== undefined) throw Object.assign(new Error(`${code}: injected`), { code });
}

jest.unstable_mockModule('node:fs/promises', () => ({
  ...disk,
  open: async (...[file, flags]: Parameters<typeof disk.open>) => {
    if (flags === 'wx') fail('open');
    const handle = await disk.open(file, flags);
    return {
      writeFile: async (piece: Uint8Array) => {
        // A full disk takes what fits before it complains.
        await handle.writeFile(faults.has('write') ? piece.subarray(0, piece.byteLength / 2) : piece);
        fail('write');
      },
      sync: async () => {
        await handle.sync();
        if (flags === 'wx') fail('sync');
      },
      close: () => handle.close(),
    };
  },
  rename: async (...args: Parameters<typeof disk.rename>) => {
    fail('rename');
    await disk.rename(...args);
  },
}));
const { FormatError, checkWritable, writeAtomically } = await import('../src/index');

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
  file = join(folder, 'weights.bin');
  await writeFile(file, 'old');
});
afterEach(async () => {
  faults.clear();
  await rm(folder, { recursive: true });
});

describe('writeAtomically', () => {
  it('replaces text and bytes, in one piece or several, and leaves nothing beside', async () => {
    await writeAtomically(file, 'tëxt');
    expect(await readFile(file, 'utf8')).toBe('tëxt');
    await writeAtomically(file, [Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)]);
    expect([...(await readFile(file))]).toEqual([1, 2, 3]);
    expect(await readdir(folder)).toEqual(['weights.bin']);
  });

  it.each([
    ['write', 'ENOSPC', /4 bytes.*the disk is full.*Nothing was changed/],
    ['sync', 'EDQUOT', /the disk is full/],
    ['open', 'EACCES', /no permission/],
    ['open', 'EROFS', /no permission/],
    ['rename', 'EPERM', /no permission/],
    ['sync', 'EIO', /the system says EIO/],
  ] as const)('leaves the old file and nothing else when %s fails with %s', async (step, code, message) => {
    faults.set(step, code);
    const failure = writeAtomically(file, Uint8Array.of(1, 2, 3, 4));
    await expect(failure).rejects.toThrow(FormatError);
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(file);
    await expect(failure).rejects.toMatchObject({ exitCode: 2 });
    expect(await readFile(file, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['weights.bin']);
  });

  it('says which folder is missing', async () => {
    const missing = join(folder, 'nowhere');
    await expect(writeAtomically(join(missing, 'a'), 'text')).rejects.toThrow(
      `${missing} is not a folder (ENOENT); make it first`,
    );
  });
});

test('whether a file can be written is found out before, and leaves nothing', async () => {
  await checkWritable(join(folder, 'new.csv'));
  const before = await readdir(folder);
  expect(before.filter((name) => name.startsWith('new'))).toEqual([]);
  await expect(checkWritable(join(folder, 'no', 'new.csv'))).rejects.toThrow(/no is not a folder \(ENOENT\)/);
  await expect(checkWritable(folder)).rejects.toThrow(/it is a folder; choose another name/);
  faults.set('open', 'EROFS');
  await expect(checkWritable(join(folder, 'new.csv'))).rejects.toThrow(
    /no permission to write there \(EROFS\)/,
  );
  faults.clear();
  expect(await readdir(folder)).toEqual(before);
});
