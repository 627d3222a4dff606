import { defineConfig } from 'tsup';

const common = { format: 'esm', target: 'node20' } as const;

export default defineConfig([
  { ...common, entry: ['src/index.ts', 'src/preparation.ts'], clean: true },
  {
    ...common,
    // The program of the threads, with the little of the core that it needs: all of it would load an engine into each.
    entry: { 'picture-worker': 'src/worker/picture-worker.ts' },
    noExternal: ['@winnow/core', 'seedrandom'],
    treeshake: true,
    esbuildOptions: (options) => {
      options.conditions = ['@winnow/source'];
    },
  },
]);
