/** A size of three digits in kB, MB or GB. */
export function fileSize(bytes: number): string {
  if (bytes < 1e5) return `${digits(bytes / 1e3)} kB`;
  return bytes < 999.5e6 ? `${digits(bytes / 1e6)} MB` : `${digits(bytes / 1e9)} GB`;
}

/** A number of three digits with k, M, G or T. */
export function count(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${Number(digits(value / 1000 ** step))}${units[step] ?? ''}`;
}

/** A time of three digits, in seconds where it is one or more. */
export const duration = (ms: number): string => (ms < 999.5 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`);

const digits = (value: number): string => value.toPrecision(3);
