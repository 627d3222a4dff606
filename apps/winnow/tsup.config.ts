import { defineConfig } from 'tsup';

export default defineConfig({
  // The program, and the function behind it for tools that give many commands in one process.
  entry: ['src/main.ts', 'src/cli.ts'],
  format: 'esm',
  clean: true,
  target: 'node20',
  banner: { js: '#!/usr/bin/env node' },
});
