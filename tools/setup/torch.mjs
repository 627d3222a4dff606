import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { complaint, run } from './command.mjs';
import { sha256Of } from './content.mjs';
import { libtorchOfDebian, libtorchOfPython, namedLibtorch } from './libtorch.mjs';
import { hasNvidiaGpu, obstacle } from './machine.mjs';
import { privateCache, refuseForeign } from './native-cache.mjs';
import { keptLibtorch, libtorchFromWheels } from './torch-wheel.mjs';

const NAPI_VERSION = 8;
/** Our kernels are written with the compiler's vectors and, where the processor has them, its matrix tiles. */
const OPTIMIZATION = ['-O3', '-march=native', '-fno-math-errno'];

/**
 * Builds the addon of `packages/engine-torch` against the libtorch that is here, or against one from PyPI.
 * The addon that was built is kept in the user's cache, by the contents of the sources and by the libtorch, for every clone, with
 * its SHA-256, which is checked before it is taken from there.
 * Where an NVIDIA GPU answers, or is asked for, and the libtorch has the CUDA half, the addon has it too.
 * @param {{ wantsCuda?: boolean }} options
 * @returns {{ available: boolean, line: string }} one line for the user.
 */
export function provideTorch(root, options = {}) {
  return provideTorchIn(join(root, 'packages', 'engine-torch'), options);
}

/** The same where `addon` with the sources, and then `build`, are in any other folder. */
export function provideTorchIn(engine, { wantsCuda = false } = {}) {
  try {
    const reason = obstacle([]);
    if (reason !== undefined) throw new Error(reason);
    const isForGpu = wantsCuda || hasNvidiaGpu();
    const found = isForGpu ? libtorchWithCuda() : anyLibtorch(false);
    const libtorch = { ...found, cuda: found.cuda && isForGpu };
    const key = keyOf(engine, libtorch);
    const kept = join(privateCache(), `torch-addon-${key}.node`);
    let sha256 = keptAddon(kept);
    if (sha256 === undefined) {
      console.log(`torch engine: compiling its addon for libtorch ${libtorch.version}, once …`);
      compile(engine, libtorch, kept);
      sha256 = sha256Of(kept);
      writeFileSync(`${kept}.sha256`, sha256);
    }
    install(engine, `${key} ${sha256}`, kept);
    return { available: true, line: `torch ${libtorch.version} (${libtorch.cuda ? 'CPU and CUDA' : 'CPU'})` };
  } catch (error) {
    return { available: false, line: `no torch engine (the fastest): ${error.message}` };
  }
}

/** With CUDA; where that cannot be had, what is here for the CPU is better than nothing. */
function libtorchWithCuda() {
  try {
    return anyLibtorch(true);
  } catch (error) {
    const forCpu = libtorchHere(false);
    if (forCpu === undefined) throw error;
    console.log(`torch engine: on the CPU only, ${error.message}`);
    return forCpu;
  }
}

const anyLibtorch = (isForGpu) => libtorchHere(isForGpu) ?? libtorchFromWheels(isForGpu);

/** Takes the machine's own before a download, and one that was fetched once before Debian's, which is slower. */
function libtorchHere(isForGpu) {
  return (
    namedLibtorch() ??
    libtorchOfPython() ??
    keptLibtorch(isForGpu) ??
    // Debian builds it for the CPU only.
    (isForGpu ? undefined : libtorchOfDebian())
  );
}

/**
 * The SHA-256 of an addon that an earlier set-up compiled; undefined when there is none, or it is not what was compiled.
 * @throws {Error} when others may write there.
 */
export function keptAddon(file) {
  if (!existsSync(file) || !existsSync(`${file}.sha256`)) return undefined;
  refuseForeign(file);
  const sha256 = sha256Of(file);
  if (readFileSync(`${file}.sha256`, 'utf8') === sha256) return sha256;
  console.log(`${file} is not what the set-up compiled; compiling it anew …`);
  return undefined;
}

function sourcesOf(engine) {
  const addon = join(engine, 'addon');
  return readdirSync(addon)
    .toSorted()
    .map((file) => join(addon, file));
}

function keyOf(engine, libtorch) {
  const hash = createHash('sha256');
  for (const source of sourcesOf(engine)) hash.update(basename(source)).update(readFileSync(source));
  hash.update(JSON.stringify([libtorch, process.arch, NAPI_VERSION, OPTIMIZATION]));
  // Built for this very processor: a cache that several machines share has an addon for each kind.
  hash.update(run(compiler(), ['--version']).output);
  hash.update(run(compiler(), ['-march=native', '-Q', '--help=target']).output);
  hash.update(processorFeatures());
  return hash.digest('hex').slice(0, 16);
}

const compiler = () => process.env.CXX ?? 'g++';

/** Reads Linux's words about the processor, for compilers that do not say what they take `native` for. */
function processorFeatures() {
  if (!existsSync('/proc/cpuinfo')) return '';
  const lines = readFileSync('/proc/cpuinfo', 'utf8').split('\n');
  return [...new Set(lines.filter((line) => /^(flags|Features|CPU part)\s*:/.test(line)))].join('\n');
}

/** Where the engine looks for it, with a note of what it was made from and of its SHA-256. */
function install(engine, madeFrom, kept) {
  const build = join(engine, 'build');
  const [addon, note] = [join(build, 'winnow_torch.node'), join(build, 'made-from')];
  const isNoted = existsSync(addon) && existsSync(note) && readFileSync(note, 'utf8') === madeFrom;
  if (isNoted && madeFrom.endsWith(sha256Of(addon))) return;
  mkdirSync(build, { recursive: true });
  // Renaming, not overwriting: a running process may have the old file mapped.
  copyFileSync(kept, `${addon}.new`);
  if (!madeFrom.endsWith(sha256Of(`${addon}.new`))) throw new Error(`${kept} changed while it was copied`);
  renameSync(`${addon}.new`, addon);
  writeFileSync(note, madeFrom);
}

function compile(engine, libtorch, into) {
  const headers = join(dirname(dirname(process.execPath)), 'include', 'node');
  if (!existsSync(join(headers, 'node_api.h'))) {
    throw new Error(`it needs the headers of Node, and found none beside ${basename(process.execPath)}`);
  }
  const work = mkdtempSync(join(tmpdir(), 'winnow-torch-'));
  const made = join(work, 'addon.node');
  try {
    writeFileSync(join(work, 'signatures.h'), signaturesHeader(engine));
    const options = [
      ...[...OPTIMIZATION, '-fPIC', '-shared', '-fopenmp', `-DNAPI_VERSION=${NAPI_VERSION}`],
      `-D_GLIBCXX_USE_CXX11_ABI=${hasNewStrings(libtorch) ? 1 : 0}`,
      `-I${work}`,
      ...[headers, ...libtorch.includes].map((folder) => `-isystem${folder}`),
      ...[join(engine, 'addon', 'addon.cc'), '-o', made],
      ...(libtorch.cuda ? ['-DWINNOW_CUDA'] : []),
      // No symbol of these is named here: what they are for happens when they are loaded.
      '-Wl,--no-as-needed',
      ...(libtorch.blas === undefined ? [] : [libtorch.blas]),
      `-L${libtorch.libraries}`,
      ...(libtorch.cuda ? ['-ltorch_cuda', '-lc10_cuda'] : []),
      ...(libtorch.openmp === undefined ? [] : [`-Wl,-rpath,${openmpFolder(libtorch.openmp)}`]),
      ...['-Wl,--as-needed', '-ltorch_cpu', '-lc10', `-Wl,-rpath,${libtorch.libraries}`],
    ];
    // Headers of libtorch are written for C++17 for long, and for C++20 some day.
    const attempt = (standard) => run(compiler(), [`-std=${standard}`, ...options]);
    const older = attempt('c++17');
    const compiled = older.ok ? older : attempt('c++20');
    if (!compiled.ok) throw new Error(`its addon did not compile: ${complaint(older.output)}`);
    const trial = run(process.execPath, ['-e', TRIAL, made], { timeoutMs: 60_000 });
    if (!trial.ok) throw new Error(`its addon was built but does not work: ${complaint(trial.output)}`);
    // By way of the same folder: a rename is all or nothing only within one file system.
    copyFileSync(made, `${into}.new`);
    renameSync(`${into}.new`, into);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Writes the signatures, declared once for both halves of a kernel, for C++. */
function signaturesHeader(engine) {
  const { arguments: kinds } = JSON.parse(readFileSync(join(engine, 'addon', 'signatures.json'), 'utf8'));
  const entries = Object.entries(kinds).map(([name, each]) => `    {"${name}", "${each}"},`);
  return [
    '#pragma once',
    'namespace winnow {',
    'struct Signature {',
    '  const char *name, *kinds;',
    '};',
    'constexpr Signature kSignatures[] = {',
    ...entries,
    '};',
    '}',
    '',
  ].join('\n');
}

/**
 * Some wheels call their OpenMP libgomp-<hash>.so, while the addon asks for libgomp.so.1: a folder in which the one is
 * found as the other. Otherwise both were loaded, and what one is told about threads the other would not know.
 */
function openmpFolder(library) {
  const hash = createHash('sha256').update(library).digest('hex').slice(0, 16);
  const folder = join(privateCache(), `openmp-${hash}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  refuseForeign(folder);
  const link = join(folder, 'libgomp.so.1');
  const isLink = lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  if (isLink && readlinkSync(link) === library) return folder;
  rmSync(link, { recursive: true, force: true });
  symlinkSync(library, link);
  return folder;
}

/** Loads the addon and uploads a tensor, in a process of its own: a native crash stays there. */
const TRIAL = `
const module = { exports: {} };
process.dlopen(module, process.argv[1]);
const slots = new Float64Array(64);
module.exports.connect(slots, 1, 'f32', 'cpu', 'own');
slots.set([0, 1, 3]);
module.exports.upload(Float32Array.of(1, 2, 3));
const back = new Float32Array(3);
module.exports.read(slots[1], back);
if (back[2] !== 3) process.exit(1);
`;

/** Wheels before 2.6 were built with the strings of an older C++: a compile has to do the same. One function tells. */
function hasNewStrings({ libraries }) {
  return !readFileSync(join(libraries, 'libc10.so')).includes('_ZN3c106DeviceC1ERKSs');
}
