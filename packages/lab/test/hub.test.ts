import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HUB_TOKEN, type HubServer, type Misbehaviour, inTemporaryFolder, startHub } from '@winnow/testkit';
import fc from 'fast-check';
import { hubNameIn } from '../src/hub/hub-name';
import { type HubWatch, snapshotOf } from '../src/hub/snapshot';

const COMMIT = 'c0ffee'.padEnd(40, '0');
const OTHER = 'decade'.padEnd(40, '0');
const bytesOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, place) => (place * 31 + seed) % 251);
const text = (content: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(content));
const weights = bytesOf(300_000, 1);
const plain = {
  'config.json': text({ model_type: 'dinov2' }),
  'preprocessor_config.json': text({ size: 224 }),
  'model.safetensors': weights,
  'README.md': text('a page'),
  'pytorch_model.bin': bytesOf(1000, 2),
};

interface Lent {
  readonly hub: HubServer;
  readonly cache: string;
  readonly watch: HubWatch & { readonly notes: string[] };
  /** With other variables in the environment. */
  withVariables(variables: Readonly<Record<string, string>>): HubWatch;
}

/** Lends a server with a model `owner/name`, and an empty cache. */
async function withHub(work: (lent: Lent) => Promise<void>): Promise<void> {
  const hub = await startHub({
    'owner/name': { commits: { [COMMIT]: plain }, refs: { main: COMMIT, 'refs/pr/1': COMMIT } },
  });
  try {
    await inTemporaryFolder(async (cache) => {
      const notes: string[] = [];
      const environment = { HF_ENDPOINT: hub.url, HF_HUB_CACHE: cache };
      const withVariables = (variables: Readonly<Record<string, string>>) => ({
        environment: { ...environment, ...variables },
      });
      const note = (line: string) => notes.push(line);
      await work({ hub, cache, watch: { environment, notes, note }, withVariables });
    });
  } finally {
    await hub.close();
  }
}

const main = hubNameIn('hf:owner/name');
const always = (on: RegExp, does: Misbehaviour) => ({ on, does, times: Infinity });
const once = (on: RegExp, does: Misbehaviour) => ({ on, does, times: 1 });

/** The model is in the cache as it is on the server, and nothing else is. */
async function expectWhole(cache: string): Promise<void> {
  const snapshot = join(cache, 'models--owner--name', 'snapshots', COMMIT);
  expect((await readdir(snapshot)).sort()).toEqual([
    'config.json',
    'model.safetensors',
    'preprocessor_config.json',
  ]);
  for (const [name, content] of Object.entries(plain)) {
    if (!existsSync(join(snapshot, name))) continue;
    expect(Buffer.compare(await readFile(join(snapshot, name)), content)).toBe(0);
  }
}

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

describe('the token', () => {
  test('goes to the Hub and to no other host', async () => {
    await withHub(async ({ hub, withVariables, cache }) => {
      hub.models['owner/name'] = {
        commits: { [COMMIT]: plain },
        refs: { main: COMMIT },
        access: 'private',
      };
      await snapshotOf(main, withVariables({ HF_TOKEN: HUB_TOKEN }));
      const of = (host: string) =>
        new Set(
          hub.requests.filter((request) => request.host === host).map(({ authorization }) => authorization),
        );
      expect(of('hub')).toEqual(new Set([`Bearer ${HUB_TOKEN}`]));
      expect(of('store')).toEqual(new Set([undefined]));
      for (const name of await readdir(cache, { recursive: true })) {
        if (!(await lstat(join(cache, name))).isFile()) continue;
        expect((await readFile(join(cache, name), 'latin1')).includes(HUB_TOKEN)).toBe(false);
      }
    });
  });

  test.each([
    [
      'private',
      {},
      /there is no public model owner\/name on http:\S+: look at the name; if it is private or gated, give a token in .*HF_TOKEN/,
    ],
    ['private', { HF_TOKEN: 'hf_wrong' }, /does not accept the token of HF_TOKEN for owner\/name/],
    ['gated', {}, /the model is gated: accept its conditions on http:\S+\/owner\/name, and give a token/],
  ] as const)('a %s model with %p', async (access, variables, message) => {
    await withHub(async ({ hub, withVariables }) => {
      hub.models['owner/name'] = { commits: { [COMMIT]: plain }, refs: { main: COMMIT }, access };
      const error = await snapshotOf(main, withVariables(variables)).catch((error: unknown) => error);
      expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
      expect(String(error)).not.toContain('hf_wrong');
    });
  });

  test.each([
    [{ HF_TOKEN: 'secret' }, /^HF_TOKEN: expected a token of the Hub, which begins with hf_$/],
    [{ HF_ENDPOINT: 'ftp://x' }, /^HF_ENDPOINT: expected an address that begins with https:\/\/$/],
    [
      { HF_ENDPOINT: 'https://me:secret@hub.example' },
      /^HF_ENDPOINT: expected an address without a password/,
    ],
    [
      { HF_ENDPOINT: 'http://hub.example', HF_TOKEN: 'hf_secret' },
      /^HF_ENDPOINT: expected .*https:\/\/ for a token/,
    ],
    [{ HF_HUB_DOWNLOAD_TIMEOUT: 'soon' }, /^HF_HUB_DOWNLOAD_TIMEOUT: expected seconds/],
  ])('%p is refused without being shown', async (variables, message) => {
    await withHub(async ({ withVariables }) => {
      const error = await snapshotOf(main, withVariables(variables)).catch((error: unknown) => error);
      expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
      expect(String(error)).not.toContain('secret');
    });
  });
});

describe('refused in one line', () => {
  const huge = new Uint8Array(2 ** 23 + 1).fill(0x20);
  const entry = (change: object) =>
    JSON.stringify([{ type: 'file', path: 'config.json', size: 2, oid: '0'.repeat(40), ...change }]);
  test.each<[string, RegExp, Misbehaviour, RegExp]>([
    [
      'no such revision',
      /revision/,
      { kind: 'answer', status: 404, headers: { 'x-error-code': 'RevisionNotFound' } },
      /has no revision main: http:\S+\/tree\/main lists/,
    ],
    ['no such model', /revision/, { kind: 'answer', status: 404 }, /there is no model owner\/name on/],
    ['may not', /revision/, { kind: 'answer', status: 403 }, /does not let everybody read owner\/name/],
    [
      'too often',
      /revision/,
      { kind: 'answer', status: 429, headers: { 'retry-after': '3000' } },
      /is asked too often \(it says to wait 3000 s\)/,
    ],
    [
      'broken',
      /revision/,
      { kind: 'answer', status: 500, headers: { 'retry-after': '0' } },
      /answered 500: try again later/,
    ],
    ['no JSON', /revision/, { kind: 'answer', status: 200, body: '<html>' }, /is not one of a Hub/],
    [
      'no commit',
      /revision/,
      { kind: 'answer', status: 200, body: '{"sha":"../../x"}' },
      /is not one of a Hub \(sha: expected a commit\)/,
    ],
    [
      'too much JSON',
      /revision/,
      { kind: 'answer', status: 200, body: huge },
      /expected at most 8388608 bytes of JSON/,
    ],
    [
      'a name as a hash',
      /tree/,
      { kind: 'answer', status: 200, body: entry({ oid: '../../../x' }) },
      /is not one of a Hub \(oid/,
    ],
    ['no list', /tree/, { kind: 'answer', status: 200, body: '{}' }, /is not one of a Hub/],
    [
      'only pickles',
      /tree/,
      { kind: 'answer', status: 200, body: entry({ path: 'pytorch_model.bin' }) },
      /expected weights in model\.safetensors, got pytorch_model\.bin; pickles can run code and are never opened/,
    ],
    [
      'no weights',
      /tree/,
      { kind: 'answer', status: 200, body: '[]' },
      /expected weights in model\.safetensors, got none/,
    ],
    [
      'more than the disk',
      /tree/,
      { kind: 'answer', status: 200, body: entry({ path: 'model.safetensors', size: 9e15 }) },
      /its files take 9000000000\.0 MB more, and \S+ has room for/,
    ],
    [
      'a large configuration',
      /tree/,
      {
        kind: 'answer',
        status: 200,
        body: JSON.stringify([
          { type: 'file', path: 'config.json', size: 1e9, oid: '0'.repeat(40) },
          { type: 'file', path: 'model.safetensors', size: 1, oid: '0'.repeat(40) },
        ]),
      },
      /config\.json: expected at most 67108864 bytes, got 1000000000/,
    ],
    [
      'redirects',
      /revision/,
      { kind: 'answer', status: 302, headers: { location: '/api/models/owner/name/revision/main' } },
      /expected at most 5 redirects/,
    ],
    [
      'another protocol',
      /revision/,
      { kind: 'answer', status: 302, headers: { location: 'file:///etc/passwd' } },
      /leads on to an address that does not begin with http:/,
    ],
  ])('%s', async (_, on, does, message) => {
    await withHub(async ({ hub, watch }) => {
      hub.faults.push(always(on, does));
      await expect(snapshotOf(main, watch)).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(new RegExp(`^hf:owner/name@main: [^\\n]*${message.source}[^\\n]*$`)),
      });
    });
  });

  test('names that lead out of the folder are not even looked at', async () => {
    await withHub(async ({ hub, cache, watch }) => {
      const files = { ...plain, '../../../evil.json': bytesOf(3, 1), '/etc/evil.safetensors': bytesOf(3, 1) };
      hub.models['owner/name'] = { commits: { [COMMIT]: files }, refs: { main: COMMIT } };
      await snapshotOf(main, watch);
      await expectWhole(cache);
      expect(hub.requests.filter(({ path }) => path.includes('evil'))).toEqual([]);
    });
  });

  test('where nothing listens', async () => {
    await withHub(async ({ hub, watch }) => {
      await hub.close();
      await expect(snapshotOf(main, watch)).rejects.toThrow(
        /^hf:owner\/name@main: cannot reach http:\S+ \(ECONNREFUSED\); without a network, HF_HUB_OFFLINE=1 takes what is in the cache$/,
      );
    });
  });

  test('a cache that is a file', async () => {
    await withHub(async ({ cache, withVariables }) => {
      await writeFile(join(cache, 'file'), '');
      await expect(snapshotOf(main, withVariables({ HF_HUB_CACHE: join(cache, 'file') }))).rejects.toThrow(
        /^hf:owner\/name@main: cannot write into \S+ \(ENOTDIR\): name another folder in HF_HUB_CACHE$/,
      );
    });
  });
});
