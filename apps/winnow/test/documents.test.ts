import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveGroups } from '@winnow/lab';
import { parseArguments } from '../src/arguments/parse';
import { commands } from '../src/cli';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const documents = [
  'README.md',
  'apps/winnow/README.md',
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
