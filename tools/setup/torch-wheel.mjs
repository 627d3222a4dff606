import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { complaint, run } from './command.mjs';
import { libtorchIn } from './libtorch.mjs';
import { obstacle } from './wheel.mjs';

const TORCH_VERSION = '2.13.0';
const MACHINES = { x64: 'x86_64', arm64: 'aarch64' };
/** A slow network must not hold up the set-up, as wasm or TensorFlow serve as well; a GPU is worth a wait. */
const DOWNLOAD_LIMIT_MS = { cpu: 120_000, cuda: 900_000 };

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
const TORCH_PARTS = {
  cpu: String.raw`torch/include/|torch\.libs/|torch/lib/(?!.*(cuda|python|nvshmem|nvrtc|libshm)).*\.so`,
  cuda: String.raw`torch/include/|torch\.libs/|torch/lib/(?!.*(python|libshm)).*\.so`,
};
/** Where NVIDIA's wheels keep their libraries: torch's look there, from where they lie. */
const NVIDIA_PARTS = String.raw`nvidia/.*\.so`;

const flavourFor = (isForGpu) => (isForGpu ? 'cuda' : 'cpu');
const folderIn = (cache, flavour) => join(cache, `libtorch-${TORCH_VERSION}-${flavour}-${process.arch}`);

/** @returns the libtorch that an earlier set-up has left in the user's cache; undefined when there is none. */
export function keptLibtorch(cache, isForGpu) {
  return libtorchIn(join(folderIn(cache, flavourFor(isForGpu)), 'torch'));
}

/**
 * Takes a libtorch from PyPI into the user's cache: all of it or nothing.
 * @throws {Error} in one line, when it cannot be had.
 */
export function libtorchFromWheels(cache, isForGpu) {
  const reason = obstacle(['python3']);
  if (reason !== undefined) throw new Error(reason);
  const flavour = flavourFor(isForGpu);
  const folder = folderIn(cache, flavour);
  const size = isForGpu ? ' with CUDA (some 3 GB)' : '';
  console.log(`torch engine: fetching libtorch ${TORCH_VERSION}${size}, once …`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(`${folder}.unfinished-`);
  try {
    if (isForGpu) unpackAll(work, `torch==${TORCH_VERSION}`);
    else unpackCpuHalf(work);
    renameSync(work, folder);
  } catch (error) {
    // Another set-up may have finished first: what it made serves as well.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const found = keptLibtorch(cache, isForGpu);
  if (found === undefined)
    throw new Error(`the wheel of torch ${TORCH_VERSION} holds no libtorch that we know`);
  return found;
}

function unpackCpuHalf(work) {
  const parts = [[`torch==${TORCH_VERSION}`, TORCH_PARTS.cpu]];
  for (const [wheelPackage, version, library] of CUDA_PARTS[process.arch] ?? []) {
    parts.push([`${wheelPackage}==${version}`, `.*/${library}$`]);
  }
  for (const [requirement, wanted] of parts) {
    for (const wheel of download(work, requirement, ['--no-deps'], DOWNLOAD_LIMIT_MS.cpu)) {
      unpack(work, wheel, wanted);
    }
  }
}

/** torch with both halves, and NVIDIA's libraries that it asks for. */
function unpackAll(work, requirement) {
  for (const wheel of download(work, requirement, [], DOWNLOAD_LIMIT_MS.cuda)) {
    unpack(work, wheel, `${TORCH_PARTS.cuda}|${NVIDIA_PARTS}`);
  }
}

/** @returns the names of the wheels that are in `work`/wheel then. */
function download(work, requirement, options, timeout) {
  const wheels = join(work, 'wheel');
  // The shared libraries do not depend on the Python that came with them, so any machine takes the same wheel.
  // pip takes them by their exact names, and NVIDIA's wheels are built for many.
  const platforms = [
    'manylinux2014',
    ...Array.from({ length: 24 }, (_, index) => `manylinux_2_${index + 5}`),
  ];
  const downloaded = run(
    'python3',
    [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--retries', '2', ...options],
      ...['--only-binary=:all:', '--implementation', 'cp', '--python-version', '3.12', '--abi', 'cp312'],
      ...['--abi', 'abi3', '--abi', 'none', '--platform', 'any'],
      ...platforms.flatMap((platform) => ['--platform', `${platform}_${MACHINES[process.arch]}`]),
      ...['--dest', wheels, requirement],
    ],
    { timeoutMs: timeout },
  );
  if (!downloaded.ok) {
    const hint = 'set WINNOW_LIBTORCH to one you have, or pip install torch';
    throw new Error(`pip could not fetch ${requirement} (${complaint(downloaded.output)}); ${hint}`);
  }
  return readdirSync(wheels);
}

/** Unpacks what is wanted of a wheel, and removes it. */
function unpack(work, wheel, parts) {
  const file = join(work, 'wheel', wheel);
  const unpacked = run('python3', ['-c', UNPACK, file, work, parts]);
  if (!unpacked.ok) throw new Error(`${wheel} could not be unpacked: ${complaint(unpacked.output)}`);
  rmSync(file);
}
