import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const app = join(root, 'apps', 'winnow');

test('what npm links as winnow is in the repository, so that it is there before anything is built', () => {
  const { bin } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
  const listed = spawnSync('git', ['ls-files', '--stage', bin.winnow], { cwd: app, encoding: 'utf8' });
  // Executable, as the first number says.
  assert.match(listed.stdout, /^100755 /);
});

test('the executable says that nothing is built, and runs the program once it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'winnow-executable-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    cpSync(join(app, 'bin'), join(folder, 'bin'), { recursive: true });
    const winnow = (...args) =>
      spawnSync(process.execPath, [join(folder, 'bin', 'winnow.js'), ...args], { encoding: 'utf8' });

    const unbuilt = winnow('--help');
    assert.equal(unbuilt.status, 2);
    assert.match(unbuilt.stderr, /^winnow: not built yet; run `npm run setup`.*\n$/);

    const program = join(folder, 'dist', 'main.js');
    mkdirSync(dirname(program));
    writeFileSync(program, 'console.log(process.argv.slice(2).join());\n process.exitCode = 130;');
    const built = winnow('train', '--help');
    assert.deepEqual([built.status, built.stdout], [130, 'train,--help\n']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
