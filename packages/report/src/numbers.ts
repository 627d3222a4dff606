import type { Spread } from '@winnow/comparison';

const suffixes = ['', ' k', ' M', ' G', ' T', ' P'] as const;

/** 5717416 → `5.72 M`. */
export function count(value: number): string {
  const step =
    Math.abs(value) < 1000 ? 0 : Math.min(suffixes.length - 1, Math.floor(Math.log10(Math.abs(value)) / 3));
  return step === 0
    ? String(Number(value.toPrecision(3)))
    : `${(value / 1000 ** step).toPrecision(3)}${suffixes[step] ?? ''}`;
}

export const spreadText = ({ mean, deviation }: Spread): string =>
  deviation === null ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;

/** 1.8431 → `1.84×`, 11.2 → `11.2×`. */
export const times = (ratio: number): string => `${ratio.toPrecision(3)}×`;

export const milliseconds = (value: number): string => `${value.toPrecision(3)} ms`;

export const seconds = (ms: number): string =>
  ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;

export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
