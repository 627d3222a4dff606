import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const { packages } = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));

/** Where Node would find `name` from a package: in its own node_modules or in one further up. */
function found(from, name) {
  for (let folder = from; ; folder = folderAbove(folder)) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return true;
    if (folder === '') return false;
  }
}

const folderAbove = (folder) => folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')));

test('the lock file has every dependency, with the binaries of other platforms: npm ci takes it anywhere', () => {
  const missing = Object.entries(packages).flatMap(
    ([path, { dependencies, optionalDependencies, devDependencies }]) =>
      Object.keys({
        ...dependencies,
        ...optionalDependencies,
        ...(path.includes('node_modules/') ? {} : devDependencies),
      })
        .filter((name) => !found(path, name))
        .map((name) => `${path} needs ${name}`),
  );
  assert.deepEqual(missing, []);
});

test('every package of the lock file has its hash, and none the address of a registry', () => {
  const wrong = Object.entries(packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && !link)
    .filter(([, { integrity, resolved }]) => !integrity?.startsWith('sha512-') || resolved !== undefined)
    .map(([path]) => path);
  assert.deepEqual(wrong, []);
});
