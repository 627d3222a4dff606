/**
 * Makes a clone ready: dependencies, the native engines, the build. Does only what is missing.
 *
 *   node tools/setup/setup.mjs [--engine auto|none] [--cuda]
 *
 * --engine none (or WINNOW_SETUP_ENGINE=none) leaves the native engines out; --cuda takes the ones for NVIDIA GPUs even
 * where nvidia-smi sees none. Only a failed install or build fails the set-up: without them, wasm serves.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from './command.mjs';
import { installDependencies } from './npm.mjs';
import { provideTensorflow } from './tensorflow.mjs';
import { provideTorch } from './torch.mjs';

const OLDEST_NODE = [20, 19];

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values } = parseArgs({
  options: { engine: { type: 'string' }, cuda: { type: 'boolean', default: false } },
});
const engine = values.engine ?? (process.env.WINNOW_SETUP_ENGINE || 'auto');
if (engine !== 'auto' && engine !== 'none') fail(`--engine: expected auto or none, got "${engine}".`);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  console.log(
    `Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.versions.node}: expect failures.`,
  );
}

const trouble = installDependencies(root);
if (trouble !== undefined) fail(trouble);

if (engine === 'auto') {
  console.log(`Engine: ${provideTorch(root, { wantsCuda: values.cuda }).line}`);
  console.log(`Engine: ${provideTensorflow(root, { wantsCuda: values.cuda }).line}`);
}

const nx = join(root, 'node_modules', '.bin', 'nx');
const built = run(nx, ['run-many', '-t', 'build'], {
  cwd: root,
  environment: { NX_TUI: 'false' },
});
if (!built.ok) fail(`The build failed:\n${built.output.trim()}`);
console.log('Ready.');

function fail(message) {
  console.error(message);
  process.exit(1);
}
