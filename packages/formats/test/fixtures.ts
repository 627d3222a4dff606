import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Checkpoints with the outputs and gradients that PyTorch gives for them; not a part of the repository. */
const shared = process.env['WINNOW_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));

export const fixture = (name: string): string => join(shared, 'fixtures', name);

/** Runs the tests where the fixture is, otherwise shows them as skipped. */
export function withFixture(name: string, tests: (folder: string) => void): void {
  if (existsSync(fixture(name))) describe(name, () => tests(fixture(name)));
  else
    describe.skip(`${name} (no such fixture; WINNOW_SHARED names the folder above it)`, () =>
      tests(fixture(name)));
}
