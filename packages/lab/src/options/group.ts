import { type OptionsSchema, UserError, parseOptions } from '@winnow/core';
import { z } from 'zod';
import { type OptionField, fieldsOf } from './fields';

/** The beginning of the flags of nested groups: all of them, or only those whose plain name is taken already. */
export interface FlagPrefix {
  readonly text: string;
  readonly when: 'always' | 'taken';
}

/** Options that stand together: at the top of a config file, or under a key of it. */
export interface OptionGroup {
  /** The key in a config file; the top-level options have none. */
  readonly key?: string;
  readonly title: string;
  readonly schema: OptionsSchema;
  readonly prefix?: FlagPrefix;
}

/** The flag of an option, by the key of its group; undefined when there is no such option. */
export function flagName(
  groups: readonly OptionGroup[],
  groupKey: string | undefined,
  option: string,
): string | undefined {
  return flagNames(groups).find(({ group, field }) => group.key === groupKey && field.key === option)?.name;
}

/** Every option of the groups with the name of its flag, without dashes in front: `dense-learning-rate`. */
export function flagNames(
  groups: readonly OptionGroup[],
): readonly { readonly name: string; readonly group: OptionGroup; readonly field: OptionField }[] {
  const taken = new Set<string>();
  return groups.flatMap((group) =>
    fieldsOf(group.schema).map((field) => {
      const plain = kebab(field.key);
      const { prefix } = group;
      const isPrefixed = prefix !== undefined && (prefix.when === 'always' || taken.has(plain));
      const name = isPrefixed ? prefix.text + plain : plain;
      taken.add(name);
      return { name, group, field };
    }),
  );
}

/** `learningRate` → `learning-rate`. */
export const kebab = (key: string): string =>
  key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Option values as they were given, nested as in a config file; nothing is checked or filled in yet. */
export type GivenOptions = Readonly<Record<string, unknown>>;

const record = z.record(z.string(), z.unknown());

/**
 * The values of one group.
 * @throws {UserError} when something else than a record stands under the group's key.
 */
export function givenFor(given: GivenOptions, groups: readonly OptionGroup[], key?: string): GivenOptions {
  if (key === undefined) {
    const keys = new Set(groups.map((group) => group.key));
    return Object.fromEntries(Object.entries(given).filter(([name]) => !keys.has(name)));
  }
  const values = record.safeParse(given[key] ?? {});
  if (values.success) return values.data;
  throw new UserError(`${key}: expected options by name, got ${JSON.stringify(given[key])}`);
}

/** `winner` over `base`, group by group and key by key. */
export function mergeGiven(
  base: GivenOptions,
  winner: GivenOptions,
  groups: readonly OptionGroup[],
): GivenOptions {
  const nested = groups.flatMap(({ key }) => {
    if (key === undefined || !(key in base || key in winner)) return [];
    return [[key, { ...givenFor(base, groups, key), ...givenFor(winner, groups, key) }]];
  });
  return { ...givenFor(base, groups), ...givenFor(winner, groups), ...Object.fromEntries(nested) };
}

/**
 * Every group with its defaults filled in, nested as in a config file.
 * @throws {UserError} naming each unknown key (with the nearest known one) and each value that is not allowed.
 */
export function resolveGroups(given: GivenOptions, groups: readonly OptionGroup[]): GivenOptions {
  const keys = groups.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const resolved = groups.map(({ key, title, schema }): GivenOptions => {
    // The other groups' keys are known at the top too: a mistyped `dence` should find `dense`.
    const known = key === undefined ? schema.extend(Object.fromEntries(keys.map(unset))) : schema;
    const values = parseOptions(known, givenFor(given, groups, key), title, (option) =>
      shownName(option, flagName(groups, key, option)),
    );
    return key === undefined ? values : { [key]: values };
  });
  return Object.assign({}, ...resolved);
}

/** An option by its key in a file and, where that reads otherwise, by its flag. */
const shownName = (option: string, flag: string | undefined): string =>
  flag === undefined ? option : `--${flag}${flag === option ? '' : ` (${option} in a config file)`}`;

const unset = (key: string) => [key, z.undefined().optional()] as const;
