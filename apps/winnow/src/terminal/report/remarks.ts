/** A report with what its reader has to know beside: a sentence each. */
export const remarked = (report: string, remarks: readonly string[]): string =>
  [report, ...remarks].join('\n\n');
