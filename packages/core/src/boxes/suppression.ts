import { type Boxes, iou } from './box';

/** Indices by falling score; of equal ones the first comes first. */
export const byScore = (scores: ArrayLike<number>): number[] =>
  Array.from({ length: scores.length }, (_, index) => index).sort(
    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b,
  );

/**
 * Non-maximum suppression: takes boxes by falling score, and leaves out those that overlap one that was taken by more than the
 * threshold. With classes, only boxes of one class are in each other's way.
 * @param options `most`: it ends with so many boxes, the best of those that would stay. Default: all of them.
 * @returns indices of the boxes that stay, by falling score.
 */
export function nonMaximumSuppression(
  boxes: Boxes,
  scores: ArrayLike<number>,
  {
    threshold,
    classes,
    most = Infinity,
  }: { readonly threshold: number; readonly classes?: ArrayLike<number>; readonly most?: number },
): number[] {
  const kept: number[] = [];
  for (const candidate of byScore(scores)) {
    if (kept.length >= most) break;
    const isCovered = kept.some(
      (other) =>
        (classes === undefined || classes[other] === classes[candidate]) &&
        iou(boxes, other, boxes, candidate) > threshold,
    );
    if (!isCovered) kept.push(candidate);
  }
  return kept;
}
