import type { DataError } from '../failure/data-error';
import { type CheckBeside, allOf, refuseBroken } from './broken';
import type { Picture } from './picture';
import type { PreparedPictures } from './prepared';
import { type Wanted, wantedOf, type PicturesOfSplits } from './wanted';

/** Decodings asked for at a time: enough to keep libvips' threads busy, few enough to bound memory. */
const LOADS_IN_FLIGHT = 64;
/** Decodings at a time beside a training, which wants its own pictures first. */
const BESIDE_IN_FLIGHT = 2;
/** Pictures of a piece of work where there is no shelf. */
const PIECE = 256;
/** Most pictures that are looked at after the last batch: a process that is done does not wait for the others. */
const MOST_AHEAD = 128;

/** Decodes every picture of a dataset once, into memory and onto the shelf, and remembers which are broken. */
export interface PictureCheck extends CheckBeside {
  /** Looks at all that are left. @throws {DataError} that names the broken ones. */
  finish(): Promise<void>;
}

/** So few pictures are decoded at once, whoever asks: it takes a second or two, and then nothing has begun that fails later. */
const FEW = 500;

/**
 * The check that an option asks for; the pictures are looked at already where it says so, or where they are few.
 * @throws {DataError} that names the broken ones of those.
 */
export async function begunCheck(
  pictures: Pick<PreparedPictures, 'load' | 'shelf'>,
  found: Pick<PicturesOfSplits, 'paths'>,
  preload: boolean | 'background' = false,
): Promise<CheckBeside | undefined> {
  if (preload === false) return undefined;
  const check = pictureCheck(pictures, found);
  if (preload === true || countOf(found) <= FEW) await check.finish();
  return check;
}

const countOf = ({ paths: { train, validation, test } }: Pick<PicturesOfSplits, 'paths'>): number =>
  train.length + validation.length + test.length;

const piecesOf = (wanted: readonly Wanted[]): Wanted[][] =>
  Array.from({ length: Math.ceil(wanted.length / PIECE) }, (_, piece) =>
    wanted.slice(piece * PIECE, (piece + 1) * PIECE),
  );

export function pictureCheck(
  { load, shelf }: Pick<PreparedPictures, 'load' | 'shelf'>,
  found: Pick<PicturesOfSplits, 'paths'>,
): PictureCheck {
  const problems: DataError[] = [];
  let inFlight = BESIDE_IN_FLIGHT;
  let ahead = 0;
  let failure: { readonly cause: unknown } | undefined;
  let running: Promise<void> | undefined;

  /** Looks at some pictures, a few at a time; yields how many. @returns them, if none is broken. */
  async function* look(
    pictures: readonly Wanted[],
    keeps: boolean,
  ): AsyncGenerator<number, Picture[] | undefined> {
    const decoded: Picture[] = [];
    let isWhole = true;
    for (let start = 0; start < pictures.length;) {
      const some = pictures.slice(start, start + inFlight);
      start += some.length;
      const outcomes = await allOf(some.map(({ path, augmented }) => load(path, augmented)));
      problems.push(...outcomes.problems);
      isWhole &&= outcomes.problems.length === 0;
      if (keeps && isWhole) decoded.push(...outcomes.values);
      yield some.length;
    }
    return keeps && isWhole ? decoded : undefined;
  }

  async function* walk(): AsyncGenerator<number, void> {
    for (const [pack, pictures] of (shelf?.packs ?? piecesOf(wantedOf(found))).entries()) {
      if (shelf !== undefined && (await shelf.has(pack))) continue; // decoded before, by what is in the files
      const decoded = yield* look(pictures, shelf?.hasRoom() ?? false);
      if (decoded !== undefined) await shelf?.put(pack, decoded);
    }
  }
  const steps = walk();

  const run = async (): Promise<void> => {
    try {
      while (ahead > 0) {
        const { done, value } = await steps.next();
        if (done === true) return;
        ahead -= value;
      }
    } catch (cause) {
      failure = { cause };
    }
  };
  const known = (): readonly DataError[] => {
    if (failure !== undefined) throw failure.cause;
    return problems;
  };
  return {
    goOn: (pictures) => {
      ahead = Math.min(ahead + pictures, MOST_AHEAD);
      running ??= run().finally(() => (running = undefined));
    },
    problems: known,
    finish: async () => {
      inFlight = LOADS_IN_FLIGHT;
      ahead = Infinity;
      await (running ?? run());
      refuseBroken(known());
    },
  };
}
