import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { outcomeOf, propertyTests, seedsIn } from './runs.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('seeds follow the first, and are as many as were asked for', () => {
  assert.deepEqual(seedsIn({ seeds: '3', first: '7' }), [7, 8, 9]);
  for (const seeds of ['0', '-1', '1.5', 'many', '', '1000000']) {
    assert.throws(() => seedsIn({ seeds, first: '2' }), /--seeds: expected a whole number from 1/);
  }
  assert.throws(() => seedsIn({ seeds: '1', first: 'x' }), /--first: expected a whole number from 0/);
});

test('every file that draws cases is found, and no other', () => {
  const found = propertyTests(root).flatMap(({ folder, files }) => files.map((file) => `${folder}/${file}`));
  assert.ok(found.includes('packages/core/test/model/compact.test.ts'));
  assert.ok(found.includes('packages/formats/test/layouts/table.test.ts'));
  assert.ok(!found.includes('packages/core/test/optimizer/schedule.test.ts'));
  assert.ok(found.length > 30, `${found.length} files`);
});

test('a failure is told with its reason, and so is a file that does not load', () => {
  const report = {
    numPassedTests: 4,
    testResults: [
      {
        name: 'a.test.ts',
        status: 'failed',
        message: '',
        assertionResults: [
          { status: 'passed', fullName: 'a one', failureMessages: [] },
          {
            status: 'failed',
            fullName: 'a two',
            failureMessages: ['Property failed after 3 tests\n{ seed: 5 }\nat'],
          },
        ],
      },
      { name: 'b.test.ts', status: 'failed', message: 'Cannot find module', assertionResults: [] },
      { name: 'c.test.ts', status: 'passed', message: '', assertionResults: [] },
    ],
  };
  assert.deepEqual(outcomeOf(JSON.stringify(report), 1), {
    passed: 4,
    failures: [
      { name: 'a two', file: 'a.test.ts', reason: 'Property failed after 3 tests { seed: 5 } at' },
      { name: 'b.test.ts', file: 'b.test.ts', reason: 'Cannot find module' },
    ],
  });
  assert.equal(outcomeOf('', 134).failures[0].reason, 'it ended with 134 and no report');
});

test("a user's mistake is told in a line, with exit code 2", () => {
  for (const [flags, expected] of [
    [['--seeds', 'many'], /^--seeds: expected a whole number/],
    [['--only', 'nowhere'], /^--only: expected a part of the path/],
    [['--sedes', '3'], /Unknown option '--sedes'/],
  ]) {
    const run = spawnSync(process.execPath, [`${root}/tools/properties/properties.mjs`, ...flags], {
      encoding: 'utf8',
    });
    assert.equal(run.status, 2);
    assert.match(run.stderr, expected);
  }
});
