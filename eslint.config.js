import { join } from 'node:path';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { coreFloors } from './tools/lint/floors.mjs';
import { imports } from './tools/lint/imports.mjs';

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/.nx/**',
      '**/runs/**',
      '**/generated/**',
      'packages/*/types/**',
    ],
  },
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  { plugins: { '@nx': nx } },
  {
    files: ['**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          allow: [],
          depConstraints: [
            { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:lab', 'type:core'] },
            { sourceTag: 'type:lab', onlyDependOnLibsWithTags: ['type:method', 'type:core'] },
            { sourceTag: 'type:method', onlyDependOnLibsWithTags: ['type:core'] },
            { sourceTag: 'type:core', onlyDependOnLibsWithTags: ['type:core'] },
          ],
        },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'Name what you export: no `export *`.' },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['packages/**/*.ts', 'apps/**/*.ts'],
    plugins: { imports },
    rules: { 'imports/no-circles': 'error' },
  },
  {
    // Packages are for programs without a terminal: they return, throw, and tell whoever looks on.
    files: ['packages/*/src/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: ['cli-progress', 'cli-table3', 'yargs'] }],
      'no-restricted-properties': [
        'error',
        ...['exit', 'exitCode', 'stdout', 'stderr', 'argv'].map((property) => ({
          object: 'process',
          property,
          message: 'Only the app has a command line and a terminal.',
        })),
      ],
    },
  },
  {
    files: ['packages/core/src/**/*.ts'],
    rules: {
      'imports/floors': [
        'error',
        { root: join(import.meta.dirname, 'packages/core/src'), floors: coreFloors },
      ],
    },
  },
  {
    // Casts live in one place: the tree functions, which map records of one type onto records of the same shape.
    files: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
    ignores: ['packages/core/src/tree/**', '**/*.test.ts'],
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
    },
  },
);
