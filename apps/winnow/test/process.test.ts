import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

/** The built program: these tests are about what happens to a real process. */
const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const root = await mkdtemp(join(tmpdir(), 'winnow-process-'));
const at = (...path: string[]) => join(root, ...path);

const train = (out: string) => [
  ...['train', '--engine', 'wasm', '--data', at('pictures'), '--image-size', '16', '--batch-size', '4'],
  ...['--duration', '60it', '--checkpoint-every', '5it', '--evaluate-every', '0it', '--out', at(out)],
];
const weightsOf = (out: string) => readFileSync(at(out, 'model', 'model.safetensors'));
const metricsOf = (out: string) => {
  const file = at(out, 'metrics.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
};

beforeAll(async () => {
  await makePictures(at('pictures'));
  expect((await winnow(train('whole'))).code).toBe(0);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Starts a training and lets it make some steps beyond a checkpoint. */
async function startedTraining(out: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, ...train(out)], { stdio: ['ignore', 'ignore', 'pipe'] });
  while (metricsOf(out) < 12) {
    if (child.exitCode !== null) throw new Error(`the training ended early, with ${child.exitCode}`);
    await delay(5);
  }
  return child;
}

test('a folder has one process at a time; the next one goes on as soon as it is gone', async () => {
  const child = await startedTraining('busy');
  const second = await winnow([...train('busy'), '--resume']);
  expect(second.code).toBe(75);
  expect(second.stderr).toMatch(/another process is working on the run in .*busy: wait for it or stop it/);

  child.kill('SIGKILL');
  await once(child, 'exit');
  expect((await winnow([...train('busy'), '--resume'])).code).toBe(0);
  expect(weightsOf('busy').equals(weightsOf('whole'))).toBe(true);
});

test.each<[NodeJS.Signals, number | null]>([
  ['SIGKILL', null],
  ['SIGINT', 130],
  ['SIGTERM', 130],
  ['SIGHUP', 130],
])('after %s the run goes on and ends in the same bytes', async (signal, expectedCode) => {
  const child = await startedTraining(signal);
  child.kill(signal);
  // A terminal that closes says so twice: itself, and by its shell.
  if (signal === 'SIGHUP') child.kill(signal);
  const [code] = await once(child, 'exit');
  expect(code).toBe(expectedCode);
  expect(existsSync(at(signal, 'summary.json'))).toBe(false);

  const { code: resumed, stderr } = await winnow([...train(signal), '--resume']);
  expect(stderr).toMatch(/going on after step \d+/);
  expect(resumed).toBe(0);
  expect(weightsOf(signal).equals(weightsOf('whole'))).toBe(true);
  expect(metricsOf(signal)).toBe(metricsOf('whole'));
});

test('a training goes on when nobody reads what it says', async () => {
  const child = await startedTraining('unread');
  child.stderr?.destroy();
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(weightsOf('unread').equals(weightsOf('whole'))).toBe(true);
});

/** Runs the program in a shell, with its output led elsewhere. */
async function inShell(script: string): Promise<{ code: unknown; stderr: string }> {
  const child = spawn('bash', ['-o', 'pipefail', '-c', script, process.execPath, PROGRAM], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code]: unknown[] = await once(child, 'close');
  return { code, stderr };
}

test.each(['compress --help', 'methods', 'no-such-command'])(
  'a pipe without a reader is no error: %s',
  async (args) => {
    // `true` is gone before the program has started.
    const { stderr } = await inShell(
      `{ sleep 0.1; "$0" "$1" ${args} 2>&1; echo "ended with $?" >&3; } 3>&2 | true`,
    );
    expect(stderr.trim()).toBe(`ended with ${args === 'no-such-command' ? 2 : 0}`);
  },
);

(existsSync('/dev/full') ? test : test.skip)('a result that cannot be written is said', async () => {
  const { code, stderr } = await inShell('"$0" "$1" methods > /dev/full');
  expect(stderr).toMatch(/^winnow: cannot write the result: ENOSPC/);
  expect(code).toBe(2);
});
