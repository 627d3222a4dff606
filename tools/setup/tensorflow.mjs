import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { complaint, run } from './command.mjs';
import { changeIn, recordContents, recordedIn, sha256Of } from './content.mjs';
import { hasNvidiaGpu, obstacle } from './machine.mjs';
import { isKept, nativeCache, privateCache, refuseForeign } from './native-cache.mjs';
import { fetchWheels, pinOf, unpackWheel } from './wheels.mjs';

const NAPI_VERSION = 8;
const BINDING = 'tfjs_binding.node';

/**
 * Makes `@tensorflow/tfjs-node-gpu` loadable. npm installs its JavaScript; its native half, a small binding on
 * libtensorflow, is made here.
 *
 * The package's own install script is not tried: it fetches a libtensorflow of 2022 (2.9, CUDA 11) from a host that is
 * no registry, without a time limit where that host is out of reach. The wheel on PyPI is newer and always there.
 *
 * @param {{ wantsCuda: boolean }} options
 * @returns {{ available: boolean, line: string }} one line for the user.
 */
export function provideTensorflow(root, { wantsCuda }) {
  const installed = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  if (!existsSync(installed)) return absent('npm left out its optional package @tensorflow/tfjs-node-gpu');
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const flavour = wantsCuda || hasNvidiaGpu() ? 'cuda' : 'cpu';
  if (isForeign(installed) && bindingLoads(installed)) return present(installed);
  let works = false;
  try {
    const wheel = wheelFor(flavour);
    const folder = folderOf(wheel, flavour, version);
    // Nothing is loaded from a folder that is not as the set-up left it.
    works = isLinked(installed) && bindingLoads(installed);
    if (works && linkedFolder(installed) === folder) return present(installed);
    if (!isKept(folder)) {
      const reason = obstacle();
      if (reason !== undefined) throw new Error(reason);
      console.log(`TensorFlow engine: fetching TensorFlow for ${flavour} and compiling the binding, once …`);
      fillCache(folder, wheel, (work) => compileBinding(root, installed, work));
    }
    link(installed, folder);
    const trial = run(process.execPath, ['-e', TRIAL, installed], {
      environment: { TF_CPP_MIN_LOG_LEVEL: '2' },
    });
    if (!trial.ok) throw new Error(`the binding was built but does not work: ${complaint(trial.output)}`);
    return present(installed);
  } catch (error) {
    // What worked before (the CPU build, when the CUDA one could not be had) still works: `link` comes last.
    if (works && bindingLoads(installed)) return present(installed);
    return absent(error.message);
  }
}

/** Loads the whole package and multiplies two matrices, in a process of its own: a native crash stays there. */
const TRIAL = `
const tf = require(process.argv[1]);
if (tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).sum().dataSync()[0] !== 12) process.exit(1);
`;

function present(installed) {
  const linked = linkedFolder(installed);
  const flavour = linked === undefined ? 'its own build' : linked.includes('-cuda-') ? 'CUDA' : 'CPU';
  return { available: true, line: `tensorflow (${flavour})` };
}

function absent(reason) {
  return { available: false, line: `wasm serves; no tensorflow engine (several times faster): ${reason}` };
}

function bindingPath(installed) {
  return join(installed, 'lib', `napi-v${NAPI_VERSION}`, 'tfjs_binding.node');
}

/** `tensorflow` is built for CUDA on x64, for the CPU on arm64; `tensorflow-cpu` exists for x64 only. */
const wheelFor = (flavour) =>
  pinOf(flavour === 'cpu' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow');

/**
 * The folder that holds, or will hold, one flavour of TensorFlow and the binding compiled against it: `deps/lib` and
 * `tfjs_binding.node`. It lies in the user's cache, so that every clone shares it, and is named by the wheel.
 */
const folderOf = ({ version, sha256 }, flavour, bindingVersion) =>
  join(
    nativeCache(),
    `tensorflow-${version}-${flavour}-${process.arch}-${sha256.slice(0, 8)}-tfjs-${bindingVersion}`,
  );

/** Opening the binding alone takes a third of a second; loading the whole package would take twice that. */
function bindingLoads(installed) {
  const binding = bindingPath(installed);
  if (!existsSync(binding)) return false;
  const code = 'process.dlopen({ exports: {} }, process.argv[1])';
  return run(process.execPath, ['-e', code, binding], { timeoutMs: 60_000 }).ok;
}

/**
 * Whether the package is linked to a folder of the cache that is as the set-up left it, and its binding is the one from
 * there.
 */
function isLinked(installed) {
  const folder = linkedFolder(installed);
  if (folder === undefined || !existsSync(folder) || !existsSync(bindingPath(installed))) return false;
  refuseForeign(folder);
  return changeIn(folder) === undefined && sha256Of(bindingPath(installed)) === recordedIn(folder, BINDING);
}

/** The cache folder that an earlier set-up linked, undefined where the libraries lie in the package itself. */
function linkedFolder(installed) {
  const link = join(installed, 'deps');
  const isLink = lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? dirname(readlinkSync(link)) : undefined;
}

/** A binding that the user built is left as it is. */
function isForeign(installed) {
  return linkedFolder(installed) === undefined;
}

/**
 * Fills `folder` from a wheel: all of it or nothing, so that an interrupted set-up leaves nothing half done.
 * `compile(workFolder)` finds `deps/lib` and `deps/include` in its folder and leaves the binding there.
 * @throws {Error} in one line, when the wheel cannot be had, is not the one that is pinned, or the binding does not compile.
 */
function fillCache(folder, wheel, compile) {
  privateCache();
  const work = mkdtempSync(`${folder}.unfinished-`);
  try {
    unpackTensorflow(work, wheel);
    compile(work);
    rmSync(join(work, 'deps', 'include'), { recursive: true });
    recordContents(work);
    renameSync(work, folder);
  } catch (error) {
    // Another set-up may have finished first: what it made serves as well.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Takes what the binding needs of a wheel; the rest is Python. */
function unpackTensorflow(work, wheel) {
  const [file] = fetchWheels(join(work, 'wheel'), [wheel]);
  unpackWheel(file, work, 'tensorflow/libtensorflow|tensorflow/include/');
  rmSync(join(work, 'wheel'), { recursive: true });

  const root = join(work, 'tensorflow');
  const libraries = join(work, 'deps', 'lib');
  mkdirSync(libraries, { recursive: true });
  for (const library of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
    renameSync(join(root, library), join(libraries, library));
  renameSync(join(root, 'include'), join(work, 'deps', 'include'));
  rmSync(root, { recursive: true });
}

function link(installed, folder) {
  const binding = bindingPath(installed);
  mkdirSync(dirname(binding), { recursive: true });
  // Renaming, not overwriting: a running process may have the old file mapped.
  copyFileSync(join(folder, BINDING), `${binding}.new`);
  renameSync(`${binding}.new`, binding);
  // The binding looks for its libraries in ../../deps/lib, seen from itself.
  const libraries = join(installed, 'deps');
  rmSync(libraries, { recursive: true, force: true });
  symlinkSync(join(folder, 'deps'), libraries);
}

/** Compiles the package's own C++ sources in `work`, against the libraries and headers in `work/deps`. */
function compileBinding(root, installed, work) {
  const sources = join(work, 'binding');
  cpSync(join(installed, 'binding'), join(sources, 'binding'), { recursive: true });
  for (const file of ['binding.gyp', 'package.json'])
    copyFileSync(join(installed, file), join(sources, file));
  const libraries = join(sources, 'deps', 'lib');
  mkdirSync(libraries, { recursive: true });
  symlinkSync(join(work, 'deps', 'include'), join(sources, 'deps', 'include'));
  // The linker is asked for the names that the C library of TensorFlow has; the wheel's libraries carry the same API.
  symlinkSync(join(work, 'deps', 'lib', 'libtensorflow_cc.so.2'), join(libraries, 'libtensorflow.so'));
  const framework = join(work, 'deps', 'lib', 'libtensorflow_framework.so.2');
  symlinkSync(framework, join(libraries, 'libtensorflow_framework.so'));

  const gyp = createRequire(join(root, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
  const built = join(sources, 'built');
  const compiled = run(
    process.execPath,
    [
      ...[gyp, 'rebuild', ...nodeHeaders(), '--module_name=tfjs_binding', `--module_path=${built}`],
      `--napi_build_version=${NAPI_VERSION}`,
    ],
    { cwd: sources },
  );
  if (!compiled.ok) throw new Error(`the binding did not compile: ${complaint(compiled.output)}`);
  renameSync(join(built, BINDING), join(work, BINDING));
  rmSync(sources, { recursive: true });
}

/** Headers that came with the running Node spare node-gyp a download. */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : [];
}
