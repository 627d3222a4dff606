import { UserError } from '@winnow/core';
import { type FoundImageClassificationData, inClassOrder, visibly } from '@winnow/data';
import { arePlaceholders } from '@winnow/formats';
import { z } from 'zod';

/** The way to find the classes of a given model among those of the data. */
export const classOrderShape = {
  classOrder: z
    .enum(['named', 'assumed'])
    .optional()
    .describe(
      "Of a model that there is: its classes are found by their names; assumed takes the data's, in the data's order, for them",
    ),
};
const classOrderOptions = z.object(classOrderShape);

/** Names that a message shows of several. */
const NAMES_SHOWN = 5;

/**
 * Finds the classes of a model's head among those of data of as many classes, by their names (in Unicode's normal form C).
 * Where the model has no names, its classes are taken to be the data's, in the same order, and a note of the data says so.
 * @param names Of the model's classes, in the order of its logits.
 * @param advice What else may be done when the names are others.
 * @returns the data with its labels as the model numbers its classes.
 * @throws {UserError} when the names are others.
 */
export function matchedClasses(
  data: FoundImageClassificationData,
  names: readonly string[] | undefined,
  options: unknown,
  advice: string,
): FoundImageClassificationData {
  const { classOrder } = classOrderOptions.parse(options);
  const assumed = (why: string): FoundImageClassificationData => ({
    ...data,
    notes: [
      ...data.notes,
      `${why}: they are taken to be those of ${data.name}, in this order: ${listedNames(data.classes)}`,
    ],
  });
  if (names === undefined) return assumed('the model does not name its classes');
  const known = names.map(normalised);
  const asked = data.classes.map(normalised);
  if (isSame(known, asked)) return data;
  if (classOrder === 'assumed')
    return assumed(`the model calls its classes otherwise (${listedNames(names)})`);
  if (isSame([...known].sort(), [...asked].sort()) && new Set(known).size === known.length) {
    const places = new Map(asked.map((name, place) => [name, place]));
    const ordered = known.map((name) => data.classes[places.get(name) ?? -1] ?? name);
    return inClassOrder(data, ordered);
  }
  if (arePlaceholders(names)) return assumed(`the model calls its classes ${listedNames(names)}`);
  throw new UserError(
    `the classes of the model are not those of ${data.name}: ${differenceOf(names, data.classes)}. ` +
      `Choose the data it was trained for, rename the folders, ${advice}, or say --class-order assumed if only the names differ and the order is the same`,
  );
}

/** Where two lists of names differ, in words. */
export function differenceOf(ofModel: readonly string[], ofData: readonly string[]): string {
  const onlyIn = (own: readonly string[], other: readonly string[]) => {
    const others = new Set(other.map(normalised));
    return own.filter((name) => !others.has(normalised(name)));
  };
  const twice = ofModel.filter((name, place) => ofModel.indexOf(name) !== place);
  const parts = [
    ['the model also has', onlyIn(ofModel, ofData)],
    ['the data also has', onlyIn(ofData, ofModel)],
    ['the model has more than once', [...new Set(twice)]],
  ] as const;
  return parts
    .flatMap(([what, found]) => (found.length === 0 ? [] : [`${what} ${listedNames(found)}`]))
    .join('; ');
}

/** The first names, and how many more there are. */
export function listedNames(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return `${names.slice(0, NAMES_SHOWN).map(visibly).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const normalised = (name: string): string => name.normalize('NFC');

const isSame = (ones: readonly string[], others: readonly string[]): boolean =>
  ones.length === others.length && ones.every((name, place) => name === others[place]);
