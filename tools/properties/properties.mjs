/**
 * Searches new cases of all property tests: they run once for every seed, where CI runs them with one.
 *
 *   npm run properties -- --seeds 50 [--first 2] [--only core/test/model]
 *
 * --first is the first seed, which CI does not use; --only takes the tests whose paths hold these words. It ends with exit
 * code 1 when a test has failed, and tells how to run it again.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { outcomeOf, propertyTests, seedsIn } from './runs.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const jest = fileURLToPath(new URL('../../node_modules/jest/bin/jest.js', import.meta.url));

const { seeds, only } = read();
const tests = propertyTests(root).filter(({ files }) => files.length > 0);
const chosen = tests
  .map(({ folder, files }) => ({ folder, files: files.filter((file) => `${folder}/${file}`.includes(only)) }))
  .filter(({ files }) => files.length > 0);
if (chosen.length === 0) refuse(`--only: expected a part of the path of a property test, got "${only}"`);

const failures = [];
for (const seed of seeds) {
  let passed = 0;
  for (const { folder, files } of chosen) {
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, '--json'],
        ...['--runTestsByPath', ...files],
      ],
      {
        cwd: `${root}/${folder}`,
        env: { ...process.env, WINNOW_TEST_SEED: String(seed) },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 2 ** 28,
      },
    );
    const outcome = outcomeOf(stdout, status);
    passed += outcome.passed;
    for (const failure of outcome.failures) {
      failures.push({ seed, folder, ...failure });
      console.log(`seed ${seed}: ${folder}: ${failure.name}\n  ${failure.reason}`);
      console.log(`  again: cd ${folder} && WINNOW_TEST_SEED=${seed} npm test -- ${failure.file}`);
    }
  }
  console.log(`seed ${seed}: ${passed} tests passed`);
}
console.log(
  failures.length === 0
    ? `no failure in ${seeds.length} seeds`
    : `${failures.length} failures in ${seeds.length} seeds`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

function read() {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string', default: '10' },
        first: { type: 'string', default: '2' },
        only: { type: 'string', default: '' },
      },
    });
    return { seeds: seedsIn(values), only: values.only };
  } catch (error) {
    return refuse(error.message);
  }
}

function refuse(message) {
  console.error(message);
  process.exit(2);
}
