import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inTemporaryFolder, python, pythonHas, startHub } from '@winnow/testkit';
import { z } from 'zod';
import { hubNameIn } from '../src/hub/hub-name';
import { snapshotOf } from '../src/hub/snapshot';

const COMMIT = 'c0ffee'.padEnd(40, '0');
const files = {
  'config.json': new TextEncoder().encode('{}'),
  'model.safetensors': Uint8Array.from({ length: 50_000 }, (_, place) => place % 251),
};
const script = fileURLToPath(new URL('peers/hub-fetch.py', import.meta.url));

/** Paths of the files of `owner/name`, as Python finds or fetches them. The server answers in this process meanwhile. */
async function inPython(environment: Readonly<Record<string, string>>): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    python(),
    [script, 'owner/name', 'main', ...Object.keys(files)],
    { env: { ...process.env, ...environment, PYTHONDONTWRITEBYTECODE: '1', HF_HUB_DISABLE_XET: '1' } },
  );
  return z.array(z.string()).parse(JSON.parse(stdout));
}

const peerTest = pythonHas(['huggingface_hub']) ? test : test.skip;

peerTest('the cache is that of huggingface_hub: each finds offline what the other fetched', async () => {
  const hub = await startHub({ 'owner/name': { commits: { [COMMIT]: files }, refs: { main: COMMIT } } });
  try {
    for (const first of ['Winnow', 'Python'])
      await inTemporaryFolder(async (cache) => {
        const name = hubNameIn('hf:owner/name');
        const environment = { HF_ENDPOINT: hub.url, HF_HUB_CACHE: cache };
        const offline = { ...environment, HF_HUB_OFFLINE: '1' };
        if (first === 'Winnow') await snapshotOf(name, { environment });
        else await inPython(environment);
        const asked = hub.requests.length;
        const { commit, folder } = await snapshotOf(name, { environment: offline });
        const found = await inPython(offline);
        expect(commit).toBe(COMMIT);
        expect(found).toEqual(Object.keys(files).map((file) => join(folder, file)));
        for (const [file, content] of Object.entries(files))
          expect(Buffer.compare(await readFile(join(folder, file)), content)).toBe(0);
        expect(hub.requests).toHaveLength(asked);
      });
  } finally {
    await hub.close();
  }
});
