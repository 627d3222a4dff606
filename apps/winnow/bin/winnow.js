#!/usr/bin/env node
// npm links an executable only if its file is there at install time, which is before the build: hence this one, which is
// not built.
const { existsSync } = process.getBuiltinModule('node:fs');
const { availableParallelism } = process.getBuiltinModule('node:os');
const { join } = process.getBuiltinModule('node:path');
const { pathToFileURL } = process.getBuiltinModule('node:url');

// Pictures are decoded on libuv's threads, of which there are four unless this says otherwise. It is read when the first of them
// is needed: to load a module. So it is said here, and this file is a script and no module.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

const program = join(__dirname, '..', 'dist', 'main.js');
if (existsSync(program)) {
  import(pathToFileURL(program).href);
} else {
  console.error(
    'winnow: not built yet; run `npm run setup` in the clone, or `npm run build` there once it is set up',
  );
  process.exitCode = 2;
}
