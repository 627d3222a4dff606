import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { complaint, run } from './command.mjs';

/** TensorFlow 2.21 still carries the C API that the tfjs binding (written for 2.9) is compiled against. */
const TENSORFLOW_SERIES = '2.21';
const MACHINES = { x64: 'x86_64', arm64: 'aarch64' };

/** What the binding needs of the wheel; the rest is Python. */
const UNPACK = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist()
        if name.startswith(('tensorflow/libtensorflow', 'tensorflow/include/'))])
`;

/**
 * Why this machine cannot get a native engine, said before anything large is downloaded; undefined when it can.
 * @param needs the commands that are not always needed: `python3` (with pip) to fetch, `make` to build.
 */
export function obstacle(needs = ['python3', 'make']) {
  if (process.platform !== 'linux' || !(process.arch in MACHINES)) {
    return `set-up builds it on Linux (x64, arm64) only, this is ${process.platform} ${process.arch}`;
  }
  const tools = [
    ['python3', ['-m', 'pip', '--version'], 'python3 with pip', 'python3-pip'],
    ['make', ['--version'], 'make', 'build-essential'],
    [process.env.CXX ?? 'g++', ['--version'], 'a C++ compiler', 'build-essential'],
  ];
  for (const [command, args, need, debianPackage] of tools) {
    const isOptional = ['python3', 'make'].includes(command) && !needs.includes(command);
    if (!isOptional && !run(command, args).ok) {
      return `it needs ${need}, which is not here (Debian, Ubuntu: apt install ${debianPackage}), then npm run setup`;
    }
  }
  return undefined;
}

/** Whether an NVIDIA GPU answers. */
export function hasNvidiaGpu() {
  const listed = run('nvidia-smi', ['-L'], { timeoutMs: 20_000 });
  return listed.ok && listed.output.includes('GPU 0');
}

/**
 * The folder that holds, or will hold, one flavour of TensorFlow and the binding compiled against it:
 * `deps/lib` and `tfjs_binding.node`. It lies in the user's cache, so that every clone shares it.
 */
export function cacheFolder(flavour, bindingVersion) {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(
    cache,
    'winnow',
    `tensorflow-${TENSORFLOW_SERIES}-${flavour}-${process.arch}-tfjs-${bindingVersion}`,
  );
}

/**
 * Fills `folder` from the PyPI wheel: all of it or nothing, so that an interrupted set-up leaves nothing half done.
 * `compile(workFolder)` finds `deps/lib` and `deps/include` in its folder and leaves `tfjs_binding.node` there.
 * @throws {Error} in one line, when the wheel cannot be had or the binding does not compile.
 */
export function fillCache(folder, flavour, compile) {
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}.unfinished-`);
  try {
    unpackWheel(work, flavour);
    compile(work);
    rmSync(join(work, 'deps', 'include'), { recursive: true });
    renameSync(work, folder);
  } catch (error) {
    // Another set-up may have finished first: what it made serves as well.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** `tensorflow` is built for CUDA on x64, for the CPU on arm64; `tensorflow-cpu` exists for x64 only. */
function wheelName(flavour) {
  return flavour === 'cpu' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
}

function unpackWheel(work, flavour) {
  const wheelPackage = wheelName(flavour);
  const wheels = join(work, 'wheel');
  // The shared libraries do not depend on the Python that came with them, so any machine takes the same wheel.
  const downloaded = run('python3', [
    ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--retries', '2'],
    ...[
      '--no-deps',
      '--only-binary=:all:',
      '--implementation',
      'cp',
      '--python-version',
      '3.12',
      '--abi',
      'cp312',
    ],
    ...['--platform', `manylinux_2_27_${MACHINES[process.arch]}`, '--dest', wheels],
    `${wheelPackage}==${TENSORFLOW_SERIES}.*`,
  ]);
  if (!downloaded.ok) throw new Error(`pip could not fetch ${wheelPackage}: ${complaint(downloaded.output)}`);
  const [wheel] = readdirSync(wheels);
  const unpacked = run('python3', ['-c', UNPACK, join(wheels, wheel), work]);
  if (!unpacked.ok) throw new Error(`the wheel could not be unpacked: ${complaint(unpacked.output)}`);
  rmSync(wheels, { recursive: true });

  const root = join(work, 'tensorflow');
  const libraries = join(work, 'deps', 'lib');
  mkdirSync(libraries, { recursive: true });
  renameSync(join(root, 'libtensorflow_cc.so.2'), join(libraries, 'libtensorflow_cc.so.2'));
  renameSync(join(root, 'libtensorflow_framework.so.2'), join(libraries, 'libtensorflow_framework.so.2'));
  renameSync(join(root, 'include'), join(work, 'deps', 'include'));
  rmSync(root, { recursive: true });
}
