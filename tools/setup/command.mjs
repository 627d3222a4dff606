import { spawnSync } from 'node:child_process';

/**
 * Runs a command to its end, output captured.
 * @returns {{ ok: boolean, output: string, missing: boolean }} `missing`: there is no such command on this machine.
 */
export function run(command, args, { cwd, environment = {}, timeoutMs } = {}) {
  const ended = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: timeoutMs,
  });
  return {
    ok: ended.status === 0,
    output: `${ended.stdout ?? ''}${ended.stderr ?? ''}`,
    missing: ended.error?.code === 'ENOENT',
  };
}

/** The line of a failed command's output that says most: the last one that speaks of an error, else the last. */
export function complaint(output) {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return (
    lines.findLast((line) => /error|cannot|no space|not found/i.test(line)) ?? lines.at(-1) ?? 'no output'
  );
}
