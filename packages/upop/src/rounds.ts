/**
 * The share of the target that is removed after `step`, when units go in rounds. A round is T/R steps of training and
 * then a removal of 1/R of the target, so the last removal is at the last step, like every other method's cut.
 * Undefined between removals; a search shorter than its rounds takes several at once.
 */
export function roundShare(step: number, steps: number, rounds: number): number | undefined {
  const roundsAfter = (done: number) => Math.floor((done * rounds) / steps);
  const now = roundsAfter(step + 1);
  return now > roundsAfter(step) ? now / rounds : undefined;
}
