import { type Options, defineConfig } from 'tsup';

/** Scripts of the page, each file with all that it needs: nothing is fetched from elsewhere. */
const inPage: Options = {
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  noExternal: [/.*/],
  treeshake: true,
  outExtension: () => ({ js: '.js' }),
  // The runtime finds its own files by this, where it is a module; here it is given them.
  define: { 'import.meta.url': 'undefined' },
};

export default defineConfig([
  {
    entry: ['src/index.ts'],
    format: 'esm',
    clean: ['dist/index.*'],
    target: 'node20',
  },
  {
    ...inPage,
    entry: { demo: 'src/page/main.ts' },
    clean: ['dist/demo.js'],
    esbuildOptions: (options) => {
      options.conditions = ['@winnow/source'];
    },
  },
  {
    ...inPage,
    entry: { 'runtime-wasm': 'src/page/runtime-wasm.ts', 'runtime-webgpu': 'src/page/runtime-webgpu.ts' },
    clean: ['dist/runtime-*.js'],
  },
]);
