import { flagNames, type GivenOptions, type OptionField, type OptionGroup, valueOf } from '@winnow/lab';

/** An option as a flag of the command line. */
export interface Flag {
  /** Without dashes in front: `dense-learning-rate`. */
  readonly name: string;
  readonly title: string;
  readonly groupKey: string | undefined;
  readonly field: OptionField;
}

export function flagsOf(groups: readonly OptionGroup[]): Flag[] {
  return flagNames(groups).map(({ name, group: { key, title }, field }) => ({
    name,
    title,
    groupKey: key,
    field,
  }));
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
