import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fuzzFiles } from './files.mjs';
import { kinds } from './kinds.mjs';
import { fuzzKills } from './kills.mjs';
import { randomOf } from './random.mjs';

async function inFolder(work) {
  const root = mkdtempSync(join(tmpdir(), 'winnow-fuzz-test-'));
  const lines = [];
  try {
    const failed = await work({
      seed: '1',
      jobs: 2,
      root,
      keep: join(root, 'kept'),
      print: (line) => lines.push(line),
    });
    assert.equal(failed, 0, lines.join('\n'));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

// What takes long to make or to read is left to npm run fuzz.
const quick = kinds.filter(({ fixtures }) => !['comparison', 'many'].some((name) => fixtures.includes(name)));

test('some damaged files of every kind: no crash, no hang, nothing outside the output folder', () =>
  inFolder((options) => fuzzFiles({ ...options, count: 120, only: quick.map(({ name }) => name) })));

test('some kills: what is given again ends in the same bytes', () =>
  inFolder((options) => fuzzKills({ ...options, count: 3, only: ['train', 'import', 'export'] })));

test('a try is a function of its labels alone', () => {
  const draws = () => {
    const random = randomOf('1', 'kind', 7);
    return [random.share(), random.below(100), random.pick(['a', 'b', 'c'])];
  };
  assert.deepEqual(draws(), draws());
});
