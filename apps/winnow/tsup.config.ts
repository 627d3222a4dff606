import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/main.ts', 'src/cli.ts'],
  format: 'esm',
  clean: true,
  target: 'node20',
  banner: { js: '#!/usr/bin/env node' },
});
