import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { recordContents } from './content.mjs';
import { libtorchIn } from './libtorch.mjs';
import { obstacle } from './machine.mjs';
import { isKept, nativeCache, privateCache } from './native-cache.mjs';
import { fetchWheels, pinOf, pinnedWheels, unpackWheel } from './wheels.mjs';

/** A slow network must not hold up the set-up, as wasm or TensorFlow serve as well; a GPU is worth a wait. */
const DOWNLOAD_LIMIT_MS = { cpu: 120_000, cuda: 900_000 };
const HINT = 'set WINNOW_LIBTORCH to one you have, or pip install torch';

/** The wheels are built for CUDA. Their CPU half is linked against these two, small ones. */
const CUDA_PARTS = { 'nvidia-cuda-runtime': 'libcudart.so.13', 'nvidia-cuda-cupti': 'libcupti.so.13' };

/** The rest of a wheel is Python, and what only a GPU needs: 500 of 950 MB. */
const TORCH_PARTS = {
  cpu: String.raw`torch/include/|torch\.libs/|torch/lib/(?!.*(cuda|python|nvshmem|nvrtc|libshm)).*\.so`,
  cuda: String.raw`torch/include/|torch\.libs/|torch/lib/(?!.*(python|libshm)).*\.so`,
};
/** Where NVIDIA's wheels keep their libraries: torch's look there, from where they lie. */
const NVIDIA_PARTS = String.raw`nvidia/.*\.so`;

const flavourFor = (isForGpu) => (isForGpu ? 'cuda' : 'cpu');

/** Lists the parts of a flavour: each wheel, and the files that are unpacked of it. */
function partsOf(flavour) {
  const torch = [pinOf('torch'), TORCH_PARTS[flavour]];
  if (flavour === 'cpu')
    return [torch, ...Object.entries(CUDA_PARTS).map(([name, library]) => [pinOf(name), `.*/${library}$`])];
  const nvidia = pinnedWheels().filter(({ name }) => name.startsWith('nvidia-'));
  return [torch, ...nvidia.map((pin) => [pin, NVIDIA_PARTS])];
}

/** Named by the wheel, so that another one makes another folder. */
function folderOf(flavour) {
  const { version, sha256 } = pinOf('torch');
  return join(nativeCache(), `libtorch-${version}-${flavour}-${process.arch}-${sha256.slice(0, 8)}`);
}

/**
 * @returns the libtorch that an earlier set-up has left in the user's cache; undefined when there is none, or it was changed.
 * @throws {Error} when others may write there.
 */
export function keptLibtorch(isForGpu) {
  const folder = folderOf(flavourFor(isForGpu));
  return isKept(folder) ? libtorchIn(join(folder, 'torch')) : undefined;
}

/**
 * Takes a libtorch from PyPI into the user's cache: all of it or nothing.
 * @throws {Error} in one line, when it cannot be had, or is not the one that is pinned.
 */
export function libtorchFromWheels(isForGpu) {
  const reason = obstacle(['python3']);
  if (reason !== undefined) throw new Error(reason);
  const flavour = flavourFor(isForGpu);
  const parts = partsOf(flavour);
  privateCache();
  const folder = folderOf(flavour);
  const { version } = pinOf('torch');
  const size = isForGpu ? ' with CUDA (some 3 GB)' : '';
  console.log(`torch engine: fetching libtorch ${version}${size}, once …`);
  const work = mkdtempSync(`${folder}.unfinished-`);
  try {
    const pins = parts.map(([pin]) => pin);
    const wheels = fetched(join(work, 'wheel'), pins, DOWNLOAD_LIMIT_MS[flavour]);
    wheels.forEach((wheel, index) => unpackWheel(wheel, work, parts[index][1]));
    rmSync(join(work, 'wheel'), { recursive: true });
    recordContents(work);
    renameSync(work, folder);
  } catch (error) {
    // Another set-up may have finished first: what it made serves as well.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const found = keptLibtorch(isForGpu);
  if (found === undefined) throw new Error(`the wheel of torch ${version} holds no libtorch that we know`);
  return found;
}

function fetched(folder, pins, timeoutMs) {
  try {
    return fetchWheels(folder, pins, { timeoutMs });
  } catch (error) {
    throw new Error(`${error.message}; ${HINT}`, { cause: error });
  }
}
