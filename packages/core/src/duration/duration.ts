/** A length of training: `'3ep'` (epochs, fractions allowed) or `'200it'` (iterations). */
export type Duration = `${number}ep` | `${number}it`;

const pattern = /^(\d+(?:\.\d+)?)(ep|it)$/;

export function isDuration(text: string): text is Duration {
  const match = pattern.exec(text);
  return match !== null && (match[2] === 'ep' || Number.isInteger(Number(match[1])));
}

/**
 * Iterations in a duration.
 * @throws {RangeError} when the text is not a duration.
 */
export function stepsIn(duration: Duration, stepsPerEpoch: number): number {
  const match = pattern.exec(duration);
  if (match === null || !isDuration(duration)) {
    throw new RangeError(`expected a duration like 3ep or 200it, got ${JSON.stringify(duration)}`);
  }
  const amount = Number(match[1]);
  return match[2] === 'ep' ? Math.round(amount * stepsPerEpoch) : amount;
}
