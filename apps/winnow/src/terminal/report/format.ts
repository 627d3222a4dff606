import { visibleName } from '@winnow/core';
import Table from 'cli-table3';

/** Rows under a heading, in plain characters that survive a log file; the first column stands left. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    head: head.map(visibleName),
    style: { head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
  });
  drawn.push(...rows.map((row) => row.map(visibleName)));
  return drawn.toString();
}

const SUFFIXES = ['', ' k', ' M', ' G', ' T'] as const;

/** 5717416 → `5.72 M`. */
export function count(value: number): string {
  const step = value < 1 ? 0 : Math.min(SUFFIXES.length - 1, Math.floor(Math.log10(value) / 3));
  return step === 0 ? String(value) : `${(value / 1000 ** step).toPrecision(3)}${SUFFIXES[step] ?? ''}`;
}

export const bytes = (value: number): string => `${count(value)}B`.replace(/(\d)B$/, '$1 B');
export const milliseconds = (value: number): string => `${value.toPrecision(3)} ms`;
export const times = (value: number): string => `${value.toFixed(2)}×`;
/** A share of 1, such as a probability: 0.9312 → `93.12 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** A score in its unit. */
export const scoreText = (name: string, value: number): string =>
  name === 'loss' ? value.toFixed(4) : `${value.toFixed(2)} %`;

/** Rounded first: 239.7 s are 4 minutes, not 3 min 60 s. */
export function duration(seconds: number): string {
  const tenths = Math.round(10 * seconds) / 10;
  if (tenths < 60) return `${tenths.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
