import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of this package: this module lies one folder below its root, as a source and when built. */
export const packageFile = (...path: string[]): string =>
  join(fileURLToPath(new URL('..', import.meta.url)), ...path);
