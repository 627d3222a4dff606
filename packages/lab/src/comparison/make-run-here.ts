import { InterruptedError } from '@winnow/core';
import { JobBusy } from '@winnow/job-queue';
import { makeRun } from '../run/make-run';
import { runKinds } from '../run/run-kinds';
import { RunStoppedError } from '../run/run-session';
import { unwatched } from '../run/watch';
import { RunBusyError } from '../run-folder/run-lock';
import type { MakeRunOfJob } from './execute';

/** Makes the runs of a comparison in this process. */
export const makeRunHere: MakeRunOfJob = async ({ command, options, out, resume }, signal) => {
  const asked = { given: { ...options, out }, resume };
  try {
    switch (command) {
      case 'train':
        await makeRun(runKinds.train, asked, unwatched(signal));
        break;
      case 'compress':
        await makeRun(runKinds.compress, asked, unwatched(signal));
        break;
      default:
        command satisfies never;
    }
    return undefined;
  } catch (error) {
    if (error instanceof RunStoppedError) throw new InterruptedError();
    if (error instanceof RunBusyError) throw new JobBusy('another process is working on its run');
    return error instanceof Error ? error.message : String(error);
  }
};
