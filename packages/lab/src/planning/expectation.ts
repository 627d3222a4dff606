/** A model that was built: the error that was predicted of it, and its score. */
export interface BuiltScore {
  readonly error: number;
  readonly score: number;
}

/** A score that is expected, in percent. */
export interface ExpectedScore {
  readonly score: number;
  readonly plusMinus: number;
}

/**
 * The score of a model by its predicted error: on the line between the built models with the next smaller and larger error. Its
 * uncertainty has two parts, added as squares: the most that the same line misses a built model by when that is left out, and
 * the standard error of a share of the examples. Nothing is said beyond the largest error that was built.
 * @param built The dense model among them, with an error of 0.
 * @param examples How many the scores are shares of.
 */
export function expectedScore(
  built: readonly BuiltScore[],
  error: number,
  examples: number,
): ExpectedScore | undefined {
  const score = scoreOnLine(built, error);
  if (score === undefined) return undefined;
  const share = Math.min(1, Math.max(0, score / 100));
  const sampling = 100 * Math.sqrt((share * (1 - share)) / examples);
  return { score, plusMinus: Math.hypot(sampling, missed(built)) };
}

function scoreOnLine(built: readonly BuiltScore[], error: number): number | undefined {
  const ascending = [...built].sort((a, b) => a.error - b.error);
  const above = ascending.findIndex((own) => own.error >= error);
  const [low, high] = [ascending[above - 1], ascending[above]];
  if (high === undefined) return undefined;
  if (low === undefined) return high.error === error ? high.score : undefined;
  return low.score + ((error - low.error) / (high.error - low.error)) * (high.score - low.score);
}

/** The most that the line misses a built model by that it does not know; 0 where none lies between two others. */
function missed(built: readonly BuiltScore[]): number {
  const misses = built.map((own) => {
    const score = scoreOnLine(
      built.filter((other) => other !== own),
      own.error,
    );
    return score === undefined ? 0 : Math.abs(score - own.score);
  });
  return Math.max(0, ...misses);
}
