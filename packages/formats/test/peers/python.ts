import { fileURLToPath } from 'node:url';
import { python, pythonHas, runPython } from '@winnow/testkit';

const script = fileURLToPath(new URL('./peers.py', import.meta.url));

/** Runs the tests where Python has these modules, otherwise shows them as skipped. */
export function withPeer(modules: readonly string[], tests: () => void): void {
  const names = modules.join(', ');
  if (pythonHas(modules)) describe(`beside ${names}`, tests);
  else {
    describe.skip(`beside ${names} (not in ${python()}; WINNOW_PEER_PYTHON names an interpreter)`, tests);
  }
}

/** Runs `peers.py`; what it complains of is in the error. */
export const runPeer = (...args: readonly string[]): void => void runPython(script, ...args);
