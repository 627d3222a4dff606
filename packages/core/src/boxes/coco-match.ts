import { byScore } from './suppression';

/** The boxes of one class in one picture. */
interface ImageOfClass {
  readonly truths: readonly { readonly crowd: boolean; readonly area: number; readonly entry: number }[];
  readonly detections: readonly { readonly score: number; readonly area: number; readonly entry: number }[];
  /** The overlap of a detection's entry with a truth's. */
  overlap(detection: number, truth: number): number;
}

interface MatchOptions {
  /** Least and greatest area that counts, in pixels². */
  readonly area: readonly [number, number];
  readonly thresholds: readonly number[];
  readonly most: number;
}

type Outcome = 'right' | 'wrong' | 'ignored';

/** The fate of each detection of one class in one picture. */
export interface Matched {
  /** By falling score, each with its outcome at each threshold. */
  readonly detections: readonly { readonly score: number; readonly outcomes: readonly Outcome[] }[];
  /** Truths that are to be found. */
  readonly counted: number;
}

/** Where the overlap counts as equal to the threshold. */
const CLOSEST = 1 - 1e-10;

/**
 * Matches detections to truths as COCO does: by falling score, each takes the truth that it overlaps most, of those that are left and
 * reach the threshold; one that counts goes before one that does not, and a crowd is never used up.
 */
export function matchedImage(
  { truths, detections, overlap }: ImageOfClass,
  { area: [least, greatest], thresholds, most }: MatchOptions,
): Matched {
  const outside = (area: number): boolean => area < least || area > greatest;
  const known = truths.map((truth) => ({ ...truth, ignored: truth.crowd || outside(truth.area) }));
  const ordered = [...known.filter(({ ignored }) => !ignored), ...known.filter(({ ignored }) => ignored)];
  const found = byScore(detections.map(({ score }) => score))
    .slice(0, most)
    .flatMap((index) => detections[index] ?? []);
  const overlaps = found.map((detection) => ordered.map((truth) => overlap(detection.entry, truth.entry)));
  const outcomes = thresholds.map((threshold) => {
    const taken = new Set<number>();
    return found.map((detection, index): Outcome => {
      let best = -1;
      let reached = Math.min(threshold, CLOSEST);
      for (const [place, truth] of ordered.entries()) {
        if (taken.has(place) && !truth.crowd) continue;
        if (best >= 0 && ordered[best]?.ignored === false && truth.ignored) break;
        const own = overlaps[index]?.[place] ?? 0;
        if (own < reached) continue;
        reached = own;
        best = place;
      }
      if (best < 0) return outside(detection.area) ? 'ignored' : 'wrong';
      taken.add(best);
      return ordered[best]?.ignored === true ? 'ignored' : 'right';
    });
  });
  return {
    detections: found.map(({ score }, index) => ({
      score,
      outcomes: outcomes.map((own) => own[index] ?? 'ignored'),
    })),
    counted: known.filter(({ ignored }) => !ignored).length,
  };
}
