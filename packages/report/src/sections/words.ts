import type { Table } from '@winnow/comparison';

/** Says what a track gives everybody alike. */
export function trackWords(track: Table['track']): string {
  switch (track) {
    case 'equal-compute':
      return 'the same training for all';
    case 'recommended':
      return 'each with its own search';
    default:
      return track satisfies never;
  }
}

/** Scores of known names for people who have read no paper; others keep their names. */
const meanings: Readonly<Record<string, string>> = {
  top1: 'right answers, %',
  meanR: 'found, %',
};
export const metricWords = (metric: string): string => meanings[metric] ?? metric;
