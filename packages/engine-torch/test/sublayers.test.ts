import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { obstacle } from '../src/index';

const core = fileURLToPath(new URL('../../core', import.meta.url));
const jest = fileURLToPath(new URL('../../../node_modules/jest/bin/jest.js', import.meta.url));
const whereBuilt = obstacle() === undefined ? it : it.skip;

// The core's own tests run on the tiles where the processor has them. The addon decides once per process.
whereBuilt.each([
  ["without the processor's tiles", { WINNOW_TILES: 'off' }],
  ["on libtorch's kernels, as on a GPU", { WINNOW_KERNELS: 'libtorch' }],
])("the core's tests of the sub-layers pass %s", (_, wish) => {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const tests = [jest, 'test/operations/sublayers', '--testNamePattern', 'torch', '--runInBand'];
  const env = { ...process.env, ...wish };
  const { status, stderr } = spawnSync(process.execPath, [...flags, ...tests], {
    cwd: core,
    env,
    encoding: 'utf8',
  });
  expect({ status, output: stderr.slice(status === 0 ? stderr.length : 0) }).toEqual({
    status: 0,
    output: '',
  });
});
