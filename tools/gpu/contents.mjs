import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { nodeHeaders } from './node.mjs';

/**
 * @typedef {object} Entry one file of the archive
 * @property {string} path in the archive
 * @property {string} source on this machine
 * @property {boolean} [isProgram] may be executed
 */

/** npm packages with native code that the bundles leave out: each comes with its dependencies and its Linux binaries. */
export const nativePackages = ['sharp', 'fs-native-extensions'];

/** Packages that the bundles load only where they are asked for, and this archive does not have: exports to DuckDB, TensorFlow. */
export const leftOut = ['@duckdb/node-api', '@tensorflow/tfjs-node-gpu'];

/** The wasm engine's code is in the bundles; where it looks for its binaries, they must be. */
const wasmPackage = 'node_modules/@tensorflow/tfjs-backend-wasm';

const EMOJI_VENDORS = ['google', 'twitter'];

/**
 * Everything but the bundles.
 * @param {string} [node] the unpacked package of Node; without it, its files are left out.
 * @returns {Entry[]}
 */
export function filesOf(root, node) {
  return [
    ...(node === undefined ? [] : nodeFiles(node)),
    ...tree(join(root, 'packages', 'engine-torch', 'addon'), 'addon'),
    ...tree(join(root, 'tools', 'peers'), 'peers').filter(({ path }) => path.endsWith('.py')),
    ...tree(join(root, 'apps', 'winnow', 'presets'), 'presets'),
    { path: 'package.json', source: join(root, 'apps', 'winnow', 'package.json') },
    { path: 'LICENSE', source: join(root, 'LICENSE') },
    { path: 'winnow', source: join(root, 'tools', 'gpu', 'winnow.sh'), isProgram: true },
    // Where the command line looks for the page of a comparison, for the program of its runs, and for the hash of its own code.
    { path: 'dist/page.js', source: join(root, 'packages', 'report', 'dist', 'page.js') },
    { path: 'dist/main.js', source: join(root, 'tools', 'gpu', 'main.mjs') },
    { path: 'dist/training.sha256', source: join(root, 'packages', 'lab', 'dist', 'training.sha256') },
    ...readdirSync(join(root, 'packages')).flatMap((name) => ownPackage(root, name)),
    ...closureOf(root, nativePackages).flatMap((name) => packageFiles(root, name)),
    ...tree(join(root, wasmPackage), wasmPackage).filter(({ path }) =>
      /(package\.json|\.wasm|\.node\.js)$/.test(path),
    ),
    ...EMOJI_VENDORS.flatMap((vendor) => emojiFiles(root, vendor)),
  ];
}

function nodeFiles(node) {
  return [
    { path: 'node/bin/node', source: join(node, 'bin', 'node'), isProgram: true },
    { path: 'node/LICENSE', source: join(node, 'LICENSE') },
    ...nodeHeaders.map((header) => ({
      path: `node/include/node/${header}`,
      source: join(node, 'include', 'node', header),
    })),
  ];
}

/** Declarations, which only a check of types writes: a clone that has been set up has none. */
const DECLARATIONS = 'types';

/** Lists the files that a package of ours ships. They are not run, the bundles are: a run records the hash of the code of its packages. */
export function ownPackage(root, folder) {
  const file = join(root, 'packages', folder, 'package.json');
  const { name, files } = JSON.parse(readFileSync(file, 'utf8'));
  const folders = files.filter((each) => each !== DECLARATIONS);
  return [
    { path: `node_modules/${name}/package.json`, source: file },
    ...folders.flatMap((each) => tree(join(root, 'packages', folder, each), `node_modules/${name}/${each}`)),
  ].filter(({ path }) => !path.endsWith('.map'));
}

/** @returns {string[]} the packages and all that they need, where npm has installed it, in order. */
export function closureOf(root, names, found = new Set()) {
  for (const name of names) {
    const file = join(root, 'node_modules', name, 'package.json');
    // Binaries of other systems are optional dependencies that npm left out.
    if (found.has(name) || !existsSync(file)) continue;
    found.add(name);
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(file, 'utf8'));
    closureOf(root, Object.keys({ ...dependencies, ...optionalDependencies }), found);
  }
  return [...found].toSorted();
}

/** A package without what only other systems, a compiler or a reader of its documentation needs. */
function packageFiles(root, name) {
  const unwanted = /^(prebuilds\/(?!linux-x64\/)|src\/|include\/|.*\.(md|map|ts|cc|c|h)$)/;
  const folder = join(root, 'node_modules', name);
  return tree(folder, `node_modules/${name}`).filter(
    ({ source }) => !unwanted.test(relative(folder, source)) || /LICEN[CS]E/.test(source),
  );
}

/** Lists one vendor's files: the list, its licence, and the drawings that the datasets use. */
function emojiFiles(root, vendor) {
  const name = `emoji-datasource-${vendor}`;
  const folder = join(root, 'node_modules', name);
  const listed = JSON.parse(
    readFileSync(join(root, 'node_modules/emoji-datasource-google/emoji.json'), 'utf8'),
  );
  const drawings = listed
    .filter(({ has_img_google, has_img_twitter }) => has_img_google && has_img_twitter)
    .map(({ image }) => `img/${vendor}/64/${image}`);
  return ['package.json', 'LICENSE', 'emoji.json', ...drawings].map((path) => ({
    path: `node_modules/${name}/${path}`,
    source: join(folder, path),
  }));
}

/** All files below a folder, under another name, in order; folders of packages within it are packages of their own. */
function tree(folder, path) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, file).includes('node_modules'))
    .toSorted()
    .map((source) => ({ path: `${path}/${relative(folder, source)}`, source }));
}
