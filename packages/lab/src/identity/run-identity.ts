import { createHash } from 'node:crypto';
import { type Json, UserError, canonicalJson } from '@winnow/core';
import { z } from 'zod';
import type { GivenOptions } from '../options/group';

const digests = z.record(z.string(), z.string());

/**
 * Everything that a run's result depends on beside its options: what the data and files consist of, wherever they lie,
 * and which code computes it.
 */
export const runIdentity = z.object({
  /** SHA-256 of the classes, splits and texts of each dataset. */
  data: z.record(z.string(), digests),
  /** SHA-256 of what stands behind options that name a model, a ticket or a tokenizer. */
  files: digests,
  /** Version and hash of the built files of each package whose code decides the result. */
  code: digests,
});
export type RunIdentity = z.output<typeof runIdentity>;

const DIGITS = 12;

/** Lists what is different in `now` from `before`, one line each; nothing where they are the same. */
export function identityChanges(before: RunIdentity, now: RunIdentity): string[] {
  return [...dataChanges(before, now), ...fileChanges(before, now), ...codeChanges(before, now)];
}

/** Parts of datasets that are others. */
export function dataChanges(before: Pick<RunIdentity, 'data'>, now: Pick<RunIdentity, 'data'>): string[] {
  return keysOf(before.data, now.data).flatMap((name) => {
    const [old, here] = [before.data[name] ?? {}, now.data[name] ?? {}];
    const parts = keysOf(old, here).filter((part) => old[part] !== here[part]);
    return parts.length === 0
      ? []
      : [`${name}: other ${parts.map((part) => partNames[part] ?? part).join(', ')}`];
  });
}

const partNames: Readonly<Record<string, string>> = {
  classes: 'class names',
  train: 'training pictures',
  validation: 'validation pictures',
  test: 'test pictures',
  shards: 'shards',
};

const fileChanges = (before: RunIdentity, now: RunIdentity): string[] =>
  keysOf(before.files, now.files)
    .filter((name) => before.files[name] !== now.files[name])
    .map((name) => `${name}: ${short(before.files[name])} there, ${short(now.files[name])} here`);

/** Packages whose code is another. */
export const codeChanges = (before: Pick<RunIdentity, 'code'>, now: Pick<RunIdentity, 'code'>): string[] =>
  keysOf(before.code, now.code)
    .filter((name) => before.code[name] !== now.code[name])
    .map((name) => `code of ${name}: ${before.code[name] ?? 'none'} there, ${now.code[name] ?? 'none'} here`);

const short = (digest: string | undefined): string => digest?.slice(0, DIGITS) ?? 'nothing';

const keysOf = (one: object, other: object): string[] => [
  ...new Set([...Object.keys(one), ...Object.keys(other)]),
];

/** Identities as plain data, for a hash. */
export const identityJson = ({ data, files, code }: RunIdentity): Json => ({
  data: { ...data },
  files: { ...files },
  code: { ...code },
});

/** A word for data and code together: what all runs on the same data, by the same method, have in common. */
export const digestOfDataAndCode = ({ data, code }: Pick<RunIdentity, 'data' | 'code'>): string =>
  createHash('sha256')
    .update(canonicalJson({ data: { ...data }, code: { ...code } }))
    .digest('hex')
    .slice(0, DIGITS);

/** The option by which whoever starts a run says what data and code it is meant for. */
export const EXPECTED = 'expect';

/** @throws {UserError} when a run was meant for other data or code than there are. */
export function checkExpected(options: GivenOptions, identity: RunIdentity): void {
  const expected = options[EXPECTED];
  const found = digestOfDataAndCode(identity);
  if (expected === undefined || expected === found) return;
  const code = Object.entries(identity.code).map(([name, code]) => `${name} ${code}`);
  throw new UserError(
    `expected data and code with the digest ${String(expected)}, but those here have ${found} (code: ${code.join(', ')}): ` +
      'the data have changed since the run was asked for, or another version of Winnow asked for it',
  );
}
