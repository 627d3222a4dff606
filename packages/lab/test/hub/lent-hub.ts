import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type HubServer, type Misbehaviour, inTemporaryFolder, startHub } from '@winnow/testkit';
import { hubNameIn } from '../../src/hub/hub-name';
import { type HubWatch } from '../../src/hub/snapshot';

export const COMMIT = 'c0ffee'.padEnd(40, '0');
export const OTHER = 'decade'.padEnd(40, '0');
export const bytesOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, place) => (place * 31 + seed) % 251);
export const text = (content: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(content));
export const weights = bytesOf(300_000, 1);
export const plain = {
  'config.json': text({ model_type: 'dinov2' }),
  'preprocessor_config.json': text({ size: 224 }),
  'model.safetensors': weights,
  'README.md': text('a page'),
  'pytorch_model.bin': bytesOf(1000, 2),
};

export interface Lent {
  readonly hub: HubServer;
  readonly cache: string;
  readonly watch: HubWatch & { readonly notes: string[] };
  /** With other variables in the environment. */
  withVariables(variables: Readonly<Record<string, string>>): HubWatch;
}

/** Lends a server with a model `owner/name`, and an empty cache. */
export async function withHub(work: (lent: Lent) => Promise<void>): Promise<void> {
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

export const main = hubNameIn('hf:owner/name');
export const always = (on: RegExp, does: Misbehaviour) => ({ on, does, times: Infinity });
export const once = (on: RegExp, does: Misbehaviour) => ({ on, does, times: 1 });

/** The model is in the cache as it is on the server, and nothing else is. */
export async function expectWhole(cache: string): Promise<void> {
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
