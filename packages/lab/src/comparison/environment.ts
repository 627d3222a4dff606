import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import type { RunIdentity } from '../identity/run-identity';
import { packageFile } from '../package-folder';
import type { RunRecord } from '../run-folder/record';

/** Describes what a run or a comparison began with, in words that can be compared with those of another page. */
export function identityRows(identity: Pick<RunIdentity, 'data' | 'code'> | undefined): [string, string][] {
  if (identity === undefined) return [];
  const listed = (parts: Readonly<Record<string, string>>, digits?: number) =>
    Object.entries(parts)
      .map(([name, value]) => `${name} ${digits === undefined ? value : value.slice(0, digits)}`)
      .join(', ');
  return [
    ...Object.entries(identity.data).map(([name, parts]): [string, string] => [
      name === 'data' ? 'Data' : `Data of ${name}`,
      `SHA-256 of ${listed(parts, DIGITS)}`,
    ]),
    ['Code', listed(identity.code)],
  ];
}

/** Describes where and with what a run was made. */
export const environmentOf = ({
  engine,
  precision,
  threads,
  winnow,
  identity,
}: RunRecord): [string, string][] => [
  ['Engine', `${engine}, ${precision}, ${threads ?? 'unknown'} threads`],
  ['This machine', hardware()],
  ['Winnow', winnow],
  ...identityRows(identity),
];

/** Length of a hash that people read, in hexadecimal digits. */
const DIGITS = 12;

const BYTES_PER_GIB = 2 ** 30;

/** Describes the hardware in words that a reader of a table needs: nothing that names the machine. */
export function hardware(): string {
  const all = cpus();
  const memory = (totalmem() / BYTES_PER_GIB).toFixed(0);
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, ${memory} GiB of memory, ${process.platform} ${process.arch}`;
}

/** The commit of the sources, where this runs from a clone. */
export function commit(): string | undefined {
  try {
    const cwd = packageFile();
    const text = (args: readonly string[]) =>
      execFileSync('git', [...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    text(['ls-files', '--error-unmatch', 'package.json']); // a copy inside of somebody else's clone is no clone
    const hash = text(['rev-parse', '--short=12', 'HEAD']);
    return text(['status', '--porcelain', '--untracked-files=no']) === '' ? hash : `${hash} with changes`;
  } catch {
    return undefined; // there is no git, or no clone
  }
}
