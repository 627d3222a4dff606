import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { complaint, run } from './command.mjs';
import { libtorchIn } from './libtorch.mjs';

const TORCH_VERSION = '2.13.0';
const MACHINES = { x64: 'x86_64', arm64: 'aarch64' };
/** A slow network must not hold up the set-up: wasm or TensorFlow serve as well. */
const DOWNLOAD_LIMIT_MS = 120_000;

/** On x64 the wheel is built for CUDA. Its CPU half is linked against these two, small ones; their version is the wheel's. */
const CUDA_PARTS = {
  x64: [
    ['nvidia-cuda-runtime', '13.0.*', 'libcudart.so.13'],
    ['nvidia-cuda-cupti', '13.0.*', 'libcupti.so.13'],
  ],
};

/** The rest of a wheel is Python, and what only a GPU needs: 500 of 950 MB. */
const UNPACK = `
import re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if re.match(sys.argv[3], name)])
`;
const TORCH_PARTS = String.raw`torch/include/|torch\.libs/|torch/lib/(?!.*(cuda|python|nvshmem|nvrtc|libshm)).*\.so`;

/**
 * The libtorch in the user's cache, taken from PyPI when it is not there yet: all of it or nothing.
 * @throws {Error} in one line, when it cannot be had.
 */
export function libtorchFromWheels(cache) {
  const folder = join(cache, `libtorch-${TORCH_VERSION}-cpu-${process.arch}`);
  const kept = libtorchIn(join(folder, 'torch'));
  if (kept !== undefined) return kept;

  console.log(`torch engine: fetching libtorch ${TORCH_VERSION}, once …`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(`${folder}.unfinished-`);
  try {
    unpackWheel(work, `torch==${TORCH_VERSION}`, TORCH_PARTS);
    for (const [wheelPackage, version, library] of CUDA_PARTS[process.arch] ?? []) {
      unpackWheel(work, `${wheelPackage}==${version}`, `.*/${library}$`);
    }
    renameSync(work, folder);
  } catch (error) {
    // Another set-up may have finished first: what it made serves as well.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const found = libtorchIn(join(folder, 'torch'));
  if (found === undefined)
    throw new Error(`the wheel of torch ${TORCH_VERSION} holds no libtorch that we know`);
  return found;
}

function unpackWheel(work, requirement, parts) {
  const wheels = join(work, 'wheel');
  // The shared libraries do not depend on the Python that came with them, so any machine takes the same wheel.
  const downloaded = run(
    'python3',
    [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--retries', '2', '--no-deps'],
      ...['--only-binary=:all:', '--implementation', 'cp', '--python-version', '3.12', '--abi', 'cp312'],
      ...['--abi', 'none', '--platform', `manylinux_2_28_${MACHINES[process.arch]}`],
      ...['--platform', `manylinux_2_25_${MACHINES[process.arch]}`],
      ...['--platform', `manylinux_2_17_${MACHINES[process.arch]}`, '--dest', wheels, requirement],
    ],
    { timeoutMs: DOWNLOAD_LIMIT_MS },
  );
  if (!downloaded.ok) {
    const hint = 'set WINNOW_LIBTORCH to one you have, or pip install torch';
    throw new Error(`pip could not fetch ${requirement} (${complaint(downloaded.output)}); ${hint}`);
  }
  const [wheel] = readdirSync(wheels);
  const unpacked = run('python3', ['-c', UNPACK, join(wheels, wheel), work, parts]);
  if (!unpacked.ok) throw new Error(`${requirement} could not be unpacked: ${complaint(unpacked.output)}`);
  rmSync(wheels, { recursive: true });
}
