import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveGroups } from '@winnow/lab';
import { startHub } from '@winnow/testkit';
import { parseArguments } from '../src/arguments/parse';
import { commands } from '../src/cli';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const documents = [
  'README.md',
  'apps/winnow/README.md',
  'docs/scenes.md',
  'packages/upop/README.md',
  'packages/share-and-prune/README.md',
  'packages/lottery-ticket/README.md',
];

/** The command lines in a document's code blocks, without comments. */
function commandLines(document: string): string[] {
  const text = readFileSync(resolve(root, document), 'utf8');
  const blocks = [...text.matchAll(/```(?:bash)?\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => /^(npx )?winnow /.test(line));
}

/** Documents name models of the Hub: a server here has them, so that nothing is fetched from elsewhere. */
const files = { 'config.json': Buffer.from('{}'), 'model.safetensors': Buffer.from('none') };
const commit = '0'.repeat(40);
const hub = await startHub({
  'facebook/dinov2-small': { commits: { [commit]: files }, refs: { main: commit } },
});
const cache = await mkdtemp(join(tmpdir(), 'winnow-documents-'));
Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HUB_CACHE: cache });
afterAll(async () => {
  await hub.close();
  await rm(cache, { recursive: true });
});

describe.each(documents)('%s', (document) => {
  const lines = commandLines(document);

  it('shows commands', () => {
    expect(lines.length).toBeGreaterThan(0);
  });

  it.each(lines)('%s: is understood, every flag and value of it', async (line) => {
    const args = line.replace(/^(npx )?winnow /, '').split(/\s+/);
    const configured = args.map((arg) => (arg.endsWith('.yaml') ? resolve(root, arg) : arg));
    const request = await parseArguments(configured, commands, { version: '0' });
    if (request.kind === 'text') throw new Error('expected a command, got text');
    const { given, groups } = request.invocation;
    expect(resolveGroups(given, groups)).toBeDefined();
  });
});
