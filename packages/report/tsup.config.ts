import { defineConfig } from 'tsup';

export default defineConfig([
  {
    entry: ['src/index.ts'],
    format: 'esm',
    clean: ['dist/index.*'],
    target: 'node20',
  },
  {
    // What runs in the page, with the charts in it: it is put into every page as it is.
    entry: { page: 'src/page/main.ts' },
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    noExternal: [/.*/],
    clean: ['dist/page.*'],
    outExtension: () => ({ js: '.js' }),
  },
]);
