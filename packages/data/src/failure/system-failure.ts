import { DataError } from './data-error';

interface Reason {
  readonly found: string;
  readonly advice: string;
}

/** Explains errors of the operating system to somebody who wants data to be read. */
const reasons: Readonly<Record<string, Reason>> = {
  ENOENT: { found: 'nothing there', advice: 'Check the path; or was it removed meanwhile?' },
  ENOTDIR: { found: 'a file where the path has a folder', advice: 'Check the path.' },
  EISDIR: { found: 'a folder', advice: 'Check the path.' },
  EACCES: {
    found: 'that this user may not read it',
    advice: 'Change its permissions (chmod -R u+rX), or take it out of the data.',
  },
  ELOOP: {
    found: 'symbolic links that lead back to themselves',
    advice: 'Mend the link or remove it.',
  },
  EMFILE: {
    found: 'that this process has too many files open',
    advice: 'Raise the limit (ulimit -n 4096) and try again.',
  },
  ENFILE: {
    found: 'that the system has too many files open',
    advice: 'Close other programs and try again.',
  },
  ENAMETOOLONG: { found: 'a name longer than the file system allows', advice: 'Shorten the name.' },
  ENXIO: { found: 'a socket or a device', advice: 'Put an ordinary file there.' },
  ERR_INVALID_ARG_VALUE: {
    found: 'a character in its name that no file name may have (U+0000)',
    advice: 'Correct the name.',
  },
};
const sameAs: Readonly<Record<string, string>> = { EPERM: 'EACCES' };

/** The code of an error of the operating system, 'ENOENT' say; undefined for what is none. */
export function systemCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Whether an error says that there is nothing at a path. */
export function isAbsence(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * An error of the operating system as one that tells its reader what to do; other errors as they are.
 * @param expected What was looked for, with its path: 'the folder data/train'.
 */
export function explained(error: unknown, expected: string): unknown {
  const code = systemCode(error);
  if (code === undefined || error instanceof DataError) return error;
  const known = reasons[sameAs[code] ?? code];
  const isOfTheSystem = typeof error === 'object' && error !== null && 'syscall' in error;
  if (known === undefined && !isOfTheSystem) return error;
  const { found, advice } = known ?? {
    found: `an error of the operating system (${code})`,
    advice: 'Check the disk, and try again.',
  };
  return new DataError({ expected, found, advice }, { cause: error });
}
