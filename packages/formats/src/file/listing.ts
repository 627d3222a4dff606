const MOST_LINES = 20;

/** Lines below a message, as many as one can read: the rest is counted. */
export function listed(lines: readonly string[]): string {
  const shown = lines.slice(0, MOST_LINES).map((line) => `\n  ${line}`);
  const more = lines.length - shown.length;
  return shown.join('') + (more > 0 ? `\n  and ${more} more` : '');
}
