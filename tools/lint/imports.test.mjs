import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { ESLint } from 'eslint';
import config from '../../eslint.config.js';
import { coreFloors } from './floors.mjs';
import { imports } from './imports.mjs';

const files = {
  'src/index.ts': "export { a } from './low/a';\nexport { c } from './high/c';\n",
  'src/low/a.ts': 'export const a = 1;\n',
  'src/low/wrong.ts': "import type { C } from '../high/c';\nexport const wrong = (c: C): C => c;\n",
  'src/high/c.ts': "import { a } from '../low/a';\nexport type C = number;\nexport const c: C = a;\n",
  'src/attic/lost.ts': 'export const lost = 1;\n',
  'src/low/first.ts': "import { second } from './second';\nexport const first = (): number => second();\n",
  'src/low/second.ts': "import type { Third } from './third';\nexport const second = (): Third => 1;\n",
  'src/low/third.ts': "export type { First } from './first';\nexport type Third = number;\n",
};
const floors = [
  { name: 'ground', folders: ['low'] },
  { name: 'first', folders: ['high'] },
];

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'winnow-lint-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
});
after(() => rmSync(folder, { recursive: true }));

async function complaints(file, rules) {
  const parser = config.find(({ languageOptions }) => languageOptions?.parser)?.languageOptions.parser;
  const eslint = new ESLint({
    cwd: folder,
    overrideConfigFile: true,
    overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser }, plugins: { imports }, rules }],
  });
  const [result] = await eslint.lintFiles([file]);
  return result.messages.map(({ message }) => message);
}

test('an import from a floor above is refused, also of a type, and a folder without a floor', async () => {
  const rules = { 'imports/floors': ['error', { root: 'src', floors }] };
  assert.deepEqual(await complaints('src/low/wrong.ts', rules), [
    'low (floor: ground) must not import from high (floor: first), which stands above it',
  ]);
  assert.deepEqual(await complaints('src/attic/lost.ts', rules), [
    'the folder attic stands on no floor: add it to tools/lint/floors.mjs',
  ]);
  for (const file of ['src/high/c.ts', 'src/low/a.ts', 'src/index.ts']) {
    assert.deepEqual(await complaints(file, rules), []);
  }
});

test('a circle of imports is refused in each of its files', async () => {
  const rules = { 'imports/no-circles': 'error' };
  assert.deepEqual(await complaints('src/low/first.ts', rules), [
    'a circle of imports: src/low/first.ts → src/low/second.ts → src/low/third.ts → src/low/first.ts',
  ]);
  for (const file of ['src/low/second.ts', 'src/low/third.ts']) {
    assert.equal((await complaints(file, rules)).length, 1);
  }
  assert.deepEqual(await complaints('src/high/c.ts', rules), []);
});

test('every folder of the core stands on one floor, and the rules are on', async () => {
  const root = new URL('../../', import.meta.url).pathname;
  const folders = readdirSync(join(root, 'packages/core/src'), { withFileTypes: true });
  assert.deepEqual(
    coreFloors.flatMap((floor) => floor.folders).sort(),
    folders.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort(),
  );
  const eslint = new ESLint({ cwd: root });
  const { rules } = await eslint.calculateConfigForFile(join(root, 'packages/core/src/tree/tree.ts'));
  assert.equal(rules['imports/floors'][0], 2);
  assert.equal(rules['imports/no-circles'][0], 2);
});
