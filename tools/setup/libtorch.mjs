import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { run } from './command.mjs';

/**
 * @typedef {object} Libtorch what an addon is compiled and linked against
 * @property {string[]} includes
 * @property {string} libraries the folder of its shared libraries
 * @property {string} version
 * @property {boolean} cuda whether it computes on NVIDIA GPUs too
 * @property {string | undefined} blas a library to put before the BLAS that it would take by itself
 * @property {string | undefined} openmp the OpenMP that it brings under a name of its own
 */

/**
 * The libtorch that WINNOW_LIBTORCH names.
 * @returns {Libtorch | undefined}
 * @throws {Error} if it names something else.
 */
export function namedLibtorch() {
  const named = process.env.WINNOW_LIBTORCH;
  if (!named) return undefined;
  const found = libtorchIn(resolve(named));
  if (found !== undefined) return found;
  throw new Error(
    `WINNOW_LIBTORCH: expected a folder with include/ATen and lib/libtorch_cpu.so, got ${named}`,
  );
}

/**
 * The one of the torch that the python3 on the path has.
 * @returns {Libtorch | undefined}
 */
export function libtorchOfPython() {
  // Not `import torch`, which takes seconds.
  const code =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")';
  const asked = run('python3', ['-c', code], { timeoutMs: 30_000 });
  const ofPython = asked.ok ? asked.output.trim().split('\n').at(-1) : '';
  return ofPython ? libtorchIn(ofPython) : undefined;
}

/** @returns {Libtorch | undefined} the libtorch in `folder`, as above; undefined if it is no libtorch that can be compiled against. */
export function libtorchIn(folder) {
  return libtorchAt(join(folder, 'include'), join(folder, 'lib'));
}

/**
 * The one of Debian's package libtorch-dev. Its matrix products are the machine's libblas, which is the slow reference
 * one unless another is installed; OpenBLAS is put before it where it is there.
 * @returns {Libtorch | undefined}
 */
export function libtorchOfDebian() {
  const library = systemLibrary('libtorch_cpu.so');
  const found = library && libtorchAt('/usr/include', dirname(resolve(library)));
  return found && { ...found, blas: systemLibrary('libopenblas.so.0') };
}

/** The path of a library that the compiler knows; it answers with the bare name where it finds nothing. */
function systemLibrary(name) {
  const path = run(process.env.CXX ?? 'g++', [`-print-file-name=${name}`]).output.trim();
  return path.includes('/') ? path : undefined;
}

function libtorchAt(include, libraries) {
  const includes = [include, join(include, 'torch', 'csrc', 'api', 'include')];
  const isWhole = ['ATen/ATen.h', 'c10/core/InferenceMode.h'].every((each) =>
    existsSync(join(include, each)),
  );
  if (!isWhole || !existsSync(join(libraries, 'libtorch_cpu.so'))) return undefined;
  const cuda = ['libtorch_cuda.so', 'libc10_cuda.so'].every((each) => existsSync(join(libraries, each)));
  return { includes, libraries, version: versionIn(includes), cuda, openmp: ownOpenmp(libraries) };
}

function ownOpenmp(libraries) {
  return [libraries, join(libraries, '..', '..', 'torch.libs')]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .find((file) => /libgomp-[0-9a-f]+\.so/.test(file));
}

/** In newer versions the header of the old name only includes the other. */
function versionIn(includes) {
  const files = ['torch/headeronly/version.h', 'torch/version.h'];
  const headers = includes
    .flatMap((folder) => files.map((file) => join(folder, file)))
    .filter((header) => existsSync(header));
  for (const text of headers.map((header) => readFileSync(header, 'utf8'))) {
    const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
      (part) => new RegExp(`define TORCH_VERSION_${part}\\s+(\\d+)`).exec(text)?.[1],
    );
    if (!numbers.includes(undefined)) return numbers.join('.');
  }
  return 'of unknown version';
}
