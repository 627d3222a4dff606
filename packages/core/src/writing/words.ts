/** Letters and digits, with apostrophes and hyphens between them. */
const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;

/**
 * The words of a text, in small letters, as caption scores count them: split at everything that is neither letter nor digit, which is
 * left out. COCO's evaluation splits as the Stanford tokenizer does, before it leaves out the same marks: it parts `don't` into `do` and
 * `n't`, which stays whole here.
 */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(WORD) ?? [];

/** Counts how often each run of 1 to `longest` words stands in a text; entry n − 1 has those of n words. */
export function runCounts(words: readonly string[], longest: number): ReadonlyMap<string, number>[] {
  return Array.from({ length: longest }, (_, index) => {
    const counts = new Map<string, number>();
    for (let start = 0; start + index < words.length; start++) {
      const run = words.slice(start, start + index + 1).join(' ');
      counts.set(run, (counts.get(run) ?? 0) + 1);
    }
    return counts;
  });
}

/** A text that was written about something, and those that are right about it; at least one. */
export interface Judged {
  readonly candidate: readonly string[];
  readonly references: readonly (readonly string[])[];
}
