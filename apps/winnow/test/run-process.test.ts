import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError } from '@winnow/core';
import { JobBusy } from '@winnow/job-queue';
import { inTemporaryFolder } from '@winnow/testkit';
import { makeRunByCommand } from '../src/commands/run-process';

const never = new AbortController().signal;

/** A run by a program that consists of these lines. */
async function endOf(
  program: string,
  { resume = false, signal = never }: { readonly resume?: boolean; readonly signal?: AbortSignal } = {},
): Promise<string | undefined> {
  let end: string | undefined;
  await inTemporaryFolder(async (folder) => {
    const file = join(folder, 'program.mjs');
    writeFileSync(file, program);
    const run = { command: 'train', options: {}, config: 'a.json', out: 'b', resume } as const;
    end = await makeRunByCommand(file)(run, signal);
  });
  return end;
}

// As one text: console.error paints an undefined by itself where FORCE_COLOR is set.
const says =
  "console.error([...process.argv.slice(2), String(process.env.WINNOW_QUEUE_PASSWORD)].join(' ')); ";

test('a run is a process with its options in a file, and without the password of the queue', async () => {
  process.env['WINNOW_QUEUE_PASSWORD'] = 'secret';
  try {
    expect(await endOf('')).toBeUndefined();
    expect(await endOf(`${says}process.exitCode = 3;`)).toBe(
      'the run ended with 3: train --config a.json --out b undefined',
    );
    expect(await endOf(`${says}process.exitCode = 3;`, { resume: true })).toMatch(
      /--out b --resume undefined$/,
    );
  } finally {
    delete process.env['WINNOW_QUEUE_PASSWORD'];
  }
});

test('its complaint is what it said to the user, without progress in front', async () => {
  const program =
    "console.error('train: 4 steps\\nwinnow: no such data\\nput it there'); process.exitCode = 2;";
  expect(await endOf(program)).toBe('no such data\nput it there');
  expect(await endOf("throw new TypeError('a fault');")).toMatch(/^TypeError: a fault\n/);
});

test('a folder that is taken makes it busy, and a signal stops it', async () => {
  await expect(endOf('process.exitCode = 75;')).rejects.toThrow(JobBusy);
  const waits = 'setTimeout(() => undefined, 60_000);';
  await expect(endOf(waits, { signal: AbortSignal.timeout(200) })).rejects.toThrow(InterruptedError);
});
