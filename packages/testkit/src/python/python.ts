import { execFileSync, spawnSync } from 'node:child_process';

/** The interpreter that has other libraries to compare with: `WINNOW_PEER_PYTHON` names that of an environment made for it. */
export const python = (): string => process.env['WINNOW_PEER_PYTHON'] ?? 'python3';

/** Whether Python is here and has all of these modules. */
export function pythonHas(modules: readonly string[]): boolean {
  const search = `import importlib.util, sys; sys.exit(not all(importlib.util.find_spec(m) for m in ${JSON.stringify(modules)}))`;
  return spawnSync(python(), ['-c', search]).status === 0;
}

/** Runs a script and returns what it prints; what it complains of is in the error. */
export const runPython = (script: string, ...args: readonly string[]): string =>
  execFileSync(python(), [script, ...args], {
    stdio: 'pipe',
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' },
  });
