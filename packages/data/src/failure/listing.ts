const LISTED = 10;
/** Longest line, in characters: what is listed comes from files. */
const LONGEST = 300;

const shortened = (line: string): string => (line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line);

/** The first ten, one to a line, and how many more there are. */
export function firstTen(all: readonly string[]): string {
  const more = all.length - LISTED;
  return [...all.slice(0, LISTED).map(shortened), ...(more > 0 ? [`and ${more} more`] : [])]
    .map((line) => `\n- ${line}`)
    .join('');
}
