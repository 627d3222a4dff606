import { type DenseConfig, type Json, familyOf } from '@winnow/core';
import { z } from 'zod';

/**
 * Checks that there is one name for each class of a classifier, or none at all.
 * @throws {RangeError} when there are more or fewer, or names for a model without classes.
 */
export function checkClassNames(config: DenseConfig, names: readonly string[] | undefined): void {
  const classes = classesIn(config);
  if (names === undefined || names.length === classes) return;
  throw new RangeError(`expected the names of ${classes} classes, got ${names.length}`);
}

const classesIn = (config: DenseConfig): number => familyOf(config).classes(config);

const olderOrigin = z.looseObject({ classes: z.array(z.string()) });

/** Structure files of before there was a field of its own name the classes of their data in the origin. */
export function classNamesInOrigin(
  config: DenseConfig,
  origin: Json | undefined,
): readonly string[] | undefined {
  const { data } = olderOrigin.safeParse(origin);
  return data?.classes.length === classesIn(config) ? data.classes : undefined;
}
