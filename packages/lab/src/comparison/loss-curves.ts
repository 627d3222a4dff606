import type { LossCurve } from '@winnow/report';
import { scalarsOf } from '../results/tensorboard';

/** A page draws so many points of a phase; of more steps, the mean loss of as many stretches. */
const MOST_POINTS = 400;
const LOSS = '/loss';
/** Scores have a loss as well, on other data: they are no steps of a training. */
const LOSS_OF_SCORES = '/scores/loss';

/**
 * The loss of every phase of a run by its steps, as it was measured; losses that are no numbers are left out.
 * @throws {FormatError} when the measurements cannot be read.
 */
export async function lossCurves(folder: string): Promise<LossCurve[]> {
  const phases = new Map<string, [number, number][]>();
  for (const { tag, step, value } of await scalarsOf(folder)) {
    const phase = tag.slice(0, -LOSS.length);
    if (!tag.endsWith(LOSS) || tag.endsWith(LOSS_OF_SCORES) || !Number.isFinite(value)) continue;
    const points = phases.get(phase) ?? [];
    points.push([step, value]);
    phases.set(phase, points);
  }
  return [...phases].map(([phase, points]) => ({ phase, points: thinned(points) }));
}

/** Means over stretches of about the same length, each at its last step. */
export function thinned(points: readonly (readonly [number, number])[]): [number, number][] {
  const count = Math.min(MOST_POINTS, points.length);
  return Array.from({ length: count }, (_, place): [number, number] => {
    const stretch = points.slice(
      Math.floor((place * points.length) / count),
      Math.floor(((place + 1) * points.length) / count),
    );
    const mean = stretch.reduce((sum, [, loss]) => sum + loss, 0) / stretch.length;
    return [stretch[stretch.length - 1]?.[0] ?? 0, mean];
  });
}
