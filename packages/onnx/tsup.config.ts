import { defineConfig } from 'tsup';

const common = { format: 'esm', target: 'node20' } as const;

export default defineConfig([
  { ...common, entry: { index: 'src/index.ts', facts: 'src/proof/facts.ts' }, clean: true },
  // The program of a process of its own.
  { ...common, entry: { 'runtime-process': 'src/proof/runtime-process.ts' } },
]);
