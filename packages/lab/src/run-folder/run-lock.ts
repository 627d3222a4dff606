import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { tryLock } from 'fs-native-extensions';
import { APPEND, isOwnFile } from './own-file';

export const LOCK_FILE = 'run.lock';

/** Makes this process the only one that works in a folder, until it lets go or ends, however it ends. */
export interface RunLock {
  release(): void;
}

/** The run can be asked for again when another process has left it. */
export class RunBusyError extends Error {
  /** EX_TEMPFAIL of sysexits.h: nothing is wrong with the request. */
  static readonly exitCode = 75;
  readonly exitCode = RunBusyError.exitCode;

  constructor(folder: string) {
    super(
      `another process is working on the run in ${folder}: wait for it or stop it, or choose another folder with --out`,
    );
    this.name = 'RunBusyError';
  }
}

/**
 * @throws {RunBusyError} while another process works in the folder.
 * @throws {UserError} when its lock is no file.
 */
export function lockRun(folder: string): RunLock {
  return lockFolder(folder, new RunBusyError(folder));
}

/** @throws {Error} `busy` while another process has locked the folder. */
export function lockFolder(folder: string, busy: Error): RunLock {
  const file = join(folder, LOCK_FILE);
  isOwnFile(file);
  const descriptor = openSync(file, APPEND);
  if (!isLocked(descriptor)) {
    closeSync(descriptor);
    throw busy;
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
