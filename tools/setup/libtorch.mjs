import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { run } from './command.mjs';

/**
 * A libtorch of the machine's own: the one that WINNOW_LIBTORCH names, the one of Python's torch, Debian's.
 * @returns {{ includes: string[], libraries: string, version: string } | undefined}
 */
export function findLibtorch() {
  const named = process.env.WINNOW_LIBTORCH;
  if (named) {
    const found = libtorchIn(resolve(named));
    if (found !== undefined) return found;
    throw new Error(
      `WINNOW_LIBTORCH: expected a folder with include/ATen and lib/libtorch_cpu.so, got ${named}`,
    );
  }
  // Not `import torch`, which takes seconds.
  const code =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")';
  const asked = run('python3', ['-c', code], { timeoutMs: 30_000 });
  const ofPython = asked.ok ? asked.output.trim().split('\n').at(-1) : '';
  return (ofPython ? libtorchIn(ofPython) : undefined) ?? libtorchOfDebian();
}

/** @returns the libtorch in `folder`, as above; undefined if it is no libtorch that can be compiled against. */
export function libtorchIn(folder) {
  return libtorchAt(join(folder, 'include'), join(folder, 'lib'));
}

function libtorchOfDebian() {
  const library = run(process.env.CXX ?? 'g++', ['-print-file-name=libtorch_cpu.so']).output.trim();
  // The compiler answers with the bare name where it finds nothing.
  return library.includes('/') ? libtorchAt('/usr/include', dirname(resolve(library))) : undefined;
}

function libtorchAt(include, libraries) {
  const includes = [include, join(include, 'torch', 'csrc', 'api', 'include')];
  const isWhole = ['ATen/ATen.h', 'c10/core/InferenceMode.h'].every((each) =>
    existsSync(join(include, each)),
  );
  if (!isWhole || !existsSync(join(libraries, 'libtorch_cpu.so'))) return undefined;
  return { includes, libraries, version: versionIn(includes) };
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
