import { availableParallelism } from 'node:os';
import { UserError, parseOptions } from '@winnow/core';
import { workOn } from '@winnow/job-queue';
import { comparisonFolder, executeIn, readComparisonRecord } from '@winnow/lab';
import { z } from 'zod';
import { QUEUE_PASSWORD, queueAddress } from './queue-address';
import { print } from '../terminal/terminal';
import type { Command, Installation } from './command';
import { makeRunByCommand } from './run-process';

const workerOptions = z.object({
  queue: z
    .string()
    .default('redis://127.0.0.1:6379')
    .describe(
      `The server that winnow compare --queue was given; its password may stand in ${QUEUE_PASSWORD}`,
    ),
  jobs: z
    .int()
    .positive()
    .max(1024)
    .default(availableParallelism())
    .describe('Runs at a time on this machine'),
});
const title = 'Options of worker';

export const workerCommand = ({ program }: Pick<Installation, 'program'>): Command => ({
  name: 'worker',
  summary: 'Do runs of a comparison on this machine, until Ctrl-C',
  positional: {
    name: 'comparison',
    description: 'Its folder, as this machine sees it: on a disk that all workers share, at the same path',
    required: true,
  },
  startsRun: false,
  groups: () => [{ title, schema: workerOptions }],
  run: async ({ given, positional, terminal }) => {
    if (positional === undefined) throw new UserError('worker: expected the folder of a comparison');
    const { queue, jobs } = parseOptions(workerOptions, given, title);
    await readComparisonRecord(positional);
    const folder = comparisonFolder(positional);
    print(terminal.stderr, `working for ${positional}, ${jobs} runs at a time`);
    await workOn({
      url: queueAddress(queue),
      name: folder.queueName,
      concurrency: jobs,
      signal: terminal.signal,
      execute: executeIn(folder, makeRunByCommand(program)),
      report: (text) => {
        print(terminal.stderr, text);
      },
    });
  },
});
