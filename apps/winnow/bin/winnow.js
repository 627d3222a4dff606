#!/usr/bin/env node
// npm links an executable only if its file is there at install time, which is before the build: hence this one, which is
// not built.
import { existsSync } from 'node:fs';

const program = new URL('../dist/main.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  console.error(
    'winnow: not built yet; run `npm run setup` in the clone, or `npm run build` there once it is set up',
  );
  process.exitCode = 2;
}
