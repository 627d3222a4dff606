import type { Splits } from '@winnow/core';
import { DataError } from '../failure/data-error';
import type { PreparedPictures } from './prepared';

/** Decodings asked for at a time: enough to keep libvips' threads busy, few enough to bound memory. */
const LOADS_IN_FLIGHT = 64;
const PROBLEMS_LISTED = 10;

/** Decodes the picture files of all splits; the errors of all broken files come as one {@link DataError}. */
export async function preload(
  pictures: PreparedPictures,
  paths: Readonly<Record<keyof Splits<unknown>, readonly string[]>>,
): Promise<void> {
  const problems: DataError[] = [];
  const loadAll = async (all: readonly string[], augmented: boolean) => {
    for (let start = 0; start < all.length; start += LOADS_IN_FLIGHT) {
      const some = all.slice(start, start + LOADS_IN_FLIGHT);
      for (const outcome of await Promise.allSettled(some.map((path) => pictures.load(path, augmented)))) {
        if (outcome.status === 'fulfilled') continue;
        if (!(outcome.reason instanceof DataError)) throw outcome.reason;
        problems.push(outcome.reason);
      }
    }
  };
  await loadAll(paths.validation, false);
  await loadAll(paths.test, false);
  await loadAll(paths.train, true);
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw first;
  const more = problems.length - PROBLEMS_LISTED;
  throw new DataError(
    {
      expected: 'complete pictures',
      found: `${problems.length} files that cannot be decoded`,
      advice: [
        'Replace them, save them anew, or remove them:',
        ...problems.slice(0, PROBLEMS_LISTED).map((problem) => `- ${problem.message}`),
        ...(more > 0 ? [`- and ${more} more`] : []),
      ].join('\n'),
    },
    { cause: first },
  );
}
