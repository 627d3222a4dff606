import { UserError } from '@winnow/core';
import { type GivenOptions, type OptionGroup, kebab } from './group';

const shapeAtTop = (groups: readonly OptionGroup[]): Readonly<Record<string, unknown>> =>
  groups.find(({ key }) => key === undefined)?.schema.shape ?? {};

/**
 * Options that are for a model that there is, or for a new one, where the other is meant.
 * @param used The groups of what is meant.
 * @param every Those of both.
 * @throws {UserError} that names them.
 */
export function refuseForOther(
  given: GivenOptions,
  used: readonly OptionGroup[],
  every: readonly OptionGroup[],
): void {
  const [own, all] = [shapeAtTop(used), shapeAtTop(every)];
  const flags = Object.entries(given).flatMap(([key, value]) =>
    value !== undefined && key in all && !(key in own) ? [`--${kebab(key)}`] : [],
  );
  if (flags.length === 0) return;
  const isOne = flags.length === 1;
  const named = `${flags.join(', ')} ${isOne ? 'is' : 'are'}`;
  const advice = `leave ${isOne ? 'it' : 'them'} out`;
  throw new UserError(
    given['from'] === undefined
      ? `${named} about a model that there is: name one with --from, or ${advice}`
      : `${named} about a new model, and --from names one that there is: ${advice}`,
  );
}
