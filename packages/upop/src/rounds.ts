/**
 * The share of the target that is removed after `step`, when units go in rounds: r/R after step ⌈T·r/(R+1)⌉ − 1, so
 * that training goes on after the last round. Undefined between rounds. A search shorter than its rounds takes the
 * missed ones at its last step.
 */
export function roundShare(step: number, steps: number, rounds: number): number | undefined {
  const roundsAfter = (done: number) => Math.min(rounds, Math.floor((done * (rounds + 1)) / steps));
  const now = step === steps - 1 ? rounds : roundsAfter(step + 1);
  return now > roundsAfter(step) ? now / rounds : undefined;
}
