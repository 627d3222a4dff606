import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { complaint, run } from '../setup/command.mjs';
import { privateCache } from '../setup/native-cache.mjs';

const PYTORCH = '2.13.0';

/**
 * A Python environment with PyTorch, made once in the user's cache.
 * @returns {{ python: string } | { reason: string }} the interpreter, or in one line why there is none.
 */
export function providePyTorch() {
  const folder = join(privateCache(), 'peers', `torch-${PYTORCH}`);
  const python = join(folder, 'bin', 'python');
  const finished = join(folder, 'finished');
  if (existsSync(finished)) return { python };

  if (!run('python3', ['-m', 'venv', '--help']).ok) {
    return { reason: 'PyTorch is not compared with: python3 with its venv module is not here' };
  }
  console.error(`PyTorch ${PYTORCH}: installing it for the comparison, once …`);
  // What an earlier attempt left behind may be half of anything.
  rmSync(folder, { recursive: true, force: true });
  const steps = [
    ['python3', ['-m', 'venv', folder]],
    [python, ['-m', 'pip', 'install', '--quiet', `torch==${PYTORCH}`, 'numpy']],
  ];
  for (const [command, args] of steps) {
    const done = run(command, args);
    if (!done.ok) return { reason: `PyTorch is not compared with: ${complaint(done.output)}` };
  }
  writeFileSync(finished, '');
  return { python };
}
