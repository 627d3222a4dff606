import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { obstacle } from '../src/index';

const core = fileURLToPath(new URL('../../core', import.meta.url));
const jest = fileURLToPath(new URL('../../../node_modules/jest/bin/jest.js', import.meta.url));
const whereBuilt = obstacle() === undefined ? it : it.skip;

interface Outcome {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

/** Runs the core's tests of the sub-layers whose names match, in a process of its own. */
function testsOfCore(pattern: string, wish: Readonly<Record<string, string>>) {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const tests = [jest, 'test/operations/sublayers', '--testNamePattern', pattern, '--runInBand', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, ...tests], {
    cwd: core,
    // Two threads, as some kernels take another way when they share their work.
    env: { ...process.env, OMP_NUM_THREADS: '2', ...wish },
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  const outcome = JSON.parse(stdout) as Outcome;
  return { status, ...outcome, errors: status === 0 ? '' : stderr };
}

const inBoth = '^sub-layers on torch ';
const inBf16 = '^sub-layers on torch in bf16 ';

// The core's own tests run on the tiles where the processor has them. The addon decides once per process.
whereBuilt.each([
  ["without the processor's tiles", inBoth, { WINNOW_TILES: 'off' }],
  // f32 has been in plain lanes already: it has no pairs.
  ['in plain lanes', inBf16, { WINNOW_TILES: 'off', WINNOW_PAIRS: 'off' }],
  ["on libtorch's kernels, as on a GPU", inBoth, { WINNOW_KERNELS: 'libtorch' }],
])("the core's tests of the sub-layers pass %s", (_, pattern, wish) => {
  const { status, numPassedTests, numFailedTests, errors } = testsOfCore(pattern, wish);
  expect({ status, numFailedTests, errors }).toEqual({ status: 0, numFailedTests: 0, errors: '' });
  // A pattern that matches nothing passes, too: those of one precision are more than thirty.
  expect(numPassedTests).toBeGreaterThan(30);
});
