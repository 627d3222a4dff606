import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../src', import.meta.url));

test('the app is arguments, commands and terminal: everything else is in packages/lab', () => {
  const names = readdirSync(sources).sort();
  expect(names).toEqual(['arguments', 'cli.ts', 'commands', 'main.ts', 'terminal']);
});
