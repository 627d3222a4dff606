import { join } from 'node:path';
import { build } from 'esbuild';
import { leftOut, nativePackages } from './contents.mjs';

/** Name of the bundle → its file. The parts of gpu.sh are run by the first of them. */
export const programs = {
  run: 'tools/gpu/run.mjs',
  bench: 'tools/bench/bench.mjs',
  worker: 'tools/bench/worker.mjs',
  issue: 'tools/gpu/probes/issue.mjs',
  winnow: 'apps/winnow/dist/main.js',
  // The program of the threads for pictures, which their pool looks for beside itself.
  'picture-worker': 'packages/data/dist/picture-worker.js',
};

/** The tests that run on the GPU, by the part of gpu.sh that runs them: kernels by themselves, then laws of small models. */
export const tests = {
  tests: [
    ...['fused', 'kernels', 'units', 'adamw', 'backend'].map((name) => `packages/engine-torch/test/${name}`),
    ...['sublayers', 'operations', 'unit-operations', 'assemble-columns'].map(
      (name) => `packages/core/test/operations/${name}`,
    ),
    'packages/share-and-prune/test/recurrent',
  ],
  // The short ones first: a lease may end within those of the methods.
  laws: [
    ...['compact', 'any-model', 'forward', 'dual-encoder', 'ties'].map(
      (name) => `packages/core/test/model/${name}`,
    ),
    ...['train', 'donation', 'adversary'].map((name) => `packages/core/test/train/${name}`),
    ...['share-and-prune', 'lottery-ticket', 'upop'].map((name) => `packages/${name}/test/conformance`),
  ],
};

/** packages/core/test/model/compact → core-compact */
export const testName = (path) => path.replace(/^packages\/([^/]+)\/.*\/([^/]+)$/, '$1-$2');

/**
 * Bundles programs, of what has been built, and tests, of the sources, into `folder`, one beside the other: there they need no node_modules but the native ones.
 * @throws {Error} if one does not bundle.
 */
export async function bundle(root, folder) {
  const entries = (record) =>
    Object.fromEntries(Object.entries(record).map(([name, path]) => [name, join(root, path)]));
  await build({ ...shared(folder), entryPoints: entries(programs) });
  const paths = Object.values(tests).flat();
  await build({
    ...shared(folder),
    entryPoints: entries(Object.fromEntries(paths.map((path) => [testName(path), `${path}.test.ts`]))),
    conditions: ['@winnow/source'],
    inject: [join(root, 'tools/gpu/tests/globals.mjs')],
    alias: { '@winnow/engine': join(root, 'tools/gpu/tests/engine.mjs') },
  });
}

/** Names that CommonJS packages ask for at run time, and ES modules do not have. */
const COMMONJS = [
  "import { createRequire as createRequireOfBundle } from 'node:module';",
  "import { dirname as dirnameOfBundle } from 'node:path';",
  "import { fileURLToPath as pathOfBundle } from 'node:url';",
  'const require = createRequireOfBundle(import.meta.url);',
  'const fileOfBundle = pathOfBundle(import.meta.url);',
  'const folderOfBundle = dirnameOfBundle(fileOfBundle);',
].join('\n');

/** By definitions and not by constants of these names: a module that declares one of them for itself, as yargs does, keeps its own. */
const define = { __filename: 'fileOfBundle', __dirname: 'folderOfBundle' };

const shared = (outdir) => ({
  outdir,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  splitting: true,
  // All in one folder: modules find files by their place relative to it.
  entryNames: '[name]',
  chunkNames: 'chunk-[hash]',
  outExtension: { '.js': '.mjs' },
  external: [...nativePackages, ...leftOut],
  banner: { js: COMMONJS },
  define,
  logLevel: 'warning',
  // Parts of a package that are imported for nothing but their order, in builds of packages that have no side effects.
  logOverride: { 'ignored-bare-import': 'silent' },
});
