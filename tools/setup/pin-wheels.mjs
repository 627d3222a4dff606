/**
 * Writes pinned-wheels.mjs: the versions and hashes of the wheels that the set-up fetches, as PyPI has them now.
 *
 *   node tools/setup/pin-wheels.mjs torch==2.13.0 tensorflow==2.21.0
 *
 * Needs python3 with pip. Nothing large is downloaded: pip resolves, and reports the hashes.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { complaint, run } from './command.mjs';
import { MACHINES } from './machine.mjs';
import { pipTarget } from './wheels.mjs';

/** Tells the packages of the resolution that are unpacked; the rest is Python. */
const isWanted = (name) => /^(torch|tensorflow|tensorflow-cpu|nvidia-.*)$/.test(name);

const [torch, tensorflow] = process.argv.slice(2);
if (!torch?.startsWith('torch==') || !tensorflow?.startsWith('tensorflow=='))
  throw new Error('expected torch==VERSION tensorflow==VERSION');

const pins = Object.fromEntries(
  Object.keys(MACHINES).map((arch) => {
    const alone = [
      tensorflow,
      ...(arch === 'x64' ? [tensorflow.replace('tensorflow', 'tensorflow-cpu')] : []),
    ];
    const found = [
      ...resolved(arch, [torch]),
      ...alone.flatMap((wheel) => resolved(arch, [wheel, '--no-deps'])),
    ];
    return [
      arch,
      Object.fromEntries(found.filter(([name]) => isWanted(name)).sort(([a], [b]) => (a < b ? -1 : 1))),
    ];
  }),
);
const text = `/** The wheels of PyPI that a set-up may fetch, by processor and name; written by pin-wheels.mjs. */
export const pins = ${JSON.stringify(pins, undefined, 2)};
`;
const file = fileURLToPath(new URL('./pinned-wheels.mjs', import.meta.url));
writeFileSync(file, text);
run('npx', ['prettier', '--write', file]);

/** Asks pip what it would install, by name: version and SHA-256. */
function resolved(arch, args) {
  const folder = mkdtempSync(join(tmpdir(), 'winnow-pins-'));
  try {
    const report = join(folder, 'report.json');
    const pip = ['-m', 'pip', 'install', '--quiet', '--dry-run', '--ignore-installed', '--report', report];
    const done = run('python3', [...pip, ...pipTarget(arch), '--target', join(folder, 'none'), ...args]);
    if (!done.ok) throw new Error(`pip could not resolve ${args.join(' ')}: ${complaint(done.output)}`);
    return JSON.parse(readFileSync(report, 'utf8')).install.map(({ metadata, download_info }) => [
      metadata.name.toLowerCase().replaceAll(/[-_.]+/g, '-'),
      { version: metadata.version, sha256: download_info.archive_info.hashes.sha256 },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
