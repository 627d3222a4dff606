/**
 * Packs what an air-gapped machine with a GPU needs into one archive; `npm run gpu:pack` sets up first. See docs/gpu.md.
 *
 *   node tools/gpu/pack.mjs [--out build/gpu-pack/winnow-gpu.tar.xz] [--check]
 *
 * --check makes the bundles and looks for every file, and writes no archive: no Node is fetched, nothing is compressed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle, testName, tests } from './bundles.mjs';
import { filesOf } from './contents.mjs';
import { nodePackage, providedNode } from './node.mjs';
import { checkedSize } from './size.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'build', 'gpu-pack', 'winnow-gpu.tar.xz') },
    check: { type: 'boolean', default: false },
  },
});

const work = mkdtempSync(join(tmpdir(), 'winnow-gpu-pack-'));
try {
  const entries = [...(await bundlesIn(work)), ...files()];
  console.log(
    values.check ? `${entries.length} files, nothing is missing.` : written(resolve(values.out), entries),
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function bundlesIn(folder) {
  await bundle(root, folder);
  writeFileSync(join(folder, 'tests.json'), JSON.stringify(bundledTests()));
  return readdirSync(folder)
    .toSorted()
    .map((name) => ({ path: `js/${name}`, source: join(folder, name) }));
}

/** For each part of gpu.sh the bundles that it runs. */
function bundledTests() {
  const parts = Object.entries(tests);
  return Object.fromEntries(
    parts.map(([part, paths]) => [part, paths.map((path) => `${testName(path)}.mjs`)]),
  );
}

function files() {
  const entries = filesOf(root, values.check ? undefined : providedNode());
  const missing = entries
    .filter(({ source }) => !existsSync(source))
    .map(({ source }) => relative(root, source));
  if (missing.length > 0)
    throw new Error(`Missing: ${missing.slice(0, 5).join(', ')}; npm run setup makes them.`);
  return entries;
}

function written(archive, entries) {
  mkdirSync(dirname(archive), { recursive: true });
  const script = fileURLToPath(new URL('archive.py', import.meta.url));
  const { status, stderr, error } = spawnSync('python3', [script, archive], {
    input: JSON.stringify(entries),
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(`python3 could not write the archive: ${error?.message ?? stderr.trim()}`);
  const size = checkedSize(statSync(archive).size);
  return `${archive}: Node ${nodePackage.version}, ${entries.length} files, ${size}.`;
}
