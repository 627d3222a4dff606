/** The parts of a proof, in the order in which they are told. */
export const checkNames = [
  'files',
  'labels',
  'decision',
  'weights',
  'widths',
  'counts',
  'outputs',
  'batch',
  'agreement',
  'latency',
] as const;
export type CheckName = (typeof checkNames)[number];

/** One part of a proof, and how it came out. */
export interface Check {
  readonly name: CheckName;
  readonly verdict: 'holds' | 'fails' | 'left out';
  /** The findings, a sentence each; where a part fails, the fault. */
  readonly says: readonly string[];
}

/** Sentences on what is wrong; a part without any holds. */
export const checked = (name: CheckName, wrong: readonly string[], holds: readonly string[]): Check =>
  wrong.length > 0
    ? { name, verdict: 'fails', says: wrong.slice(0, MOST_SENTENCES) }
    : { name, verdict: 'holds', says: holds };

const MOST_SENTENCES = 20;
