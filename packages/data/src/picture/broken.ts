import type { Dataset } from '@winnow/core';
import { counted } from '@winnow/core';
import { DataError } from '../failure/data-error';
import { firstTen } from '../failure/listing';

/**
 * Waits for all loads: those that failed are to be named together.
 * @throws what a load failed with, unless it is a {@link DataError}.
 */
export async function allOf<Value>(
  loads: readonly Promise<Value>[],
): Promise<{ readonly values: Value[]; readonly problems: DataError[] }> {
  const values: Value[] = [];
  const problems: DataError[] = [];
  for (const outcome of await Promise.allSettled(loads)) {
    if (outcome.status === 'fulfilled') values.push(outcome.value);
    else if (outcome.reason instanceof DataError) problems.push(outcome.reason);
    else throw outcome.reason;
  }
  return { values, problems };
}

/**
 * @param note Added to the advice, a sentence.
 * @throws {DataError} that lists the first ten of several problems with pictures, if there are any.
 */
export function refuseBroken(problems: readonly DataError[], note = ''): void {
  const messages = [...new Set(problems.map(({ message }) => message))];
  const [first] = problems;
  if (first === undefined) return;
  if (messages.length === 1) throw first;
  throw new DataError(
    {
      expected: 'complete pictures',
      found: `${messages.length} files that cannot be used:${firstTen(messages)}\n`,
      advice: `Replace them, save them anew, or remove them.${note}`,
    },
    { cause: problems },
  );
}

/** The problems that an error lists: itself, where it is of one picture. */
function problemsIn(error: DataError): readonly DataError[] {
  const { cause } = error;
  const listed = Array.isArray(cause) ? cause.filter((problem) => problem instanceof DataError) : [];
  return listed.length === 0 ? [error] : listed;
}

/** Decodings asked for at a time. */
const LOOKS_IN_FLIGHT = 64;
/** Whoever mends so many pictures can start again: looking at a million would take an hour. */
const MOST_LOOKED_AT = 2000;

const onlyFirst = (all: number): string =>
  `Of ${counted(all, 'picture')} only the first ${MOST_LOOKED_AT.toLocaleString('en')} were looked at.`;

/** Looks for broken pictures beside what else is done. */
export interface CheckBeside {
  /** Goes on by so many pictures: whoever asks for batches keeps it going, and nobody has to end it. */
  goOn(pictures: number): void;
  /** The problems found so far. @throws what a load failed with, unless it is a {@link DataError}. */
  problems(): readonly DataError[];
}

/** A dataset over picture files. */
export interface PictureDataset<Batch> {
  readonly dataset: Dataset<Batch>;
  /** The files of all of its examples. */
  readonly paths: readonly string[];
  /** @throws {DataError} when the file is no complete picture. */
  load(path: string): Promise<unknown>;
  readonly check?: CheckBeside | undefined;
}

/**
 * The same dataset. When a picture of a batch is broken, or one was found beside it, the others are looked at, so that the error
 * names all of them.
 */
export function namingAllBroken<Batch>({
  dataset,
  paths,
  load,
  check,
}: PictureDataset<Batch>): Dataset<Batch> {
  let looking: Promise<DataError[]> | undefined;
  const look = async (): Promise<DataError[]> => {
    const problems: DataError[] = [];
    for (let start = 0; start < Math.min(paths.length, MOST_LOOKED_AT); start += LOOKS_IN_FLIGHT) {
      const end = Math.min(start + LOOKS_IN_FLIGHT, MOST_LOOKED_AT);
      problems.push(...(await allOf(paths.slice(start, end).map(load))).problems);
    }
    return problems;
  };
  return {
    ...dataset,
    batch: async (indices, augmentation) => {
      try {
        refuseBroken(check?.problems() ?? []);
        const batch = await dataset.batch(indices, augmentation);
        check?.goOn(indices.length);
        return batch;
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        looking ??= look();
        const note = paths.length > MOST_LOOKED_AT ? ` ${onlyFirst(paths.length)}` : '';
        refuseBroken([...problemsIn(error), ...(await looking), ...(check?.problems() ?? [])], note);
        throw error;
      }
    },
  };
}
