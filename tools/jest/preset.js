import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/**
 * Every worker computes on one thread, as do the processes that its tests start: several of them share the cores, and threads that wait
 * for one that does not run spin, so that small models took twenty times as long. Native code reads these when it is loaded, from
 * the environment that a worker is started with: tests write to a copy of it.
 */
process.env['OMP_NUM_THREADS'] ??= '1';
process.env['TF_NUM_INTRAOP_THREADS'] ??= '1';
// For the tests that ask for two threads; the engine itself sets these where its process may.
process.env['OMP_WAIT_POLICY'] ??= 'passive';
process.env['GOMP_SPINCOUNT'] ??= '1000';

/** One jest configuration for every package: ES modules, sources of sibling packages, shared typed arrays. */
export default {
  testEnvironment: here('./environment.js'),
  testEnvironmentOptions: { customExportConditions: ['@winnow/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  setupFiles: [here('./property-seed.js')],
  testMatch: ['<rootDir>/{src,test}/**/*.test.ts'],
  testTimeout: 120_000,
  maxWorkers: 2,
  testSequencer: here('./sequencer.js'),
};
