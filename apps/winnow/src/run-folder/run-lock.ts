import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@winnow/core';
import { tryLock } from 'fs-native-extensions';

export const LOCK_FILE = 'run.lock';

/** Makes this process the only one that works in a folder, until it lets go or ends, however it ends. */
export interface RunLock {
  release(): void;
}

/** @throws {UserError} while another process works in the folder. */
export function lockRun(folder: string): RunLock {
  return lockFolder(
    folder,
    `another process is working on the run in ${folder}: wait for it or stop it, or choose another folder with --out`,
  );
}

/** @throws {UserError} with the message `whenBusy` while another process has locked the folder. */
export function lockFolder(folder: string, whenBusy: string): RunLock {
  const descriptor = openSync(join(folder, LOCK_FILE), 'a');
  if (!isLocked(descriptor)) {
    closeSync(descriptor);
    throw new UserError(whenBusy);
  }
  let isHeld = true;
  return {
    release: () => {
      if (isHeld) closeSync(descriptor);
      isHeld = false;
    },
  };
}

function isLocked(descriptor: number): boolean {
  try {
    return tryLock(descriptor);
  } catch {
    // A file system without locks protects nobody, and is no reason not to work there.
    return true;
  }
}
