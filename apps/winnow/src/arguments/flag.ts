import { type OptionField, fieldsOf, valueOf } from '../options/fields';
import type { GivenOptions, OptionGroup } from '../options/group';

/** An option as a flag of the command line. */
export interface Flag {
  /** Without dashes in front: `dense-learning-rate`. */
  readonly name: string;
  readonly title: string;
  readonly groupKey: string | undefined;
  readonly field: OptionField;
}

/** How the flags of nested groups begin: all of them, or only those whose plain name is taken already. */
export interface FlagPrefix {
  readonly text: string;
  readonly when: 'always' | 'taken';
}

export interface FlagGroup extends OptionGroup {
  readonly prefix?: FlagPrefix;
}

export function flagsOf(groups: readonly FlagGroup[]): Flag[] {
  const flags: Flag[] = [];
  for (const { key: groupKey, title, schema, prefix } of groups) {
    for (const field of fieldsOf(schema)) {
      const plain = kebab(field.key);
      const taken = flags.some(({ name }) => name === plain);
      const prefixed = prefix !== undefined && (prefix.when === 'always' || taken);
      flags.push({ name: prefixed ? prefix.text + plain : plain, title, groupKey, field });
    }
  }
  return flags;
}

/** The options that were given as flags, nested as in a config file. */
export function givenByFlags(
  flags: readonly Flag[],
  parsed: Readonly<Record<string, unknown>>,
): GivenOptions {
  const top: Record<string, unknown> = {};
  const nested = new Map<string, Record<string, unknown>>();
  for (const { name, groupKey, field } of flags) {
    const value = parsed[name];
    if (value === undefined) continue;
    const group = groupKey === undefined ? top : (nested.get(groupKey) ?? {});
    if (groupKey !== undefined) nested.set(groupKey, group);
    group[field.key] = typeof value === 'string' ? valueOf(value, field) : value;
  }
  return { ...top, ...Object.fromEntries(nested) };
}

/** `learningRate` → `learning-rate`. */
export const kebab = (key: string): string =>
  key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
