/** Class indices of the examples of a split: what they are, and what two models take them for. */
export interface ClassPredictions {
  readonly classNames: readonly string[];
  readonly labels: readonly number[];
  readonly dense: readonly number[];
  readonly compressed?: readonly number[];
}

/** The recognition of a class: numbers of its examples. */
export interface ClassResult {
  readonly name: string;
  readonly examples: number;
  readonly right: number;
  /** By the smaller model; null of a training. */
  readonly rightAfter: number | null;
}

/** Examples of one class that a model takes for another one. */
export interface Confusion {
  readonly label: string;
  readonly taken: string;
  readonly before: number;
  readonly after: number | null;
}

/** The classes that a model takes the examples of some classes for: numbers of examples, [label][class]. */
export interface ConfusionMatrix {
  readonly names: readonly string[];
  readonly before: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[] | null;
}

/** The results of the classes. Everything is bounded, however many there are. */
export interface ClassResults {
  readonly classes: number;
  readonly results: readonly ClassResult[];
  readonly confusions: readonly Confusion[];
  readonly matrix: ConfusionMatrix;
}

/** Most classes that are listed, and whose confusion is drawn, and most confusions that are named. */
const MOST_CLASSES = 60;
const MOST_IN_MATRIX = 20;
const MOST_CONFUSIONS = 20;

/**
 * Counts what two models, or one, make of every class. Of many classes those are listed that changed most, or that most is
 * wrong about, and those are drawn that are confused most; in the order of the classes.
 */
export function classResultsOf({ classNames, labels, dense, compressed }: ClassPredictions): ClassResults {
  const counts = classNames.map((name) => ({ name, examples: 0, right: 0, rightAfter: 0 }));
  const pairs = new Map<number, { before: number; after: number }>();
  const confuse = (label: number, taken: number, when: 'before' | 'after') => {
    if (label === taken) return;
    const key = label * classNames.length + taken;
    const pair = pairs.get(key) ?? { before: 0, after: 0 };
    pair[when] += 1;
    pairs.set(key, pair);
  };
  for (const [place, label] of labels.entries()) {
    const count = counts[label];
    if (count === undefined) continue;
    const [before, after] = [dense[place] ?? -1, compressed?.[place] ?? -1];
    count.examples += 1;
    count.right += before === label ? 1 : 0;
    count.rightAfter += after === label ? 1 : 0;
    confuse(label, before, 'before');
    if (compressed !== undefined) confuse(label, after, 'after');
  }
  const has = counts.map(({ examples }) => examples > 0);
  // Among classes that changed alike, those that more is wrong about.
  const weight = ({ examples, right, rightAfter }: (typeof counts)[number]) =>
    compressed === undefined
      ? examples - right
      : Math.abs(right - rightAfter) + (examples - rightAfter) / 1000;
  const listed = most(
    [...counts.keys()].filter((index) => has[index]),
    (index) => (counts[index] === undefined ? 0 : weight(counts[index])),
    MOST_CLASSES,
  );
  const involved = new Map<number, number>();
  for (const [key, { before, after }] of pairs) {
    for (const index of [Math.floor(key / classNames.length), key % classNames.length])
      involved.set(index, (involved.get(index) ?? 0) + before + after);
  }
  const drawn = most(
    [...counts.keys()].filter((index) => has[index] || involved.has(index)),
    (index) => involved.get(index) ?? 0,
    MOST_IN_MATRIX,
  );
  const nameOf = (index: number) => classNames[index] ?? String(index);
  return {
    classes: classNames.length,
    results: listed.flatMap((index) => {
      const count = counts[index];
      if (count === undefined) return [];
      return [{ ...count, rightAfter: compressed === undefined ? null : count.rightAfter }];
    }),
    confusions: [...pairs]
      .sort(([, one], [, other]) => other.before + other.after - (one.before + one.after))
      .slice(0, MOST_CONFUSIONS)
      .map(([key, { before, after }]) => ({
        label: nameOf(Math.floor(key / classNames.length)),
        taken: nameOf(key % classNames.length),
        before,
        after: compressed === undefined ? null : after,
      })),
    matrix: {
      names: drawn.map(nameOf),
      before: matrixOf(drawn, labels, dense),
      after: compressed === undefined ? null : matrixOf(drawn, labels, compressed),
    },
  };
}

/** So many of the greatest weight, in their own order. */
function most(indices: readonly number[], weightOf: (index: number) => number, count: number): number[] {
  return [...indices]
    .sort((a, b) => weightOf(b) - weightOf(a) || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
}

function matrixOf(
  drawn: readonly number[],
  labels: readonly number[],
  predicted: readonly number[],
): number[][] {
  const places = new Map(drawn.map((index, place) => [index, place]));
  const matrix = drawn.map(() => drawn.map(() => 0));
  for (const [example, label] of labels.entries()) {
    const row = matrix[places.get(label) ?? -1];
    const column = places.get(predicted[example] ?? -1);
    if (row !== undefined && column !== undefined) row[column] = (row[column] ?? 0) + 1;
  }
  return matrix;
}
