import { readFileSync, writeFileSync } from 'node:fs';

const MIB_PER_KIB = 1 / 1024;

/**
 * The largest resident size of this process since `resetPeak`, in MiB, and since its start where the system cannot set
 * it back (elsewhere than on Linux).
 */
export function peakMib() {
  const kib = /VmHWM:\s+(\d+) kB/.exec(statusText())?.[1];
  return (kib === undefined ? process.resourceUsage().maxRSS : Number(kib)) * MIB_PER_KIB;
}

export function resetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5'); // proc(5): sets the peak resident size back to the present one
  } catch {
    // Then peaks are those since the start, which are not smaller.
  }
}

function statusText() {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}
