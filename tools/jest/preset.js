import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

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
