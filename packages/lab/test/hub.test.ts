import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Misbehaviour } from '@winnow/testkit';
import fc from 'fast-check';
import { hubNameIn } from '../src/hub/hub-name';
import { snapshotOf } from '../src/hub/snapshot';
import {
  COMMIT,
  OTHER,
  bytesOf,
  text,
  weights,
  plain,
  withHub,
  main,
  always,
  once,
  expectWhole,
} from './hub/lent-hub';

describe('the name of a model', () => {
  test.each([
    ['hf:facebook/dinov2-small', 'facebook/dinov2-small', 'main'],
    ['hf:timm/vit_small.dino@v1.0', 'timm/vit_small.dino', 'v1.0'],
    ['hf:a/b@refs/pr/3', 'a/b', 'refs/pr/3'],
  ])('%s', (given, repository, revision) => {
    expect(hubNameIn(given)).toEqual({ repository, revision });
  });

  test.each([
    'hf:',
    'hf:name',
    'hf:a/b/c',
    'hf:../b',
    'hf:a/..',
    'hf:a/b@',
    'hf:a/b@../../x',
    'hf:a/b@x/../y',
    'hf:a/b@/x',
    'hf:a--b/c',
    'hf:a/b@x@y',
    'hf:a/b@x/.git',
  ])('%s is refused', (given) => {
    expect(() => hubNameIn(given)).toThrow(/^expected a model of the Hub as hf:owner\/name/);
  });
});

test('a model is fetched with only what it is read by, in the layout of huggingface_hub', async () => {
  await withHub(async ({ hub, cache, watch }) => {
    const { commit, folder, files } = await snapshotOf(main, watch);
    expect({ commit, files }).toEqual({
      commit: COMMIT,
      files: ['config.json', 'model.safetensors', 'preprocessor_config.json'],
    });
    const model = join(cache, 'models--owner--name');
    expect(folder).toBe(join(model, 'snapshots', COMMIT));
    await expectWhole(cache);
    const sha256 = createHash('sha256').update(weights).digest('hex');
    expect(await readlink(join(folder, 'model.safetensors'))).toBe(join('..', '..', 'blobs', sha256));
    expect(await readFile(join(model, 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(existsSync(join(model, '.no_exist', COMMIT, 'tokenizer.json'))).toBe(true);
    expect(watch.notes).toEqual([
      expect.stringMatching(/^hf:owner\/name@main: fetching 0\.3 MB \(config\.json, /),
    ]);
    expect(hub.requests.filter(({ path }) => /README|pytorch/.test(path))).toEqual([]);
  });
});

test('what is there whole takes no network: by its commit, or with HF_HUB_OFFLINE', async () => {
  await withHub(async ({ hub, watch, withVariables }) => {
    const first = await snapshotOf(main, watch);
    const asked = hub.requests.length;
    expect(await snapshotOf({ ...main, revision: COMMIT }, watch)).toEqual(first);
    expect(await snapshotOf(main, withVariables({ HF_HUB_OFFLINE: '1' }))).toEqual(first);
    expect(hub.requests).toHaveLength(asked);
    await snapshotOf(main, watch);
    expect(hub.requests).toHaveLength(asked + 1); // which commit main is at now
  });
});

test('a branch that has moved is another commit, and the old one stays', async () => {
  await withHub(async ({ hub, watch }) => {
    await snapshotOf(main, watch);
    const config = text({ model_type: 'vit' });
    hub.models['owner/name'] = {
      commits: { [COMMIT]: plain, [OTHER]: { ...plain, 'config.json': config } },
      refs: { main: OTHER },
    };
    const { commit, folder } = await snapshotOf(main, watch);
    expect(commit).toBe(OTHER);
    expect(Buffer.compare(await readFile(join(folder, 'config.json')), config)).toBe(0);
    expect((await snapshotOf({ ...main, revision: COMMIT }, watch)).commit).toBe(COMMIT);
    // The weights are the same blob, and were not fetched again.
    expect(hub.requests.filter(({ host }) => host === 'store')).toHaveLength(1);
  });
});

test('a model that Python fetched is found offline', async () => {
  await withHub(async ({ hub, cache, withVariables }) => {
    const model = join(cache, 'models--owner--name');
    const snapshot = join(model, 'snapshots', COMMIT);
    for (const folder of [snapshot, join(model, 'blobs'), join(model, 'refs')])
      await mkdir(folder, { recursive: true });
    await writeFile(join(model, 'blobs', 'one'), weights);
    await symlink(join('..', '..', 'blobs', 'one'), join(snapshot, 'model.safetensors'));
    await writeFile(join(snapshot, 'config.json'), plain['config.json']);
    await writeFile(join(model, 'refs', 'main'), COMMIT);
    const offline = withVariables({ HF_HUB_OFFLINE: 'true' });
    expect(await snapshotOf(main, offline)).toEqual({
      commit: COMMIT,
      folder: snapshot,
      files: ['config.json', 'model.safetensors'],
    });
    expect(hub.requests).toEqual([]);
    await expect(snapshotOf({ ...main, revision: 'v2' }, offline)).rejects.toThrow(
      /^hf:owner\/name@v2 is not whole in the cache .*, and HF_HUB_OFFLINE keeps the network out/,
    );
  });
});

test('shards are those that the index names', async () => {
  await withHub(async ({ hub, watch }) => {
    const index = (...names: string[]) =>
      text({ weight_map: Object.fromEntries(names.map((name, place) => [`w${place}`, name])) });
    const shards = { 'one.safetensors': bytesOf(999, 3), 'two.safetensors': bytesOf(5000, 4) };
    const files = { 'config.json': plain['config.json'], ...shards, 'three.safetensors': weights };
    const serve = (content: Uint8Array) => {
      hub.models['owner/name'] = {
        commits: { [COMMIT]: { ...files, 'model.safetensors.index.json': content } },
        refs: { main: COMMIT },
      };
    };
    serve(index('../../../evil.safetensors'));
    await expect(snapshotOf(main, watch)).rejects.toThrow(/expected the name of a safetensors file/);
    serve(index('one.safetensors', 'gone.safetensors'));
    await expect(snapshotOf(main, watch)).rejects.toThrow(
      /model\.safetensors\.index\.json names gone\.safetensors, which is not among the files/,
    );
    serve(index('one.safetensors', 'two.safetensors', 'one.safetensors'));
    hub.pageSize = 2;
    const { files: found, folder } = await snapshotOf(main, watch);
    expect(found).toEqual([
      'config.json',
      'model.safetensors.index.json',
      'one.safetensors',
      'two.safetensors',
    ]);
    for (const [name, content] of Object.entries(shards))
      expect(Buffer.compare(await readFile(join(folder, name)), content)).toBe(0);
  });
});

describe('whatever breaks off', () => {
  const interruption = fc.oneof(
    fc.record({ kind: fc.constantFrom('cut' as const), afterBytes: fc.nat(weights.byteLength + 10) }),
    fc.constantFrom<Misbehaviour>(
      { kind: 'ignore range' },
      { kind: 'answer', status: 503, headers: { 'retry-after': '0' } },
      { kind: 'answer', status: 404 },
      { kind: 'answer', status: 200, body: bytesOf(300_000, 9) },
      { kind: 'answer', status: 200, body: bytesOf(400_000, 1) },
    ),
  );

  test('a call after it gives the same bytes, and nothing half-written is taken for whole', async () => {
    const faults = fc.array(fc.tuple(fc.constantFrom(/resolve|@/, /api/, /config/), interruption), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(faults, async (given) => {
        await withHub(async ({ hub, cache, watch, withVariables }) => {
          hub.faults.push(...given.map(([on, does]) => once(on, does)));
          const offline = withVariables({ HF_HUB_OFFLINE: '1' });
          for (let call = 0; call <= given.length; call++) {
            const result = await snapshotOf(main, watch).catch((error: unknown) => error);
            if ('commit' in Object(result)) break;
            expect(result).toMatchObject({ exitCode: 2, message: expect.not.stringContaining('\n') });
            await expect(snapshotOf(main, offline)).rejects.toThrow(/is not whole in the cache/);
          }
          await expectWhole(cache);
          const blobs = await readdir(join(cache, 'models--owner--name', 'blobs'));
          expect(blobs.filter((name) => name.includes('incomplete'))).toEqual([]);
        });
      }),
      { numRuns: 40 },
    );
  });

  test('the rest alone is asked for', async () => {
    await withHub(async ({ hub, cache, watch }) => {
      hub.faults.push({ on: /@/, times: 2, does: { kind: 'cut', afterBytes: 100_000 } });
      await snapshotOf(main, watch);
      await expectWhole(cache);
      const ranges = hub.requests.filter(({ host }) => host === 'store').map(({ range }) => range);
      expect(ranges).toHaveLength(3);
      expect(ranges[0]).toBeUndefined();
      for (const range of ranges.slice(1)) expect(range).toMatch(/^bytes=[1-9]\d*-299999$/);
    });
  });

  test('a server that stalls is given up, and what came is kept', async () => {
    await withHub(async ({ hub, cache, watch, withVariables }) => {
      hub.faults.push(always(/@/, { kind: 'stall', afterBytes: 1000 }));
      await expect(snapshotOf(main, withVariables({ HF_HUB_DOWNLOAD_TIMEOUT: '0.1' }))).rejects.toThrow(
        /broke off at 4000 of 300000 bytes of model\.safetensors \(nothing came for 0\.1 s\): ask again, it goes on from there$/,
      );
      hub.faults.splice(0);
      await snapshotOf(main, watch);
      await expectWhole(cache);
      expect(hub.requests.at(-1)?.range).toBe('bytes=4000-299999');
    });
  });

  test('a stop is a stop, in the middle too', async () => {
    await withHub(async ({ hub, watch, cache }) => {
      hub.faults.push(once(/@/, { kind: 'stall', afterBytes: 1000 }));
      const controller = new AbortController();
      const call = snapshotOf(main, { ...watch, signal: controller.signal });
      setTimeout(() => {
        controller.abort();
      }, 300);
      await expect(call).rejects.toMatchObject({ exitCode: 130 });
      await snapshotOf(main, watch);
      await expectWhole(cache);
    });
  });

  test('content that is not what is listed is refused', async () => {
    await withHub(async ({ hub, watch, cache }) => {
      hub.faults.push(always(/@/, { kind: 'answer', status: 200, body: bytesOf(300_000, 9) }));
      await expect(snapshotOf(main, watch)).rejects.toThrow(
        /model\.safetensors has not the content that http:\S+ lists \(its hash is another\)/,
      );
      hub.faults.splice(0);
      await snapshotOf(main, watch);
      await expectWhole(cache);
    });
  });

  test('several at once fetch a file once', async () => {
    await withHub(async ({ hub, watch, cache }) => {
      await Promise.all([1, 2, 3].map(() => snapshotOf(main, watch)));
      await expectWhole(cache);
      expect(hub.requests.filter(({ host }) => host === 'store')).toHaveLength(1);
    });
  });
});
