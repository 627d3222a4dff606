import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Snapshot } from '@winnow/core';
import { FormatError, fileSnapshotStore, writeSafetensors } from '../src/index';

const snapshot: Snapshot = {
  tensors: new Map([
    ['params/head.weight', { dtype: 'float32', shape: [2], values: Float32Array.of(1, -2) }],
    ['state/step', { dtype: 'int32', shape: [], values: Int32Array.of(7) }],
  ]),
  meta: { step: 7, nested: [null, true, 'ü', { a: 1.5 }] },
};

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'winnow-')), 'run', 'snapshots');
});
afterEach(() => rm(join(folder, '..', '..'), { recursive: true }));

describe('fileSnapshotStore', () => {
  it('saves, loads, replaces and removes', async () => {
    const store = fileSnapshotStore(folder);
    expect(await store.load('search')).toBeUndefined();
    await store.save('search', snapshot);
    expect(await store.load('search')).toEqual(snapshot);
    expect(await fileSnapshotStore(folder).load('search')).toEqual(snapshot);
    await store.save('search', { tensors: new Map(), meta: null });
    expect(await store.load('search')).toEqual({ tensors: new Map(), meta: null });
    await store.remove('search');
    await store.remove('search');
    expect(await store.load('search')).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  it('writes the same bytes for the same snapshot', async () => {
    const store = fileSnapshotStore(folder);
    await store.save('a', snapshot);
    await store.save('b', snapshot);
    expect(await readFile(join(folder, 'a.safetensors'))).toEqual(
      await readFile(join(folder, 'b.safetensors')),
    );
  });

  it('refuses a snapshot with any byte changed or missing', async () => {
    const store = fileSnapshotStore(folder);
    await store.save('search', snapshot);
    const file = join(folder, 'search.safetensors');
    const sound = await readFile(file);
    for (let at = 0; at < sound.byteLength; at++) {
      // The header's padding says nothing: a space may become another kind of space.
      if (sound[at] === 0x20) continue;
      const broken = Buffer.from(sound);
      broken[at] = (broken[at] ?? 0) ^ 1;
      await writeFile(file, broken);
      await expect(store.load('search')).rejects.toThrow(FormatError);
      await writeFile(file, sound.subarray(0, at));
      await expect(store.load('search')).rejects.toThrow(FormatError);
    }
  });

  it('refuses a safetensors file that is no snapshot', async () => {
    const store = fileSnapshotStore(folder);
    await store.save('search', snapshot);
    await writeSafetensors(join(folder, 'search.safetensors'), snapshot.tensors, { format: 'pt' });
    await expect(store.load('search')).rejects.toThrow(/the header of a snapshot: not what was expected/);
  });

  it('clears what a killed run left half-written, and nothing younger', async () => {
    const store = fileSnapshotStore(folder);
    await store.save('search', snapshot);
    await writeFile(join(folder, 'old.safetensors.0123456789ab.tmp'), 'half');
    await utimes(join(folder, 'old.safetensors.0123456789ab.tmp'), 0, 0);
    await writeFile(join(folder, 'young.safetensors.456745674567.tmp'), 'half');
    await store.save('search', snapshot);
    expect((await readdir(folder)).sort()).toEqual([
      'search.safetensors',
      'young.safetensors.456745674567.tmp',
    ]);
  });

  it.each(['', '..', '../other', 'a/b', 'a\\b', '.hidden', 'a b', 'x'.repeat(101)])(
    'refuses the name %j',
    async (name) => {
      const store = fileSnapshotStore(folder);
      await expect(store.save(name, snapshot)).rejects.toThrow(RangeError);
      await expect(store.load(name)).rejects.toThrow(RangeError);
      await expect(store.remove(name)).rejects.toThrow(RangeError);
    },
  );
});
