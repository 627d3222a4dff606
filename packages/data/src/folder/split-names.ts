/** Names under which people keep each split; the first is the one to recommend. */
export const spellings = {
  train: ['train'],
  validation: ['validation', 'val', 'valid'],
  test: ['test'],
} as const;

/** Names that are meant for a split and not understood: what they are to be called. */
const meantFor: Readonly<Record<string, keyof typeof spellings>> = {
  training: 'train',
  dev: 'validation',
  testing: 'test',
  eval: 'test',
  evaluation: 'test',
};

/** Whether a folder's name is that of a split, or almost: 'Test', 'testing'. */
export function isMeantFor(name: string, split: keyof typeof spellings): boolean {
  const known: readonly string[] = spellings[split];
  const lower = name.toLowerCase();
  return known.includes(lower) || meantFor[lower] === split;
}

/** Whether a folder is called exactly as a split is. */
export const isSplitName = (name: string): boolean =>
  Object.values(spellings).some((known: readonly string[]) => known.includes(name));
