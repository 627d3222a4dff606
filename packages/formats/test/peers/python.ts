import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The interpreter that has the other libraries, as in an environment made for these tests. */
const python = process.env['WINNOW_PEER_PYTHON'] ?? 'python3';
const script = fileURLToPath(new URL('./peers.py', import.meta.url));

function hasModules(modules: readonly string[]): boolean {
  const search = `import importlib.util, sys; sys.exit(not all(importlib.util.find_spec(m) for m in ${JSON.stringify(modules)}))`;
  return spawnSync(python, ['-c', search]).status === 0;
}

/** Runs the tests where Python has these modules, otherwise shows them as skipped. */
export function withPeer(modules: readonly string[], tests: () => void): void {
  const names = modules.join(', ');
  if (hasModules(modules)) describe(`beside ${names}`, tests);
  else {
    describe.skip(`beside ${names} (not in ${python}; WINNOW_PEER_PYTHON names an interpreter)`, tests);
  }
}

/** Runs `peers.py`; what it complains of is in the error. */
export function runPeer(...args: readonly string[]): void {
  execFileSync(python, [script, ...args], {
    stdio: 'pipe',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' },
  });
}
