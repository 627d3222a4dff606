import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makePictures } from '@winnow/testkit';

/** The built program: its threads have been built with it. */
const PROGRAM = fileURLToPath(new URL('../bin/winnow.js', import.meta.url));

const root = await mkdtemp(join(tmpdir(), 'winnow-kept-'));
const at = (...path: string[]) => join(root, ...path);
beforeAll(() => makePictures(at('pictures')));
afterAll(() => rm(root, { recursive: true, force: true }));

function training(out: string, more: readonly string[]) {
  const options = [
    ...['train', '--engine', 'wasm', '--data', at('pictures'), '--image-size', '16', '--batch-size', '4'],
    ...['--duration', '30it', '--checkpoint-every', '3it', '--evaluate-every', '0it', '--out', at(out)],
  ];
  const env = { ...process.env, XDG_CACHE_HOME: at('cache') };
  return spawn(process.execPath, [PROGRAM, ...options, ...more], { stdio: 'ignore', env });
}

async function weightsOf(out: string, more: readonly string[]): Promise<string> {
  const [code] = await once(training(out, more), 'exit');
  expect(code).toBe(0);
  return readFileSync(at(out, 'model', 'model.safetensors'), 'base64');
}

test('a run ends in the same bytes whatever decodes its pictures and keeps them, and after a kill with another choice', async () => {
  const plain = await weightsOf('plain', ['--workers', '0']);
  expect(
    (await weightsOf('one', ['--workers', '1', '--cache-memory', '0', '--cache-disk', '0'])) === plain,
  ).toBe(true);
  expect((await weightsOf('two', ['--workers', '2', '--preload'])) === plain).toBe(true);

  const killed = training('killed', ['--workers', '2', '--cache-memory', '10KiB']);
  const steps = () =>
    existsSync(at('killed', 'metrics.jsonl'))
      ? readFileSync(at('killed', 'metrics.jsonl'), 'utf8').split('\n').length - 1
      : 0;
  while (steps() < 5 && killed.exitCode === null) await delay(5);
  killed.kill('SIGKILL');
  if (killed.signalCode === null && killed.exitCode === null) await once(killed, 'exit');
  expect((await weightsOf('killed', ['--resume', '--workers', '0', '--preload'])) === plain).toBe(true);
});
