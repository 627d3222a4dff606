import { lstat, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HUB_TOKEN, type Misbehaviour } from '@winnow/testkit';
import { snapshotOf } from '../src/hub/snapshot';
import { COMMIT, bytesOf, plain, withHub, main, always, expectWhole } from './hub/lent-hub';

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
